"""Whatever bytes a file holds, the checker ends with findings and never with an exception."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlperf_checker import check_tree, screen
from mlperf_checker.detaillog import parse
from mlperf_checker.report import Report
from mlperf_checker.scores import hash_of, scores
from tests.checker import logs, trees

VALUES = (None, True, -1, 0, 1.5, 10**400, "", "x", [], {}, [[]], {"a": None}, float("inf"), "\ud800", 2**70)


def looked_at(report: Report) -> None:
    """Every rule could do its work, and the report can be printed."""
    assert not [str(one) for one in report.findings if "could not look" in one.cause]
    "\n".join(screen.lines(report, everything=True)).encode()


@pytest.mark.parametrize("kind", ["closed-v6.1", "power-v6.1", "tokens-v6.1", "open-v5.1", "open-v4.1"])
@pytest.mark.parametrize("seed", range(4))
def test_spoilt_files(tmp_path: Path, kind: str, seed: int) -> None:
    chance = random.Random(f"{kind} {seed}")
    tree = trees.build(tmp_path, kind)
    for path in sorted(one for one in tree.root.rglob("*") if one.is_file()):
        content = bytearray(path.read_bytes())
        match chance.randrange(6):
            case 0:
                content = content[: chance.randrange(len(content) + 1)]
            case 1:
                for _ in range(chance.randrange(1, 20)):
                    content[chance.randrange(len(content))] = chance.randrange(256)
            case 2:
                content = bytearray(chance.randbytes(200))
            case 3:
                path.unlink()
                continue
        path.write_bytes(content)
    looked_at(check_tree(tree.root, tree.version))


@pytest.mark.parametrize("kind", ["closed-v6.1", "tokens-v6.1", "power-v6.1", "open-v4.1"])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_odd_values_in_logs(tmp_path: Path, kind: str, value: object) -> None:
    tree = trees.build(tmp_path, kind)
    for path in tree.root.rglob("mlperf_log_detail.txt"):
        lines = path.read_text().splitlines()
        keys = [line.split('"')[3] for line in lines]
        kept = {"result_validity": "VALID", "power_end": logs.END, "effective_scenario": "Offline"}
        path.write_text(logs.detail({key: kept.get(key, value) for key in keys}))
    looked_at(check_tree(tree.root, tree.version))


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_odd_values_in_json(tmp_path: Path, value: object) -> None:
    tree = trees.build(tmp_path, "power-v6.1")
    tree.json(tree.measurements_json, lambda said: said.update(dict.fromkeys(said, value)))
    looked_at(check_tree(tree.root, "v6.1"))
    tree.json(tree.description, lambda said: said.update(dict.fromkeys(said, value), is_network=value))
    looked_at(check_tree(tree.root, "v6.1"))
    trees.write(tree.home / "model_mapping.json", "{}")
    tree.json(tree.home / "model_mapping.json", lambda said: said.update({"resnet": value, "mynet": value}))
    tree.model.rename(tree.model.with_name("mynet"))
    looked_at(check_tree(tree.root, "v6.1"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_log(content: bytes) -> None:
    log = parse(b":::MLLOG " + content)
    assert log.num_errors >= 0
    for key in log.values:
        log.get(key), log.number(key), log.text(key)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_a_score(text: str) -> None:
    metrics = ("acc", "F1", "mAP", "ROUGE1", "E2E_ACCURACY")
    assert all(float(one) >= 0 for one in scores(text + "\naccuracy=" + text, metrics).values())
    hash_of(text)


def test_thousands_of_files_and_deep_folders(tmp_path: Path) -> None:
    tree = trees.build(tmp_path, "open-v6.1")
    for number in range(3000):
        (tree.code / f"f{number}").touch()
    deep = tree.code
    for _ in range(80):
        deep = deep / "d"
    deep.mkdir(parents=True)
    report = check_tree(tree.root, "v6.1")
    looked_at(report)
    assert {one.rule for one in report.errors} == {"link"}


def test_a_log_with_a_million_lines_is_read(tmp_path: Path) -> None:
    tree = trees.build(tmp_path, "open-v6.1")
    with (tree.performance() / "mlperf_log_detail.txt").open("a") as file:
        file.write(logs.entry("error_runtime", "bad", is_error=True).replace(", ", ",") + "\n")
        file.writelines(logs.entry("generic_message", "x") + "\n" for _ in range(100_000))
    report = check_tree(tree.root, "v6.1")
    assert {one.rule for one in report.errors} == {"loadgen-errors"}
