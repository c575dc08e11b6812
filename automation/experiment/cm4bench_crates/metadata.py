"""`ro-crate-metadata.json`: RO-Crate 1.1 with the Process Run Crate profile, made by the library rocrate."""

from __future__ import annotations

import hashlib
import json
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cm4bench.tools.lockfile import Lock
from cm4bench_crates import layout
from cm4bench_crates.extras import need
from cm4bench_results.record import ResultRecord
from cm4bench_results.table import accuracy_cell, result_cell

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_SHA256 = {"sha256": "http://schema.org/sha256"}
_KNOWN_FILES = {
    layout.LOCK: "Lock: everything that decided about the run",
    layout.REQUEST: "What was typed",
    layout.FACTS: "Facts of the host and versions",
    layout.SBOM: "Bill of materials (SPDX 2.3)",
    layout.CROISSANT: "Description of the data (Croissant 1.0)",
    layout.REPORT: "Report",
    layout.README: "What this is, and how to make it again",
}
_CONFORMS = {
    layout.SBOM: "https://spdx.github.io/spdx-spec/v2.3/",
    layout.CROISSANT: "http://mlcommons.org/croissant/1.0",
}


@dataclass(frozen=True)
class About:
    """What the packer says of the crate. ``license`` is an SPDX name or an address, ``identifier`` a DOI."""

    title: str
    author: str = ""
    license: str = ""
    identifier: str = ""


def metadata(folder: Path, records: Iterable[ResultRecord], lock: Lock, about: About) -> str:
    """The metadata of all files in ``folder`` as JSON text; equal input gives equal text."""
    need("rocrate")
    from rocrate.rocrate import ROCrate

    records = list(records)
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms.update(_SHA256)
    files = {name: _add_file(crate, folder, name) for name in _names(folder)}
    _describe_root(crate, records, about)
    _add_run(crate, records, lock, files)
    generated: dict[str, Any] = crate.metadata.generate()
    generated["@graph"].sort(key=lambda entity: entity["@id"])
    return json.dumps(generated, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _names(folder: Path) -> list[str]:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [name for name in names if name != layout.METADATA]


def _add_file(crate: Any, folder: Path, name: str) -> Any:
    content = (folder / name).read_bytes()
    properties: dict[str, Any] = {
        "name": _KNOWN_FILES.get(name, name.rpartition("/")[2]),
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
        "encodingFormat": mimetypes.guess_type(name)[0] or "text/plain",
    }
    if name in _CONFORMS:
        properties["conformsTo"] = {"@id": _CONFORMS[name]}
    return crate.add_file(folder / name, name, properties=properties)


def _describe_root(crate: Any, records: list[ResultRecord], about: About) -> None:
    lines = [
        f"{one.subject.model}, {one.subject.scenario}: {result_cell(one)}; {accuracy_cell(one)}" for one in records
    ]
    crate.name = about.title
    crate.description = "Benchmark results with what is needed to make them again. " + " | ".join(lines)
    crate.root_dataset["datePublished"] = max(one.created for one in records)
    crate.root_dataset["license"] = _licence(crate, about.license)
    crate.root_dataset["conformsTo"] = _entity(crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
    if about.identifier:
        crate.root_dataset["identifier"] = about.identifier
    if about.author:
        crate.root_dataset["author"] = _entity(crate, "#author", "Person", name=about.author)


def _licence(crate: Any, name: str) -> Any:
    if not name:
        words = "Whoever packed this crate stated no licence for it; that of each part is in sbom.spdx.json."
        return _entity(crate, "#no-licence-stated", "CreativeWork", name="No licence stated", description=words)
    address = name if "://" in name else f"https://spdx.org/licenses/{name}"
    return _entity(crate, address, "CreativeWork", name=name, description=f"{name}, for the records and logs")


def _add_run(crate: Any, records: list[ResultRecord], lock: Lock, files: dict[str, Any]) -> None:
    """The run as an action: the scripts were its instrument, lock and request its object, the records its result."""
    repositories = ", ".join(f"{repo.alias} {repo.commit}".strip() for repo in lock.repositories)
    tool = _entity(
        crate, "#cm4bench", "SoftwareApplication", name="cm4bench", version=repositories or "not in git",
        description="Runs the scripts that the lock names",
    )  # fmt: skip
    inputs = [files[name] for name in (layout.LOCK, layout.REQUEST) if name in files]
    outputs = [entity for name, entity in files.items() if name.startswith(f"{layout.RESULTS}/")]
    tags = lock.request.tags.replace(",", " ")
    action = _entity(
        crate, "#run", "CreateAction", name=f"cmr “{tags}”", endTime=max(one.created for one in records),
        description=f"Results of {len(records)} scenarios", actionStatus={"@id": "http://schema.org/CompletedActionStatus"},
    )  # fmt: skip
    action["instrument"], action["object"], action["result"] = tool, inputs, outputs
    agent = crate.root_dataset.get("author")
    if agent is not None:
        action["agent"] = agent
    crate.root_dataset["mentions"] = [action]


def _entity(crate: Any, identifier: str, kind: str, **properties: Any) -> Any:
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))
