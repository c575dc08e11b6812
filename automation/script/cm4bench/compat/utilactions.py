"""Actions of CM's `utils` automation, as scripts call them through `cmind.access`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..versions import compare

__all__ = ["compare_versions", "download_file", "get_host_os_info", "system", "uid", "unzip_file"]

Answer = dict[str, Any]


def compare_versions(automation: Any, i: Mapping[str, Any]) -> Answer:
    """`comparison`: -1, 0 or 1 for `version1` against `version2`."""
    return {"return": 0, "comparison": compare(str(i["version1"]), str(i["version2"]))}


def get_host_os_info(automation: Any, i: Mapping[str, Any]) -> Answer:
    """What CM scripts know as `os_info`, in `info`."""
    from ..contract import os_info

    info = os_info()
    return {"return": 0, "info": {**info, "bits": str(i.get("bits") or info["bits"])}}


def download_file(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Fetch `url` into `path` (default: here) as `filename` (default: the last part of the address).

    Raises:
        DownloadError: unreachable, refused, disk full; the message says which.
    """
    from ..fetch.download import download, file_name_of

    url = str(i["url"])
    target = Path(i.get("path") or Path.cwd()) / str(i.get("filename") or file_name_of(url))
    done = download(url, target)
    return {"return": 0, "filename": target.name, "path": str(target), "size": done.size}


def unzip_file(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Unpack `filename` into `path` (default: here), leaving out the first `strip_folders` folders of each name.

    Raises:
        ArchiveError: broken, or a member would leave the folder.
    """
    import shutil
    import tempfile

    from ..fetch.archive import unpack

    archive, folder = Path(str(i["filename"])), Path(i.get("path") or Path.cwd())
    if not archive.is_file():
        return {"return": 1, "error": f"file {archive} doesn't exist"}
    strip = int(i.get("strip_folders") or 0)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpack-") as staging:
        content = unpack(archive, Path(staging) / "content")
        for file in [p for p in content.rglob("*") if p.is_symlink() or not p.is_dir()]:
            parts = file.relative_to(content).parts[strip:]
            if parts:
                target = folder.joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(file, target)
    return {"return": 0}


def system(automation: Any, i: Mapping[str, Any]) -> Answer:
    """Run a shell command in `path`: exit status in `ret`, its output in `stdout`, `stderr` and (joined) `std`."""
    import subprocess

    folder = i.get("path")
    done = subprocess.run(
        str(i["cmd"]),
        shell=True,
        cwd=folder if folder and Path(folder).is_dir() else None,
        capture_output=True,
        text=True,
        errors="replace",
    )
    texts = done.stdout.strip(), done.stderr.strip()
    for key, text in zip(("stdout", "stderr"), texts, strict=True):
        if i.get(key):
            Path(str(i[key])).write_text(text + "\n", encoding="utf-8")
    return {
        **{"return": 0, "ret": done.returncode, "stdout": texts[0], "stderr": texts[1]},
        "std": "\n".join(t for t in texts if t),
    }


def uid(automation: Any, i: Mapping[str, Any]) -> Answer:
    """A new CM identifier: 16 hex digits."""
    import uuid

    made = uuid.uuid4().hex[:16]
    if i.get("out") == "con":
        print(made)
    return {"return": 0, "uid": made}
