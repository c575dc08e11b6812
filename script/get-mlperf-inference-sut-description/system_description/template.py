"""The file that asks for what is missing, and says what was found."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from system_description.description import FROM_RUNS, Description
from system_description.questions import meaning

_HEAD = """\
# What this host could not tell about the system. Fill in the empty ones; anything detected may be given too and then
# goes before what was detected.
"""


def write(path: Path, description: Description) -> None:
    """Write the template; a file that exists is never touched.

    Raises:
        FileExistsError, OSError: where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(text(description))


def text(description: Description) -> str:
    """YAML: a line for each missing key with its meaning, then what was detected, as comments."""
    missing = [key for key in description.missing() if key not in FROM_RUNS]
    known = [
        f"# {key}: {json.dumps(value.text, ensure_ascii=False)}  # {value.origin.value}"
        for key, value in sorted(description.values.items())
        if value.text
    ]
    return "\n".join([_HEAD, *lines(missing), "", "# found:", *known, ""])


def lines(missing: Iterable[str]) -> list[str]:
    """`key: ""` with its meaning above."""
    found: list[str] = []
    for key in missing:
        found += [f"# {meaning(key)}"] if meaning(key) else []
        found.append(f'{key}: ""')
    return found


def keep(path: Path, description: Description, answers: dict[str, str]) -> None:
    """Write the answers down: into a new template, or as further lines of the YAML file that is there."""
    lines_of = {key: f"{key}: {json.dumps(answer, ensure_ascii=False)}" for key, answer in answers.items() if answer}
    if path.exists():
        with path.open("a", encoding="utf-8") as file:
            file.write("\n" + "".join(f"{line}\n" for line in lines_of.values()))
        return
    filled = text(description)
    for key, line in lines_of.items():
        filled = filled.replace(f'\n{key}: ""', f"\n{line}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(filled, encoding="utf-8")
