"""What is in a crate: everything that is needed, nothing secret, and the same bytes each time."""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.workbench import CommandLine

from .conftest import SECRET, capture, run_of

VALIDATE = Path(__file__).with_name("validate_offline.py")


@pytest.fixture(scope="session")
def crate(studied: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked crate."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(studied / "a" / "work" / "crate.zip") as archive:
        archive.extractall(folder)
    return folder


def metadata(crate: Path) -> dict[str, dict]:
    graph = json.loads((crate / "ro-crate-metadata.json").read_text())["@graph"]
    return {entity["@id"]: entity for entity in graph}


class TestContents:
    def test_all_parts_are_there_and_listed_with_their_hashes(self, crate: Path):
        files = {path.relative_to(crate).as_posix(): path for path in crate.rglob("*") if path.is_file()}
        names = {name.rpartition("/")[2] for name in files}
        parts = {"lock.json", "request.json", "facts.json", "sbom.spdx.json", "croissant.json", "report.html"}
        assert parts | {"README.md", "result.json", "study.log", "ro-crate-metadata.json"} == names
        listed = {name: entity for name, entity in metadata(crate).items() if entity["@type"] == "File"}
        assert listed.keys() == files.keys() - {"ro-crate-metadata.json"}
        for name, entity in listed.items():
            assert entity["sha256"] == hashlib.sha256(files[name].read_bytes()).hexdigest()

    def test_results_are_a_results_folder_like_any_other(self, crate: Path, line: CommandLine):
        shown = line("cm", "show", "experiment", f"--results_dir={crate / 'results'}")
        assert shown.returncode == 0
        assert shown.stdout.splitlines()[1].split()[:2] == ["sha256", "Offline"]

    def test_no_secret_is_in_any_file(self, crate: Path, line: CommandLine):
        assert SECRET in (run_of(line) / "offline" / "performance" / "study.log").read_text()
        assert [path for path in crate.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()] == []
        (log,) = crate.rglob("study.log")
        assert "login <redacted>" in log.read_text()

    def test_the_run_is_an_action_with_inputs_and_outputs(self, crate: Path):
        entities = metadata(crate)
        (action,) = (entity for entity in entities.values() if entity["@type"] == "CreateAction")
        assert {"@id": "lock.json"} in action["object"]
        assert any(one["@id"].endswith("result.json") for one in action["result"])


def test_the_working_folder_is_no_password(monkeypatch: pytest.MonkeyPatch):
    from cm4bench_crates.redaction import cleaner_for

    monkeypatch.setenv("PWD", "/home/reader/study")
    monkeypatch.setenv("STUDY_TOKEN", SECRET)
    assert cleaner_for([]).data({"log": f"/home/reader/study {SECRET}"}) == {"log": "/home/reader/study <redacted>"}


def test_a_file_that_is_no_text_is_not_handed_on_with_a_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from cm4bench_crates.errors import CrateError
    from cm4bench_crates.redaction import cleaner_for

    monkeypatch.setenv("STUDY_TOKEN", SECRET)
    (tmp_path / "core").write_bytes(b"\xff\xfe" + SECRET.encode())
    with pytest.raises(CrateError, match="holds a secret"):
        cleaner_for([]).content(tmp_path / "core")


class TestValidators:
    """The libraries of the formats themselves read what we write."""

    def test_rocrate_reads_it(self, crate: Path):
        from rocrate.rocrate import ROCrate

        read = ROCrate(crate)
        assert read.root_dataset["license"] is not None
        assert len(list(read.data_entities)) == 9

    def test_spdx_tools_accept_the_bill_of_materials(self, crate: Path):
        from spdx_tools.spdx.parser.parse_anything import parse_file
        from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

        document = parse_file(str(crate / "sbom.spdx.json"))
        assert validate_full_spdx_document(document) == []
        licences = {package.name: str(package.license_declared) for package in document.packages}
        assert licences["measure-hashing"] == licences["get-samples"] == "MIT"

    @pytest.mark.skipif(importlib.util.find_spec("mlcroissant") is None, reason="needs mlcroissant")
    def test_mlcroissant_accepts_the_description_of_the_data(self, crate: Path):
        import mlcroissant

        read = mlcroissant.Dataset(jsonld=str(crate / "croissant.json"))
        (file,) = read.metadata.distribution
        assert file.id == "get-samples/samples.txt"
        assert file.sha256 == hashlib.sha256("".join(f"{n}\n" for n in range(1, 1001)).encode()).hexdigest()

    @pytest.mark.slow
    @pytest.mark.skipif(shutil.which("rocrate-validator") is None, reason="needs rocrate-validator (own environment)")
    def test_rocrate_validator_accepts_the_crate(self, crate: Path):
        import rocrate

        program = Path(str(shutil.which("rocrate-validator")))
        python = program.read_text().splitlines()[0].removeprefix("#!")
        context = Path(rocrate.__file__).with_name("data") / "ro-crate.jsonld"
        done = subprocess.run([python, str(VALIDATE), str(crate), str(context)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


class TestSameInputSameBytes:
    @pytest.mark.parametrize("name", ["again.zip", "first.tar.gz"])
    def test_archives(self, line: CommandLine, name: str):
        other = line.cwd / f"other-{name}"
        for target in (line.cwd / name, other):
            assert capture(line, f"--output={target}").returncode == 0
        assert (line.cwd / name).read_bytes() == other.read_bytes()

    def test_the_first_packing_too_which_made_the_lock(self, line: CommandLine):
        assert capture(line, "--output=later.zip").returncode == 0
        assert (line.cwd / "later.zip").read_bytes() == (line.cwd / "crate.zip").read_bytes()

    def test_a_tar_names_nobody_and_no_time(self, line: CommandLine):
        assert capture(line, "--output=plain.tar.gz").returncode == 0
        with tarfile.open(line.cwd / "plain.tar.gz") as archive:
            assert {(member.mtime, member.uid, member.uname) for member in archive} == {(0, 0, "")}


def runs_of(line: CommandLine) -> set[Path]:
    """The runs in the folder of repeats."""
    return set((line.cwd / "twice").glob("*"))


def test_other_runs_of_the_same_experiment_come_along_as_repeats(line: CommandLine, tmp_path: Path):
    made: list[Path] = []
    for seconds in ("0.05", "0.05", "0.02"):
        flags = ("--results_dir=twice", f"--study_token={SECRET}", f"--env.CM_STUDY_SECONDS={seconds}")
        flags = (*flags, "--other=yes") if seconds == "0.02" else flags
        before = runs_of(line)
        assert line("cmr", "measure hashing", *flags).returncode == 0
        # by what is new: names of runs within one second do not sort by time
        made.append(*(runs_of(line) - before))
    second = made[1]
    done = line("cm", "capture", "experiment", second.name, "--results_dir=twice", f"--output={tmp_path / 'crate'}")
    assert done.returncode == 0, done.stdout + done.stderr
    (repeat,) = (tmp_path / "crate" / "repeats").glob("*/offline/result.json")
    assert repeat.parents[1].name != second.name
    assert SECRET not in repeat.read_text()


class TestRefusals:
    def test_an_unknown_result(self, line: CommandLine):
        done = line("cm", "capture", "experiment", "20200101-nothing")
        assert done.returncode != 0
        assert "no result 20200101-nothing" in done.stdout + done.stderr

    def test_a_log_that_was_changed_after_the_run(self, line: CommandLine, tmp_path: Path):
        copy = shutil.copytree(run_of(line), tmp_path / run_of(line).name)
        with (copy / "offline" / "performance" / "study.log").open("a") as log:
            log.write("count 1000000\n")
        done = line("cm", "capture", "experiment", str(copy))
        assert done.returncode != 0
        assert "study.log was changed after the run" in done.stdout + done.stderr

    def test_a_lock_of_another_run(self, line: CommandLine):
        assert line("cmr", "get dataset samples", "--lock=other.json").returncode == 0
        done = capture(line, "--lock=other.json", "--output=wrong.zip")
        assert done.returncode != 0
        assert "is not of this result" in done.stdout + done.stderr
        assert not (line.cwd / "wrong.zip").exists()

    def test_an_id_that_leaves_the_results_folder(self, line: CommandLine):
        done = line("cm", "capture", "experiment", "../../../etc")
        assert done.returncode != 0
        assert "no result ../../../etc" in done.stdout + done.stderr

    def test_a_folder_with_something_in_it(self, line: CommandLine, tmp_path: Path):
        (tmp_path / "mine").write_text("precious")
        done = capture(line, f"--output={tmp_path}")
        assert done.returncode != 0
        assert (tmp_path / "mine").read_text() == "precious"
