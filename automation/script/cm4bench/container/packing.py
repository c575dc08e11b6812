"""Writing a capsule: objects by sha256, the index over them, the launcher, one folder or one tar file."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..outputs import sha256_of
from . import standalone
from .standalone.index import INDEX, index_digest, object_path

__all__ = ["Packer", "pack_tar"]

_MAIN = '"""Starts this capsule; see run beside this folder."""\n\nimport sys\n\nfrom standalone.start import main\n\n'
_MAIN += "sys.exit(main(sys.argv[1:]))\n"
_RUN = """#!/bin/sh
# Runs this capsule without network; ./run --help lists the options.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
wanted=$(sed -n 's/^ *"python": "\\([0-9.]*\\)".*/\\1/p' "$here/capsule.json" | head -n 1)
python=
if [ -n "${CM4BENCH_PYTHON:-}" ]; then set -- "$CM4BENCH_PYTHON" -- "$@"
else set -- "python$wanted" python3 -- "$@"; fi
while [ "$1" != -- ]; do
    if [ -z "$python" ] && command -v "$1" >/dev/null 2>&1; then python=$1; fi
    shift
done
shift
if [ -n "$python" ]; then exec "$python" -I -B "$here/launcher" "$here" "$@"; fi
printf 'error: no Python %s found\\n\\nnext: install python%s with its venv module\\n' "$wanted" "$wanted" >&2
exit 1
"""


class Packer:
    """A capsule in the making, in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.members: list[dict[str, Any]] = []

    def add(self, name: str, source: Path) -> str:
        """Take a file along; returns its sha256."""
        digest = sha256_of(source)
        target = object_path(self.folder, digest)
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        return self._listed(name, digest, source.stat().st_size, bool(source.stat().st_mode & 0o100))

    def add_bytes(self, name: str, content: bytes, *, executable: bool = False) -> str:
        """Take content along that is no file (any more)."""
        import hashlib

        digest = hashlib.sha256(content).hexdigest()
        target = object_path(self.folder, digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return self._listed(name, digest, len(content), executable)

    def _listed(self, name: str, digest: str, size: int, executable: bool) -> str:
        member = {"path": name, "sha256": digest, "size": size}
        self.members.append({**member, "executable": True} if executable else member)
        return digest

    def finish(self, head: Mapping[str, Any]) -> str:
        """Write index and launcher; returns the capsule's identity."""
        index = {**head, "members": sorted(self.members, key=lambda member: str(member["path"]))}
        index["sha256"] = index_digest(index)
        (self.folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
        (self.folder / "run").write_text(_RUN, encoding="utf-8")
        (self.folder / "run").chmod(0o755)
        launcher = self.folder / "launcher"
        (launcher / "standalone").mkdir(parents=True)
        (launcher / "__main__.py").write_text(_MAIN, encoding="utf-8")
        for source in Path(next(iter(standalone.__path__))).glob("*.py"):
            shutil.copyfile(source, launcher / "standalone" / source.name)
        return str(index["sha256"])

    def size(self) -> int:
        """Bytes of all objects."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def pack_tar(folder: Path, file: Path) -> None:
    """A capsule as one tar file, whole or not at all; nothing in it tells who made it and when."""
    temporary = file.with_name(file.name + ".new")
    with tarfile.open(temporary, "w") as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.add(path, str(path.relative_to(folder)), filter=_anonymous)
    temporary.replace(file)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member
