"""Scripts as the pages show them: from the catalogue to plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cm4bench_gui.settings import Settings

if TYPE_CHECKING:
    from cm4bench.catalog import Catalog
    from cm4bench.engine import Engine
    from cm4bench.manifest import Input, Output, Script


@dataclass(frozen=True)
class Card:
    """One script in a list."""

    alias: str
    name: str
    tags: tuple[str, ...]
    category: str
    repo: str

    def fits(self, words: Iterable[str], category: str = "") -> bool:
        """Whether every word is part of its tags, alias or name, and the category the one asked for."""
        if category and category != self.category:
            return False
        text = " ".join((self.alias, self.name, *self.tags)).lower()
        return all(word in text for word in words)


@dataclass(frozen=True)
class Variation:
    """A variation; ``takes_value``: it is typed as ``name.VALUE``."""

    name: str
    help: str = ""
    default: bool = False

    @property
    def takes_value(self) -> bool:
        return self.name.endswith(".#")


@dataclass(frozen=True)
class Sheet:
    """All that a page tells about one script. ``groups``: of each one variation can be chosen at most.

    ``call`` holds the tags to type: few, and they lead to this script.
    """

    card: Card
    call: tuple[str, ...]
    groups: Mapping[str, tuple[Variation, ...]]
    free: tuple[Variation, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    dependencies: tuple[str, ...]
    readme: str


class Scripts:
    """The catalogue of all registered repositories. Each question opens it anew, so edits on disk are seen."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def engine(self) -> Engine:
        """An engine over the repositories; it plans, and is never asked to run."""
        from cm4bench.engine import Engine
        from cm4bench.manifest import Repo

        repos = [Repo(one.alias, one.path, one.uid, one.prefix, one.strict) for one in self._settings.repos]
        return Engine(repos, self._settings.home)

    def cards(self) -> list[Card]:
        """All scripts, by category and alias."""
        return sorted(map(_card, self.engine().catalog), key=lambda card: (card.category.lower(), card.alias))

    def sheet(self, alias: str) -> Sheet | None:
        """The script called ``alias``, or None."""
        catalog = self.engine().catalog
        script = next((one for one in catalog if one.alias == alias), None)
        return None if script is None else _sheet(script, catalog)

    def alias_of(self, tags: str) -> str:
        """The alias of the script that ``tags`` lead to; empty where there is none."""
        from cm4bench.errors import CMBenchError

        try:
            return self.engine().find_script(tags).alias
        except CMBenchError:
            return ""


def _card(script: Script) -> Card:
    raw = script.raw
    name = str(raw.get("name") or raw.get("desc") or "")
    return Card(script.alias, name, script.tags, str(raw.get("category") or "Other"), script.repo.alias)


def _sheet(script: Script, catalog: Catalog) -> Sheet:
    groups: dict[str, list[Variation]] = {}
    for name, body in script.variations.items():
        if "," not in name:
            groups.setdefault(str((body or {}).get("group") or ""), []).append(_variation(name, body or {}))
    free = tuple(groups.pop("", ()))
    once = {item.name: item for item in reversed(script.inputs)}
    return Sheet(
        card=_card(script),
        call=_call(script, catalog),
        groups={name: tuple(members) for name, members in groups.items()},
        free=free,
        inputs=tuple(reversed(once.values())),
        outputs=script.outputs,
        dependencies=_dependencies(script.raw),
        readme=_readme(script.folder),
    )


def _variation(name: str, body: Mapping[str, Any]) -> Variation:
    return Variation(name, str(body.get("help") or ""), body.get("default") is True)


def _call(script: Script, catalog: Catalog) -> tuple[str, ...]:
    from cm4bench.query import Query

    tries = [_tags_in(script.alias, script.tags)]
    tries += [script.tags[:count] for count in range(1, len(script.tags) + 1)]
    for tags in filter(None, tries):
        found = catalog.find(Query(tags))
        if found and found[0].folder == script.folder:
            return tags
    return script.tags or (script.alias,)


def _tags_in(alias: str, tags: Iterable[str]) -> tuple[str, ...]:
    """The tags that an alias is made of: ``get-ml-model-resnet50`` of ``get``, ``ml-model`` and ``resnet50``."""
    rest, found = f"-{alias}-", []
    for tag in tags:
        if f"-{tag}-" in rest:
            rest = rest.replace(f"-{tag}-", "--", 1)
            found.append(tag)
    return tuple(found)


def _dependencies(raw: Mapping[str, Any]) -> tuple[str, ...]:
    phases = ("deps", "prehook_deps", "posthook_deps", "post_deps")
    found = (str(dep.get("tags") or "") for phase in phases for dep in raw.get(phase) or () if isinstance(dep, Mapping))
    return tuple(dict.fromkeys(tags for tags in found if tags))


def _readme(folder: str) -> str:
    try:
        with (Path(folder) / "README.md").open(encoding="utf-8", errors="replace") as file:
            return file.read(100_000)
    except OSError:
        return ""
