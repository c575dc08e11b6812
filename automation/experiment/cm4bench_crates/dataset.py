"""The data of a run in Croissant 1.0 (MLCommons), where a step of it stands for a data set.

Written as plain JSON-LD, since the library that reads Croissant needs pandas; the tests hold it against that library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from cm4bench.tools.lockfile import Lock, LockedStep
from cm4bench_crates.scripts import Scripts

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_SHA256 = re.compile(r"[0-9a-f]{64}")


def croissant(lock: Lock, scripts: Scripts, created: str) -> str:
    """The description as JSON text; empty where no step of the lock is a data set."""
    steps = [step for step in lock.steps if _is_dataset(step)]
    if not steps:
        return ""
    files = [*_fetched(lock, scripts), *_made(steps)]
    licences = sorted({source.license for source in scripts.sources(lock) if source.license and source.step in steps})
    body = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "-".join(dict.fromkeys(step.alias for step in steps)),
        "description": f"The data of this run, as {', '.join(step.label for step in steps)} delivered it.",
        "datePublished": created[:10],
        "distribution": list({file["@id"]: file for file in files}.values()),
        **({"license": licences} if licences else {}),
    }
    return json.dumps(body, indent=1, sort_keys=True) + "\n"


def _is_dataset(step: LockedStep) -> bool:
    return step.made and "dataset" in step.tags


def _fetched(lock: Lock, scripts: Scripts) -> Iterator[dict[str, Any]]:
    """Files at an address, with the checksum that the manifest asks for."""
    for source in scripts.sources(lock):
        if _is_dataset(source.step) and _SHA256.fullmatch(source.sha256):
            yield _file(source.name or source.url, source.url, source.sha256, source.size)


def _made(steps: list[LockedStep]) -> Iterator[dict[str, Any]]:
    """Files that the steps left in the cache; a folder is told by the checksum that the lock holds of it."""
    for step in steps:
        for mark in step.data:
            if mark.kind == "file" and _SHA256.fullmatch(mark.sha256):
                name = mark.path.rpartition("/")[2]
                yield _file(f"{step.alias}/{name}", name, mark.sha256, mark.size)


def _file(name: str, place: str, sha256: str, size: int) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": re.sub(r"[^A-Za-z0-9._/-]+", "-", name),
        "name": name,
        "contentUrl": place,
        "encodingFormat": _format(place),
        "sha256": sha256,
        **({"contentSize": f"{size} B"} if size else {}),
    }


def _format(name: str) -> str:
    import mimetypes

    return mimetypes.guess_type(name.partition("?")[0])[0] or "application/octet-stream"
