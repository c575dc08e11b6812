"""The bill of materials of a run as an SPDX 2.3 document: scripts, what they fetched, Python packages, licences.

Built and validated by spdx-tools. A licence that is no SPDX expression is kept as a comment and not guessed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from cm4bench.tools.lockfile import Lock
from cm4bench_crates.errors import CrateError
from cm4bench_crates.extras import need
from cm4bench_crates.installed import Installed
from cm4bench_crates.scripts import Scripts, Source

if TYPE_CHECKING:
    from spdx_tools.spdx.model.document import Document
    from spdx_tools.spdx.model.package import Package

ROOT = "SPDXRef-Run"
_SHA256 = re.compile(r"[0-9a-f]{64}")
# What packages write into the old licence field, and the SPDX name it stands for. Others are not guessed.
_COMMON = {"MIT License": "MIT", "Apache 2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0", "BSD": ""}


def sbom(lock: Lock, packages: Iterable[Installed], scripts: Scripts, title: str) -> str:
    """The document as JSON text; equal input gives equal text.

    Raises:
        CrateError: spdx-tools finds it invalid.
    """
    need("spdx_tools")
    from spdx_tools.spdx.jsonschema.document_converter import DocumentConverter
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    document = _document(lock, list(packages), scripts, title)
    problems = validate_full_spdx_document(document)
    if problems:
        raise CrateError(f"the bill of materials is not valid SPDX: {problems[0].validation_message}")
    converted = DocumentConverter().convert(document)  # type: ignore[no-untyped-call]
    return json.dumps(converted, indent=1, sort_keys=True) + "\n"


def _document(lock: Lock, packages: list[Installed], scripts: Scripts, title: str) -> Document:
    from spdx_tools.spdx.model.document import CreationInfo, Document
    from spdx_tools.spdx.model.relationship import RelationshipType

    digest = hashlib.sha256(repr((lock, packages)).encode()).hexdigest()
    parts = [_package(ROOT, title)]
    links = [_link("SPDXRef-DOCUMENT", RelationshipType.DESCRIBES, ROOT)]
    steps = _script_parts(lock, scripts)
    sources = [_source_part(number, source) for number, source in enumerate(scripts.sources(lock))]
    pythons = [_python_part(one) for one in packages]
    parts += [*steps, *sources, *pythons]
    links += [_link(ROOT, RelationshipType.DEPENDS_ON, part.spdx_id) for part in (*steps, *sources)]
    for one in packages:
        links += [_link(ROOT, RelationshipType.DEPENDS_ON, _id("Python", one.name))] if one.locked else []
        links += [
            _link(_id("Python", one.name), RelationshipType.DEPENDS_ON, _id("Python", name)) for name in one.needs
        ]
    info = CreationInfo(
        spdx_version="SPDX-2.3",
        spdx_id="SPDXRef-DOCUMENT",
        name=title,
        document_namespace=f"https://spdx.org/spdxdocs/cm4bench-{digest}",
        creators=[_tool()],
        created=datetime.fromisoformat(lock.created).astimezone(timezone.utc).replace(tzinfo=None),
        data_license="CC0-1.0",
    )
    return Document(info, packages=parts, relationships=links)


def _tool() -> Any:
    from spdx_tools.spdx.model.actor import Actor, ActorType

    return Actor(ActorType.TOOL, "cm4bench")


def _link(one: str, kind: Any, other: str) -> Any:
    from spdx_tools.spdx.model.relationship import Relationship

    return Relationship(one, kind, other)


def _package(identifier: str, name: str, **more: Any) -> Package:
    from spdx_tools.spdx.model.package import Package
    from spdx_tools.spdx.model.spdx_no_assertion import SpdxNoAssertion

    fields = {"download_location": SpdxNoAssertion(), "files_analyzed": False, **more}
    return Package(identifier, name, **fields)


def _script_parts(lock: Lock, scripts: Scripts) -> list[Package]:
    commits = {repo.alias: f"{repo.commit}{' with edits' if repo.dirty else ''}" for repo in lock.repositories}
    unique = {step.uid or step.alias: step for step in lock.steps}
    return [
        _package(
            _id("Script", key),
            step.alias,
            source_info=f"script of {step.repo} {commits.get(step.repo, '')}, recipe {step.recipe}".replace(" ,", ","),
            **_licence(scripts.licence(step.repo)),
        )
        for key, step in sorted(unique.items())
    ]


def _source_part(number: int, source: Source) -> Package:
    from spdx_tools.spdx.model.checksum import Checksum, ChecksumAlgorithm

    known = _SHA256.fullmatch(source.sha256)
    sums = [Checksum(ChecksumAlgorithm.SHA256, source.sha256)] if known else []
    at = {"download_location": source.url} if source.url.startswith(("http://", "https://")) else {}
    info = f"fetched by {source.step.alias} from {source.url}"
    name = source.name or source.url
    return _package(
        _id("Source", str(number)), name, checksums=sums, source_info=info, **at, **_licence(source.license)
    )


def _python_part(one: Installed) -> Package:
    from spdx_tools.spdx.model.package import ExternalPackageRef, ExternalPackageRefCategory

    purl = ExternalPackageRef(
        ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", f"pkg:pypi/{one.name}@{one.version.replace('+', '%2B')}"
    )
    home = {"homepage": one.homepage} if one.homepage.startswith(("http://", "https://")) else {}
    return _package(
        _id("Python", one.name), one.name, version=one.version, external_references=[purl], **home,
        **_licence(one.license),
    )  # fmt: skip


def _licence(text: str) -> dict[str, Any]:
    """The declared licence, if it is an SPDX expression; otherwise the words as a comment."""
    from license_expression import ExpressionError, get_spdx_licensing

    name = _COMMON.get(text, text)
    if not name:
        return {"license_comment": f"the package says: {text}"} if text else {}
    try:
        licensing = get_spdx_licensing()
        if not licensing.validate(name).errors:
            return {"license_declared": licensing.parse(name)}
    except (ExpressionError, AttributeError, TypeError):
        pass  # the library stumbles over some sentences
    return {"license_comment": f"the package says: {text}"}


def _id(kind: str, name: str) -> str:
    return f"SPDXRef-{kind}-{re.sub(r'[^A-Za-z0-9.-]', '-', name)}"
