"""From an order to systems/<name>.json: detect, read, ask, refuse, write."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlperf_checker import description as rules

from system_description import given, host, names, template
from system_description.description import FROM_RUNS, Description, differences
from system_description.given import DescriptionError
from system_description.questions import meaning
from system_description.values import Origin, Value, Values, detected


@dataclass(frozen=True)
class Order:
    """What is to be described.

    Attributes:
        name: short name for files; the host's own where empty.
        given: values of flags, by key; empty ones were not given.
        file: what the owner says, or where to ask for it; None for `<name>-system.yaml` in ``here``.
        output: folder that gets systems/.
        round: as `v6.1`; empty for that of the installed loadgen.
        on_cpu: the runs compute on the processors.
        demonstration: what is missing does not matter.
        ask: puts a question on the terminal; None where nobody is there.
    """

    name: str
    given: Mapping[str, str]
    file: Path | None
    here: Path
    output: Path
    round: str = ""
    on_cpu: bool = False
    power: bool = False
    demonstration: bool = False
    ask: Callable[[str], str] | None = None


def describe(order: Order, root: Path = Path("/")) -> tuple[str, Path]:
    """Write the description; returns the system's short name and the file.

    Raises:
        DescriptionError: naming all keys that are missing or wrong, and the file to edit.
        OSError: where nothing can be written.
    """
    name = order.name or names.cleaned(platform.node())
    if problem := names.objection("the system's name", name):
        raise DescriptionError(problem, "--hw_name=NAME")
    file = order.file or order.here / f"{name}-system.yaml"
    found = _known(order, name, file, root)
    missing = [key for key in found.missing() if key not in FROM_RUNS]
    if missing and order.ask and not order.demonstration:
        found, missing = _ask(order, found, missing, file), []
    if missing and not order.demonstration:
        raise _incomplete(found, missing, file)
    return name, _write(found.with_placeholders(FROM_RUNS) if order.demonstration else found, order, name, file)


def _known(order: Order, name: str, file: Path, root: Path) -> Description:
    from harness import rounds

    version = order.round or rounds.default().name
    keys = tuple(key.name for key in rules.keys(version, network=True, power=True))
    flags = {key: Value(text, Origin.GIVEN, "flag") for key, text in order.given.items() if text}
    said = given.read(file, keys) if file.exists() or (order.file and not _may_be_written(file)) else {}
    detected_values = _of_host(order, name, root)
    for line in differences(detected_values, said):
        print(f"note: {line}")
    return Description({}, version, order.power).completed({**detected_values, **said, **flags})


def _may_be_written(file: Path) -> bool:
    return file.suffix.lower() in (".yaml", ".yml")


def _of_host(order: Order, name: str, root: Path) -> Values:
    nodes = detected("1", "the runs use this host alone")
    label = Value(name, Origin.GIVEN, "--hw_name") if order.name else detected(name, "host name")
    return {**host.read(root, on_cpu=order.on_cpu), "number_of_nodes": nodes, "system_name": label}


def _ask(order: Order, found: Description, missing: list[str], file: Path) -> Description:
    """Questions on the terminal; the answers are kept in the file, so that they are asked for once."""
    assert order.ask is not None
    answers = {}
    for key in missing:
        about = f" ({meaning(key)})" if meaning(key) else ""
        answers[key] = order.ask(f"{key}{about}: ").strip()
    template.keep(file, found, answers)
    filled = found.completed({k: Value(text, Origin.GIVEN, "asked") for k, text in answers.items() if text})
    if still := [key for key in filled.missing() if key not in FROM_RUNS]:
        raise _incomplete(filled, still, file)
    return filled


def _incomplete(found: Description, missing: list[str], file: Path) -> DescriptionError:
    """All that is missing, and the file that asks for it (written here, unless there is one)."""
    if file.exists():
        listed = "\n".join(f"  {line}" for line in template.lines(missing))
        cause = f"{len(missing)} keys of the system description are missing; add to {file}:\n{listed}"
    else:
        template.write(file, found)
        listed = "\n".join(f"  {key}" for key in missing)
        cause = f"{len(missing)} keys of the system description cannot be detected:\n{listed}"
    return DescriptionError(cause, f"fill in {file} (it says what each means), then the same command again")


def _write(found: Description, order: Order, name: str, file: Path) -> Path:
    wrong = [one for one in found.objections() if one.key not in FROM_RUNS]
    if wrong and not order.demonstration:
        cause = "the system description is not acceptable:\n" + "\n".join(f"  {one}" for one in wrong)
        raise DescriptionError(cause, f"edit {file}, or the flags")
    folder = order.output / "systems"
    folder.mkdir(parents=True, exist_ok=True)
    for ending, text in ((".origins.json", found.origins_json()), (".json", found.to_json())):
        staging = folder / f".{name}{ending}.tmp"
        staging.write_text(text, encoding="utf-8")
        staging.replace(folder / f"{name}{ending}")
    return folder / f"{name}.json"
