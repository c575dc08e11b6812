"""The command line, the comparison, and a folder that is no submission."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mlperf_checker import __main__ as command
from mlperf_checker import check_tree, conduct, screen, upstream
from mlperf_checker.layout import Place
from tests.checker import trees
from tests.checker.mutations import MUTATIONS


def test_a_good_tree_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = trees.build(tmp_path / "tree", "open-v6.1")
    assert command.main([str(tree.root), "--csv", str(tmp_path / "s.csv"), "--json", str(tmp_path / "s.json")]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("v6.1: 1 of 1 results can be submitted")
    said = json.loads((tmp_path / "s.json").read_text())
    assert (said["ok"], said["results"][0]["value"]) == (True, 5.1)


def test_findings_end_with_1_and_a_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = trees.build(tmp_path, "open-v6.1")
    MUTATIONS["result INVALID"].break_it(tree)
    assert command.main([str(tree.root), "--version", "v6.1"]) == 1
    output = capsys.readouterr().out
    assert "INVALID" in output.splitlines()[0]
    assert "run again" in output
    assert "0 of 1 results" in output.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["{}/nowhere"], "there is no folder"), (["{}", "--version", "v6.11"], "did you mean 'v6.1'")],
)
def test_what_cannot_be_checked_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert command.main([one.format(tmp_path) for one in arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["open-v6.0", "open-v5.1", "open-v4.1"])
def test_the_seeds_tell_the_round(tmp_path: Path, kind: str) -> None:
    tree = trees.build(tmp_path, kind)
    assert conduct.round_of(tree.root) == tree.version
    MUTATIONS["wrong seed"].break_it(tree)
    assert conduct.round_of(tree.root) == "v6.1"


def test_seeds_of_another_round_are_told_with_its_name(tmp_path: Path) -> None:
    tree = trees.build(tmp_path, "open-v6.0")
    said = [one for one in check_tree(tree.root, "v6.1").findings if one.rule == "seeds"]
    assert "--version v6.0" in said[0].remedy


def test_a_folder_without_a_submission(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    assert "no-submission" in {one.rule for one in check_tree(tmp_path, "v6.1").errors}


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlperf_checker import folders

    tree, scandir = trees.build(tmp_path, "open-v6.1"), folders.os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("src"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(folders.os, "scandir", refuse)
    assert "link" in {one.rule for one in check_tree(tree.root, "v6.1").errors}


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree, read = trees.build(tmp_path, "open-v6.1"), Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "mlperf_log_detail.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    report = check_tree(tree.root, "v6.1")
    assert {"performance-log", "accuracy-log"} <= {one.rule for one in report.errors}
    assert not report.verdicts[0].ok


def test_missing_power_keys_are_a_remark(tmp_path: Path) -> None:
    report = check_tree(trees.build(tmp_path, "power-v6.1").root, "v6.1")
    assert "system-power-key" in {one.rule for one in report.warnings}


def test_the_power_measurements_own_rules_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlperf_checker.rules import power
    from mlperf_power import Finding

    tree = trees.build(tmp_path, "power-v6.1")
    said: list[tuple[Path, str]] = []

    def check(folder: Path, version: str) -> list[Finding]:
        said.append((folder, version))
        return [Finding("uuids", "error", str(folder / "power" / "client.json"), "two sessions", "measure again")]

    monkeypatch.setattr(power, "_power_checks", lambda: check)
    report = check_tree(tree.root, "v6.1")
    assert said == [(tree.result() / "performance", "v6.1")]
    assert [(one.rule, one.path.split("/")[-1]) for one in report.errors] == [("power-measurement", "client.json")]
    monkeypatch.setattr(power, "_power_checks", lambda: None)
    assert "power-measurement" in {one.rule for one in check_tree(tree.root, "v6.1").warnings}


def test_a_thousand_findings_fit_on_the_screen(tmp_path: Path) -> None:
    tree = trees.build(tmp_path, "open-v6.1")
    for number in range(1000):
        trees.write(tree.code / f"my file {number}", "x")
    report = check_tree(tree.root, "v6.1")
    assert len(report.errors) == 1000
    assert len(list(screen.lines(report))) < 10
    assert len(list(screen.lines(report, everything=True))) > 1000


FAKE = """
import argparse, pathlib
parser = argparse.ArgumentParser()
for name in ("input", "version", "csv", "submitter"):
    parser.add_argument("--" + name)
options = parser.parse_args()
head = "Organization,Division,Platform,Model,Scenario,Result\\n"
pathlib.Path(options.csv).write_text(head + "acme,open,box,resnet,singlestream,{value}\\n")
print("SUMMARY: submission looks OK")
"""


def theirs(tmp_path: Path, value: str, root: Path) -> upstream.Theirs:
    checker = tmp_path / "theirs.py"
    checker.write_text(FAKE.replace("{value}", value))
    return upstream.run(checker, root, "v6.1", "acme")


def test_the_comparison_tells_verdicts_and_numbers(tmp_path: Path) -> None:
    tree = trees.build(tmp_path / "tree", "open-v6.1")
    report = check_tree(tree.root, "v6.1")
    assert list(upstream.differences(report, theirs(tmp_path, "5.1", tree.root))) == []
    assert "ours 5.1, upstream 6.0" in next(upstream.differences(report, theirs(tmp_path, "6.0", tree.root)))
    MUTATIONS["wrong seed"].break_it(tree)
    different = list(upstream.differences(check_tree(tree.root, "v6.1"), theirs(tmp_path, "5.1", tree.root)))
    assert different == ["open/acme/box/resnet/SingleStream: ours fails (seeds), upstream passes"]


def test_a_crash_of_theirs_is_told(tmp_path: Path) -> None:
    tree = trees.build(tmp_path / "tree", "open-v6.1")
    (tmp_path / "theirs.py").write_text("raise KeyError('x')")
    found = upstream.run(tmp_path / "theirs.py", tree.root, "v6.1")
    assert found.crashed
    assert "traceback" in "\n".join(upstream.lines(check_tree(tree.root, "v6.1"), found, 1.0))


def test_no_checker_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = trees.build(tmp_path / "tree", "open-v6.1")
    assert command.main([str(tree.root), "--upstream", str(tmp_path)]) == 2
    assert "git clone" in capsys.readouterr().err


def test_it_runs_without_cm(tmp_path: Path) -> None:
    tree = trees.build(tmp_path / "tree", "open-v6.1")
    where = Path(command.__file__).parents[1]
    words = [sys.executable, "-m", "mlperf_checker", str(tree.root)]
    done = subprocess.run(words, cwd=where, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_places_print_as_paths() -> None:
    assert str(Place("open", "acme", "box", "resnet", "Offline")) == "open/acme/box/resnet/Offline"
