"""A crate that tells two stories is not believed: each contradiction is named, and nothing is run."""

import json
from pathlib import Path
from typing import Any

import pytest

from cm4bench_crates.errors import CrateError
from cm4bench_crates.verification import read

from .forging import edit_json, forge_lock, relist, unpacked


@pytest.fixture
def crate(studied: Path, tmp_path: Path) -> Path:
    return unpacked(studied / "a" / "work" / "crate.zip", tmp_path / "crate")


def test_an_honest_crate_has_no_problems(crate: Path):
    contents = read(crate)
    assert contents.problems == ()
    assert len(contents.records) == 1


def test_a_changed_file(crate: Path):
    (log,) = crate.rglob("study.log")
    log.write_text(log.read_text().replace("count", "count 9"))
    (problem,) = read(crate).problems
    assert problem == f"{log.relative_to(crate)}: its sha256 is not the one in ro-crate-metadata.json"


def test_a_missing_and_an_added_file(crate: Path):
    (crate / "report.html").rename(crate / "extra.html")
    assert read(crate).problems == ("report.html: listed, and not there", "extra.html: there, and not listed")


def test_a_listed_file_outside_of_the_crate(crate: Path):
    (crate.parent / "outside").write_text("")
    edit_json(
        crate / "ro-crate-metadata.json",
        lambda data: data["@graph"].append({"@id": "../outside", "@type": "File", "sha256": "0" * 64}),
    )
    assert read(crate).problems == ("../outside: listed, and outside of the crate",)


def test_an_edited_lock(crate: Path):
    path = crate / "lock.json"
    path.write_text(path.read_text().replace('"get-samples"', '"get-other"'))
    with pytest.raises(CrateError, match=r"the lock lies: lock\.json was edited since it was written"):
        read(crate)


def test_a_forged_host_fact(crate: Path):
    forge_lock(crate, lambda lock: lock["host"].update({"cpu.count": 128}))
    (problem,) = read(crate).problems
    assert problem.startswith("host fact cpu.count: the facts and the lock differ")
    assert problem.endswith("is 128")


def test_a_forged_package(crate: Path):
    package = {"name": "hashlib", "version": "0.1"}
    forge_lock(crate, lambda lock: lock["steps"][0].update({"packages": [package]}))
    problems = read(crate).problems
    assert "hashlib: the lock says 0.1, the bill of materials nothing" in problems
    assert any(problem.startswith("hashlib: the lock says 0.1, the result says 3.") for problem in problems)


def test_a_lock_of_another_request(crate: Path):
    def change(lock: Any) -> None:
        lock["request"]["tags"] = "get,dataset,samples"
        lock["steps"] = [step for step in lock["steps"] if step["alias"] == "get-samples"]

    forge_lock(crate, change)
    (problem,) = read(crate).problems
    assert problem.startswith("the lock is of “get,dataset,samples”, the result")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"@graph": [1]}', '{"@graph": 7}', "\x00"])
def test_metadata_that_cannot_be_read(crate: Path, content: str):
    (crate / "ro-crate-metadata.json").write_text(content)
    with pytest.raises(CrateError, match=r"ro-crate-metadata\.json cannot be read"):
        read(crate)


@pytest.mark.parametrize("name", ["facts.json", "sbom.spdx.json"])
@pytest.mark.parametrize("content", ["", "[1]", "{}x", '{"packages": [1]}', '{"host": 1}'])
def test_parts_that_cannot_be_read_are_named(crate: Path, name: str, content: str):
    (crate / name).write_text(content)
    relist(crate, name)
    assert any(name.split(".")[0] in problem or "fact" in problem for problem in read(crate).problems)


def test_a_record_that_cannot_be_read(crate: Path):
    (record,) = crate.rglob("result.json")
    record.write_text(json.dumps({"schema_version": 99}))
    with pytest.raises(CrateError, match="result schema 99"):
        read(crate)
