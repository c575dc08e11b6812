"""The final report: sheets, numbers, page and JSON from the checker's table."""

import csv
import json
from pathlib import Path

import pytest
from mlperf_checker import check_tree, table
from mlperf_final_report import __main__ as command
from tests.checker import trees

openpyxl = pytest.importorskip("openpyxl")


def summary(tmp_path: Path, *kinds: str) -> Path:
    """The table of several submissions of one round."""
    tree = None
    for number, kind in enumerate(kinds):
        tree = trees.Tree(tmp_path / "tree", submitter=f"acme{number}", **trees.KINDS[kind]).build()
    assert tree is not None
    table.write(check_tree(tree.root, tree.version), tmp_path / "summary.csv")
    return tmp_path / "summary.csv"


def sheets(folder: Path) -> dict[str, list[tuple]]:
    book = openpyxl.load_workbook(folder / "final-report.xlsx")
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def test_a_sheet_per_suite_division_and_power(tmp_path: Path) -> None:
    path = summary(tmp_path, "open-v6.1", "power-v6.1", "closed-v6.1", "tokens-v6.1")
    assert command.main([str(path), "--repository", "https://example.org/results/"]) == 0
    found = sheets(tmp_path)
    assert list(found) == ["datacenter - closed", "edge - closed", "edge - open", "edge - open - power"]
    heads, line = found["edge - closed"][:3], found["edge - closed"][3]
    assert [head[-3:] for head in heads] == [
        ("resnet",) * 3,
        ("SingleStream", "MultiStream", "Offline"),
        ("Latency (ms)", "Latency (ms)", "Samples/s"),
    ]
    assert line[-3:] == (5.1, 40.5, 200.5)
    assert (line[0], line[2]) == ("6.1-0002", "acme2")
    assert len(found["edge - open"]) == 3 + 2
    assert [head[-2:] for head in found["edge - open - power"][2:3]] == [("Latency (ms)", "millijoules")]


def test_lines_keep_their_numbers(tmp_path: Path) -> None:
    path = summary(tmp_path, "open-v6.1")
    command.main([str(path)])
    first = sheets(tmp_path)["edge - open"][3][0]
    (tmp_path / "ids.json").write_text(json.dumps({"edge/open/acme0/box/resnet": 7}))
    command.main([str(path)])
    assert (first, sheets(tmp_path)["edge - open"][3][0]) == ("6.1-0001", "6.1-0007")


def test_the_json_merges_performance_and_power(tmp_path: Path) -> None:
    command.main([str(summary(tmp_path, "power-v6.1"))])
    (one,) = json.loads((tmp_path / "final-report_results.json").read_text())
    assert (one["Performance_Result"], one["Performance_Units"], one["Power_Units"]) == (
        5.1,
        "Latency (ms)",
        "millijoules",
    )
    assert one["UsedModel"] == "resnet"


def test_the_tier_has_a_column_where_the_table_has_one(tmp_path: Path) -> None:
    path = summary(tmp_path, "open-v6.1")
    rows = list(csv.DictReader(path.open()))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "tier"])
        writer.writeheader()
        writer.writerows([{**one, "tier": "synthetic"} for one in rows])
    assert command.main([str(path)]) == 0
    found = sheets(tmp_path)["edge - open"]
    assert found[3][found[2].index("Tier")] == "synthetic"


def test_text_of_others_stays_text(tmp_path: Path) -> None:
    path = summary(tmp_path, "open-v6.1")
    path.write_text(path.read_text().replace("a box", "=HYPERLINK(1)<script>\x07"))
    assert command.main([str(path)]) == 0
    book = openpyxl.load_workbook(tmp_path / "final-report.xlsx")
    cells = [cell for row in book["edge - open"].iter_rows() for cell in row if "HYPERLINK" in str(cell.value)]
    assert [cell.data_type for cell in cells] == ["s"]
    assert "<script>" not in (tmp_path / "final-report.html").read_text()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("", "has no results"),
        ("a,b\n1,2\n", "no column"),
        (b"\xff\xfe", "cannot be read"),
        ("number", "is no number"),
    ],
)
def test_a_table_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | bytes | None, said: str
) -> None:
    path = summary(tmp_path, "open-v6.1")
    if content is None:
        path.unlink()
    elif content == "number":
        path.write_text(path.read_text().replace('"5.1"', '"fast"'))
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert command.main([str(path)]) == 1
    output = capsys.readouterr().err
    assert said in output
    assert "submission checker" in output


def test_numbers_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = summary(tmp_path, "open-v6.1")
    (tmp_path / "ids.json").write_text("[1]")
    assert command.main([str(path)]) == 1
    assert "remove it" in capsys.readouterr().err
