"""A store that takes what it lacks from the capsule: entries are put in place when a plan first asks for them."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ..engine import Engine
from ..errors import CMBenchError
from ..manifest import Repo
from ..plan import Outcome, Step
from ..store import Entry, Store
from .entries import Names, Traveller, folders_of, is_twin
from .standalone.index import object_path

__all__ = ["CapsuleEngine", "CapsuleStore", "Cargo", "CarriedFile"]


class CarriedFile(NamedTuple):
    """One file of an entry, by content."""

    path: str
    sha256: str
    executable: bool = False


class Cargo(NamedTuple):
    """What a capsule brings for the store."""

    capsule: Path
    travellers: Mapping[str, Traveller]
    files: Mapping[str, Sequence[CarriedFile]]

    @classmethod
    def read(cls, capsule: Path, home: Path) -> Cargo:
        """Of a capsule that is laid out in `home`."""
        listed = json.loads((home / "entries.json").read_text(encoding="utf-8"))
        travellers = {item["uid"]: Traveller(**{k: v for k, v in item.items() if k != "files"}) for item in listed}
        files = {item["uid"]: [CarriedFile(**one) for one in item["files"]] for item in listed}
        return cls(capsule, travellers, files)


class CapsuleStore(Store):
    """The store of a CM home that a capsule was laid out for."""

    def __init__(self, home: Path, cargo: Cargo, folders: Mapping[str, Path]) -> None:
        super().__init__(home)
        self._cargo = cargo
        self._folders = dict(folders)
        self._tried: set[str] = set()

    def find(self, step: Step) -> tuple[Entry | None, str]:
        """As in every store; what is missing may be on board."""
        found = super().find(step)
        if found[0] or step.undecided or step.id in self._tried:
            return found
        self._tried.add(step.id)  # whoever holds the claim looks again, and must not wait for itself
        names = Names(self._folders)
        twins = (t for t in self._cargo.travellers.values() if is_twin(t, step.ingredients, names))
        travelled = next(twins, None)
        return (self._take(travelled, step), "") if travelled else found

    def _take(self, travelled: Traveller, step: Step) -> Entry:
        with self.claim(step, lambda: None):
            entry, _ = super().find(step)
            if entry is None:
                entry = self._unload(travelled, step)
            self._folders[f"entry:{travelled.uid}"] = entry.folder
            return entry

    def _unload(self, travelled: Traveller, step: Step) -> Entry:
        folder = self.clear_for_build(step)
        names = Names({**self._folders, f"entry:{travelled.uid}": folder})
        for file in self._cargo.files[travelled.uid]:
            self._write(file, folder / file.path, names.placed_bytes)
        state = names.placed_data(travelled.state)
        outcome = Outcome(state["new_env"], state["new_state"], state["version"], tuple(state["deps"]))
        return self.publish(step, outcome, state["observed"], state["seconds"])

    def _write(self, file: CarriedFile, target: Path, placed: Callable[[bytes], bytes]) -> None:
        source = object_path(self._cargo.capsule, file.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.stat().st_size > 1 << 20:
            shutil.copyfile(source, target)
        else:
            target.write_bytes(placed(source.read_bytes()))
        if file.executable:
            target.chmod(0o755)


class CapsuleEngine(Engine):
    """The engine inside a capsule."""

    @classmethod
    def here(cls, repos: Sequence[Repo], home: Path, **options: Any) -> CapsuleEngine:
        """For the capsule that the environment names.

        Raises:
            CMBenchError: it names none that is laid out.
        """
        capsule, base = Path(os.environ["CM4BENCH_CAPSULE"]), Path(os.environ.get("CM4BENCH_HOME", ""))
        if not (base / "entries.json").is_file():
            raise CMBenchError(
                f"CM4BENCH_CAPSULE names {capsule}, which is not laid out in {base}",
                hint="unset CM4BENCH_CAPSULE, or start the capsule by its ./run",
            )
        engine = cls(repos, home, **options)
        given = {path.name: next(path.iterdir()) for path in (base / "given").glob("*")}
        engine.cargo = Cargo.read(capsule, base)
        engine.folders = folders_of(home, repos, Path(sys.prefix), given)
        return engine

    cargo: Cargo
    folders: Mapping[str, Path]

    @cached_property
    def store(self) -> Store:
        return CapsuleStore(self.home, self.cargo, self.folders)
