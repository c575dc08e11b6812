"""A round file into a `Round`. Whatever is wrong with the file is told with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from harness.errors import HarnessError
from harness.rounds import values
from harness.rounds.benchmark import Benchmark
from harness.rounds.round import Round
from harness.rounds.words import did_you_mean

T = TypeVar("T")

_PATH = re.compile(r"`(\$[^`]*)`")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|(\[\.\.\.\])")
_WORD = re.compile(r"[`']([^`'$]+)[`']")


def read(path: Path) -> Round:
    """Read one file.

    Raises:
        HarnessError: kind `config`, as `file:line: what is wrong`.
    """
    tree, data = _parse(path)
    name, entries = data.get("round"), data.pop("benchmarks", None)
    if name != path.stem:
        raise _error(path, _at(tree, ("round",)), f"the file is called {path.stem}, the round in it {name!r}")
    if not isinstance(entries, dict) or not entries:
        raise _error(path, _at(tree, ("benchmarks",)), "a round needs benchmarks: a mapping with the checker's names")
    benchmarks = {
        str(key): _convert(entry, Benchmark, path, tree, ("benchmarks", str(key))) for key, entry in entries.items()
    }
    found = _convert(data, Round, path, tree, ())
    found = msgspec.structs.replace(found, benchmarks=benchmarks, file=str(path)).completed()
    _check(found, path, tree)
    return found


def _check(found: Round, path: Path, tree: Any) -> None:
    """What types cannot say."""
    for one in found.benchmarks.values():
        for scenario in one.scenarios():
            if scenario not in found.scenarios:
                line = _at(tree, ("benchmarks", one.name))
                raise _error(path, line, f"{one.name} has scenario {scenario}, which 'scenarios' does not describe")
        if "Offline" in one.scenarios() and one.offline_min_samples is None:
            raise _error(path, _at(tree, ("benchmarks", one.name)), f"{one.name} lacks offline_min_samples")
        for test in one.compliance:
            if not one.audits[test].settings:
                raise _error(
                    path, _at(tree, ("benchmarks", one.name)), f"audits has no settings of {one.name}'s {test}"
                )


def _parse(path: Path) -> tuple[Any, dict[str, Any]]:
    try:
        import yaml
    except ImportError as error:
        raise HarnessError("config", "PyYAML is missing, rounds cannot be read", "pip install pyyaml") from error

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(path.read_text(encoding="utf-8"))
        tree = loader.get_single_node()
        for node in _nodes(tree):
            _refuse_repeated(path, node)
        data = loader.construct_document(tree) if tree is not None else None
    except (OSError, UnicodeDecodeError) as error:
        raise HarnessError("config", f"cannot read {path}: {error}", f"ls -l {path}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _error(path, line, f"not YAML: {error.problem}") from error
    if not isinstance(data, dict):
        raise _error(path, 1, "a round file is a mapping with the key 'round'")
    return tree, data


def _refuse_repeated(path: Path, node: Any) -> None:
    if node.id != "mapping":
        return
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            raise _error(path, key.start_mark.line + 1, f"{key.value!r} stands here a second time")
        seen.add(key.value)


def _nodes(tree: Any) -> Iterator[Any]:
    """The tree's nodes in the order of the file; those behind an alias once only."""
    stack, seen = [tree] if tree is not None else [], set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if node.id == "mapping":
            stack.extend(part for pair in reversed(node.value) for part in reversed(pair))
        elif node.id == "sequence":
            stack.extend(reversed(node.value))


def _convert(data: Any, kind: type[T], path: Path, tree: Any, where: tuple[str, ...]) -> T:
    try:
        return msgspec.convert(data, kind, str_keys=True)
    except msgspec.ValidationError as error:
        said = str(error)
        steps = _PATH.findall(said)
        node = _walk(tree, (*where, *(_steps(steps[-1]) if steps else ())))
        word = next(iter(_WORD.findall(said)), "")
        near = next((one for one in _nodes(node) if one.id == "scalar" and one.value == word), node)
        place = ".".join(where) + (": " if where else "")
        problem = f"{place}{said.split(' - at ')[0]}{did_you_mean(word, _known_words())}"
        raise _error(path, near.start_mark.line + 1, problem) from error


def _steps(text: str) -> tuple[str, ...]:
    return tuple(name or index or rest for name, index, rest in _STEP.findall(text))


def _walk(tree: Any, steps: tuple[str, ...]) -> Any:
    """The node at a path, or the nearest one above it that can be told."""
    node = tree
    for step in steps:
        if node.id == "mapping":
            # later keys win: those of a merge stand first
            inside = [value for key, value in node.value if key.value == step]
        else:
            inside = node.value[int(step) : int(step) + 1] if step.isdigit() else []
        if not inside:
            return node
        node = inside[-1]
    return node


def _at(tree: Any, steps: tuple[str, ...]) -> int:
    return int(_walk(tree, steps).start_mark.line) + 1


def _known_words() -> list[str]:
    kinds = (Benchmark, Round, *vars(values).values())
    structs = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    fields = [field for kind in structs for field in kind.__struct_encode_fields__]
    return [*fields, *get_args(values.Scenario), *get_args(values.Test), *get_args(values.Gap)]


def _error(path: Path, line: int, problem: str) -> HarnessError:
    return HarnessError("config", f"{path}:{line}: {problem}", "docs/rounds.md describes the keys of a round file")
