"""A crate made on one machine is reproduced on another, through the real `cm`: what differs there is named."""

import json
import shutil
from pathlib import Path

import pytest
from tests.workbench import CommandLine

from .conftest import SECRET, capture, reopened
from .forging import forge_lock, unpacked
from .study import clone

# Some twenty runs of the real `cm`, one after the other.
pytestmark = pytest.mark.slow

# Hashing on a busy machine: figures may move by anything, and these tests are not about that.
ANYTHING = ("--tolerance=1000", f"--study_token={SECRET}")


@pytest.fixture(scope="module")
def elsewhere(studied: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another machine: a clone of the study and an empty CM home."""
    base = tmp_path_factory.mktemp("elsewhere")
    clone(base / "b", Path(shutil.copytree(studied / "study", base / "study")))
    return base


@pytest.fixture
def there(elsewhere: Path) -> CommandLine:
    return reopened(elsewhere / "b")


@pytest.fixture
def crate(studied: Path) -> str:
    return str(studied / "a" / "work" / "crate.zip")


def report(line: CommandLine, folder: str) -> dict:
    return json.loads((line.cwd / folder / "reproduction.json").read_text())


@pytest.mark.skipif(shutil.which("taskset") is None, reason="needs taskset")
def test_a_changed_fact_is_named_and_the_result_reproduced(there: CommandLine, crate: str):
    cm = str(shutil.which("cm", path=f"{Path(__import__('sys').executable).parent}"))
    done = there("taskset", "-c", "0", cm, "reproduce", "experiment", crate, "--results_dir=one", *ANYTHING)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cpu.usable: was" in done.stdout
    assert "Results Reproduced: yes" in done.stdout
    found = report(there, "one")
    assert found["reproduced"]
    assert any(line.startswith("host: cpu.usable: was ") and line.endswith("is 1") for line in found["changed"])
    assert [figure["metric"] for figure in found["figures"]] == ["samples per second", "digest"]
    page = (there.cwd / "one" / "reproduction.html").read_text()
    assert "cpu.usable" in page and "Results Reproduced" in page


def test_a_secret_has_to_be_given_again(there: CommandLine, crate: str):
    done = there("cm", "reproduce", "experiment", crate, "--results_dir=secret")
    assert done.returncode == 3
    assert "--study_token was given when the lock was made" in done.stdout + done.stderr
    assert report(there, "secret")["badges"][1]["missing"]


def test_a_figure_outside_of_the_tolerance_is_not_reproduced(there: CommandLine, crate: str):
    done = there("cm", "reproduce", "experiment", crate, "--results_dir=zero", "--tolerance=0", ANYTHING[1])
    assert done.returncode == 3
    assert "not reproduced" in done.stdout + done.stderr
    available, functional, reproduced = report(there, "zero")["badges"]
    assert (available["holds"], functional["holds"], reproduced["holds"]) == (False, True, False)


def test_an_edited_recipe_stands_in_the_way_until_it_is_accepted(elsewhere: Path, there: CommandLine, crate: str):
    script = elsewhere / "study" / "script" / "get-samples" / "run.sh"
    before = script.read_text()
    script.write_text(before + "# edited\n")
    try:
        done = there("cm", "reproduce", "experiment", crate, "--results_dir=edited", *ANYTHING)
        assert done.returncode == 3
        assert "not as locked; nothing was run" in done.stdout + done.stderr
        assert "run.sh edited" in done.stdout + done.stderr
        accepted = there("cm", "reproduce", "experiment", crate, "--results_dir=edited", "--accept=recipe", *ANYTHING)
        assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    finally:
        script.write_text(before)


def test_a_lock_that_lies_about_data_is_found_out_by_the_run(crate: str, there: CommandLine, tmp_path: Path):
    folder = unpacked(Path(crate), tmp_path / "crate")
    samples = next(step for step in json.loads((folder / "lock.json").read_text())["steps"] if step.get("data"))

    def change(lock: dict) -> None:
        step = next(step for step in lock["steps"] if step["alias"] == samples["alias"])
        step["data"][0].update(sha256="0" * 64, portable_sha256="")

    forge_lock(folder, change)
    done = there("cm", "reproduce", "experiment", str(folder), "--results_dir=lie", "--accept=data", *ANYTHING)
    assert "data: get-samples, CM_SAMPLES_FILE: was samples.txt" in done.stdout
    done = there("cm", "reproduce", "experiment", str(folder), "--results_dir=lie", *ANYTHING)
    assert done.returncode == 3
    assert "sha256 000000000000…" in done.stdout + done.stderr


def test_a_crate_that_contradicts_itself_is_not_run(crate: str, there: CommandLine, tmp_path: Path):
    folder = unpacked(Path(crate), tmp_path / "crate")
    forge_lock(folder, lambda lock: lock["host"].update({"cpu.count": 128}))
    done = there("cm", "reproduce", "experiment", str(folder), "--results_dir=forged", *ANYTHING)
    assert done.returncode == 3
    assert "host fact cpu.count" in done.stdout + done.stderr
    assert report(there, "forged")["results"] == []


def test_a_missing_repository_is_named(crate: str, tmp_path: Path):
    bare = CommandLine(tmp_path)
    from tests.workbench import ROOT

    assert bare("cm", "add", "repo", f"--path={ROOT}").returncode == 0
    done = bare("cm", "reproduce", "experiment", crate, *ANYTHING)
    assert done.returncode == 3
    assert "the lock needs the repository study" in done.stdout + done.stderr


def test_a_hostile_title_stays_text(line: CommandLine, there: CommandLine):
    title = "<script>alert(1)</script> | [x](javascript:y)"
    assert capture(line, "--output=hostile.zip", f"--title={title}").returncode == 0
    there("cm", "reproduce", "experiment", str(line.cwd / "hostile.zip"), "--results_dir=hostile")
    assert "<script>" not in (there.cwd / "hostile" / "reproduction.html").read_text()
    assert "[x](" not in (there.cwd / "hostile" / "reproduction.md").read_text()


@pytest.mark.parametrize("flags", [("--tolerance=much",), ("--tolerance=-1",), ("--accept=everything",)])
def test_flags_that_mean_nothing(there: CommandLine, crate: str, flags: tuple[str]):
    done = there("cm", "reproduce", "experiment", crate, *flags)
    assert done.returncode == 1
    assert flags[0].partition("=")[0] in done.stdout + done.stderr
