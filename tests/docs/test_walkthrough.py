"""The tutorial is run word for word, so it cannot go out of date."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .walkthrough import Command, File, first_missing, steps, walk

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reader(tmp_path: Path) -> dict[str, str]:
    """The surroundings of somebody who has cm4bench: `cm` and `cmr` on the PATH, and a CM home."""
    (tmp_path / "bin").mkdir()
    for name, function in {"cm": "run", "cmr": "run_script"}.items():
        command = tmp_path / "bin" / name
        command.write_text(
            f"#!/bin/sh\nexec '{sys.executable}' -c 'from cmind.cli import {function}; {function}()' \"$@\"\n"
        )
        command.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CM_REPOS": str(tmp_path / "CM"), "HOME": str(tmp_path)}
    subprocess.run(["cm", "add", "repo", f"--path={ROOT}"], env=environment, check=True, capture_output=True)
    return environment


def test_add_a_script(tmp_path: Path, reader: dict[str, str]):
    (tmp_path / "reader").mkdir()
    assert walk(ROOT / "docs" / "add-a-script.md", tmp_path / "reader", reader) > 10


PAGE = """
```sh
not run
```

```yaml title="a/b.yaml"
x: 1
```

```console
$ echo one; echo two
one
$ false
error: …
```
"""


def test_a_page_is_read_as_files_and_commands():
    assert list(steps(PAGE)) == [
        File("a/b.yaml", "x: 1\n"),
        Command("echo one; echo two", ("one",)),
        Command("false", ("error: …",)),
    ]


@pytest.mark.parametrize(
    ("expected", "missing"),
    [(("one", "three"), None), (("t…o",), None), (("three", "one"), "one"), (("on",), "on"), ((), None)],
)
def test_promised_lines_must_come_in_order(expected, missing):
    assert first_missing(expected, "one\ntwo\nthree\n") == missing


@pytest.mark.parametrize("command", [Command("false", ()), Command("true", ("error: no",)), Command("echo a", ("b",))])
def test_a_wrong_promise_is_found(command: Command, tmp_path: Path):
    with pytest.raises(AssertionError):
        command.perform(tmp_path, os.environ)
