"""A repository of scripts, a script and the typed parts of its manifest. `manifestfiles` reads them from disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .values import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DIALECT", "MANIFEST_NAMES", "MLC_MANIFEST_NAMES", "Input", "Output", "Repo", "Script", "Source", "is_yes"]

MANIFEST_NAMES = ("_cm.yaml", "_cm.json")
MLC_MANIFEST_NAMES = ("meta.yaml", "meta.json")
# where a manifest says that it was written in MLCFlow's words
DIALECT = "_dialect"


class Repo(NamedTuple):
    """A registered repository of scripts. `strict`: unknown manifest keys are errors here."""

    alias: str
    place: str | os.PathLike[str]
    uid: str = ""
    prefix: str = ""
    strict: bool = False

    @property
    def folder(self) -> str:
        """`path` as text. Objects are left to those who ask for them: importing pathlib costs a command 3 ms."""
        return os.fspath(self.place)

    @property
    def path(self) -> Path:
        from pathlib import Path

        return Path(self.place)

    @property
    def script_root(self) -> Path:
        return self.path / self.prefix / "script"


class Input(NamedTuple):
    """A documented option of a script: the flag `--name` sets the environment key `env`."""

    name: str
    env: str
    type: str = "str"
    choices: tuple[str, ...] = ()
    help: str = ""
    default: Any = None
    minimum: float | None = None

    def parse(self, given: Any) -> Any:
        """Check a value from the command line. Raises ManifestError-free ValueError with the reason."""
        text = str(given)
        if self.choices and text not in self.choices:
            raise ValueError(f"must be one of {', '.join(self.choices)}")
        if self.type in ("int", "float"):
            try:
                number = float(text) if self.type == "float" else int(text)
            except ValueError:
                raise ValueError(f"must be a{'n integer' if self.type == 'int' else ' number'}") from None
            if self.minimum is not None and number < self.minimum:
                raise ValueError(f"must be at least {self.minimum:g}")
        return given


class Output(NamedTuple):
    """An environment key that a step promises. `fact` names the host fact which already tells its value."""

    key: str
    type: str = "str"
    optional: bool = False
    fact: str = ""
    help: str = ""


class Source(NamedTuple):
    """Where a step's data comes from, known before anything is fetched. `size` is in bytes."""

    name: str
    url: str = ""
    size: int = 0
    sha256: str = ""
    license: str = ""
    when: tuple[str, ...] = ()


class Script:
    """One script directory of the catalogue; not to be changed once made."""

    def __init__(
        self,
        folder: str | os.PathLike[str],
        repo: Repo,
        raw: Mapping[str, Any],
        find: Callable[[str], Sequence[Script]] | None = None,
    ) -> None:
        """`find` looks up by tags the scripts whose inputs this one offers as its own (`inputs_from:`)."""
        self.folder = os.fspath(folder)
        self.repo = repo
        self.raw = raw
        self._find = find

    @cached_property
    def path(self) -> Path:
        from pathlib import Path

        return Path(self.folder)

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.folder.rpartition(os.sep)[2]

    @property
    def alias(self) -> str:
        return str(self.raw.get("alias") or self.name)

    @property
    def uid(self) -> str:
        return str(self.raw.get("uid") or "")

    @property
    def is_mlc(self) -> bool:
        """Is its code written for MLCFlow (`MLC_` keys)?"""
        return self.raw.get(DIALECT) == "mlc"

    @cached_property
    def tags(self) -> tuple[str, ...]:
        return tuple(str(tag) for tag in self.raw.get("tags") or ())

    @property
    def sort(self) -> int:
        return int(self.raw.get("sort") or 0)

    @property
    def caches(self) -> bool:
        return is_yes(self.raw.get("cache"))

    @property
    def can_force_cache(self) -> bool:
        return is_yes(self.raw.get("can_force_cache"))

    @property
    def variations(self) -> Mapping[str, Any]:
        return self.raw.get("variations") or {}

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """Its own, then those that `inputs_from:` borrows: two lenders may use a name for keys of their own."""
        names = {item.name for item in self.own_inputs}
        tags = self.raw.get("inputs_from") or ()
        lenders = [script for text in tags for script in self._find(text)] if self._find else []
        borrowed = {
            (one.name, one.env): one for script in lenders for one in script.own_inputs if one.name not in names
        }
        return (*self.own_inputs, *borrowed.values())

    @cached_property
    def own_inputs(self) -> tuple[Input, ...]:
        """Typed `inputs:` first, then what the plain `input_mapping:` adds."""
        typed = [_input(name, spec) for name, spec in (self.raw.get("inputs") or {}).items()]
        names = {item.name for item in typed}
        mapping = self.raw.get("input_mapping") or {}
        return tuple(typed + [Input(k, str(v)) for k, v in mapping.items() if k not in names])

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        return tuple(_output(key, spec) for key, spec in (self.raw.get("outputs") or {}).items())

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        return tuple(_source(spec) for spec in self.raw.get("sources") or ())

    def __str__(self) -> str:
        return self.alias


def is_yes(value: Any) -> bool:
    """CM's loose booleans: true, yes, on, 1."""
    return value is True or str(value).strip().lower() in ("true", "yes", "on", "1")


def _input(name: str, spec: Any) -> Input:
    if not isinstance(spec, Mapping):
        return Input(name, str(spec))
    return Input(
        name=name,
        env=str(spec["env"]),
        type=str(spec.get("type", "str")),
        choices=tuple(str(c) for c in spec.get("choices") or ()),
        help=str(spec.get("help", "")),
        default=spec.get("default"),
        minimum=spec.get("min"),
    )


def _output(key: str, spec: Any) -> Output:
    spec = spec if isinstance(spec, Mapping) else {"type": spec or "str"}
    return Output(
        key=key,
        type=str(spec.get("type", "str")),
        optional=is_yes(spec.get("optional")),
        fact=str(spec.get("fact", "")),
        help=str(spec.get("help", "")),
    )


def _source(spec: Mapping[str, Any]) -> Source:
    when = spec.get("when") or ()
    return Source(
        name=str(spec.get("name", "")),
        url=str(spec.get("url", "")),
        size=int(spec.get("size") or 0),
        sha256=str(spec.get("sha256", "")),
        license=str(spec.get("license", "")),
        when=tuple(str(w).lstrip("_") for w in (when if isinstance(when, (list, tuple)) else [when])),
    )
