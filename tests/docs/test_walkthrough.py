"""The tutorial is run word for word and every benchmark command is planned, so that pages cannot go out of date."""

import os
import re
from pathlib import Path

import pytest
import yaml

from .conftest import ROOT
from .walkthrough import Command, File, first_missing, steps, walk

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BENCHMARK = re.compile(r"^\./(cmr \"run [^#\n]*)", re.MULTILINE)


def test_add_a_script(tmp_path: Path, reader: dict[str, str]):
    (tmp_path / "reader").mkdir()
    assert walk(ROOT / "docs" / "add-a-script.md", tmp_path / "reader", reader) > 10


def benchmarks() -> set[str]:
    fences = (fence for page in PAGES for fence in SHELL.findall(page.read_text()))
    return {command.strip() for fence in fences for command in BENCHMARK.findall(fence)}


def test_every_benchmark_command_on_the_pages_can_be_planned(tmp_path: Path, reader: dict[str, str]):
    assert len(benchmarks()) > 3
    for command in sorted(benchmarks()):
        # the reader may have a GPU that the machine under test lacks
        assumed = " --assume.accelerator=cuda" if "_cuda" in command else ""
        Command(f"{command} --plan{assumed}", ("… steps: …",)).perform(tmp_path, reader)


def test_every_choice_in_getting_started_exists():
    page = (ROOT / "docs" / "getting-started.md").read_text()
    table = page[page.index("| to choose |") : page.index("A wrong name")]
    manifest = yaml.safe_load((ROOT / "script" / "run-mlperf-inference" / "_cm.yaml").read_text())
    assert set(re.findall(r"`_([\w-]+)`", table)) - set(manifest["variations"]) == set()
    found = (ROOT / "script").glob("get-mlperf-inference-task-*/_cm.yaml")
    tasks = [yaml.safe_load(path.read_text()) for path in found]
    borrowed = {name for task in tasks for name in task["inputs"]}
    assert set(re.findall(r"`--(\w+)`", table)) - set(manifest["inputs"]) - borrowed == set()


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
