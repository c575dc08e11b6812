"""The default image model: packed in one clone of this repository, reproduced in another with a changed fact."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.workbench import ROOT

from cm4bench_results import ResultStore

NEEDED = ("mlperf_loadgen", "torch", "efficientnet_lite_pytorch")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(any(importlib.util.find_spec(name) is None for name in NEEDED), reason=f"needs {NEEDED}"),
    pytest.mark.skipif(shutil.which("taskset") is None, reason="needs taskset"),
]
CODE = ("automation", "script", "cmr.yaml", "constraints.txt", "LICENSE")


class Machine:
    """A clone of this repository and a CM home of its own."""

    def __init__(self, base: Path) -> None:
        self.cwd = base
        (base / "clone").mkdir(parents=True)
        for name in CODE:
            source, target = ROOT / name, base / "clone" / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, target)
        done = self("cm", "add", "repo", f"--path={base / 'clone'}")
        assert done.returncode == 0, done.stderr

    def __call__(self, *command: str) -> subprocess.CompletedProcess[str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "CM_REPOS": str(self.cwd / "CM"), "HOME": str(self.cwd), "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, cwd=self.cwd, env={**os.environ, **own}, capture_output=True, text=True)


@pytest.mark.timeout(1800)
def test_a_crate_of_one_clone_is_reproduced_in_another(tmp_path: Path):
    first = Machine(tmp_path / "a")
    done = first("cmr", "run mlperf inference _offline", "--threads=1", "--min_duration=500", "--results_dir=study")
    assert done.returncode == 0, done.stdout + done.stderr
    (stored,) = ResultStore(first.cwd / "study").records()
    done = first("cm", "capture", "experiment", stored.record.id.split("/")[0], "--results_dir=study", "--output=c.zip")
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(first.cwd / "c.zip") as archive:
        archive.extractall(first.cwd / "c")
    accepted_by_their_libraries(first.cwd / "c")

    other = Machine(tmp_path / "b")
    crate = str(first.cwd / "c.zip")
    # two busy cores make figures move by anything; accuracy may not move at all
    flags = ("--results_dir=here", "--tolerance=1000%")
    done = other("taskset", "-c", "0", "cm", "reproduce", "experiment", crate, *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((other.cwd / "here" / "reproduction.json").read_text())
    assert found["reproduced"]
    assert any(line.startswith("host: cpu.usable: was ") for line in found["changed"])
    accuracy = next(figure for figure in found["figures"] if figure["metric"] == "top-1")
    assert (accuracy["packed"], accuracy["here"]) == (90.0, 90.0)


def accepted_by_their_libraries(crate: Path) -> None:
    from rocrate.rocrate import ROCrate
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    assert ROCrate(crate).root_dataset["conformsTo"] is not None
    document = parse_file(str(crate / "sbom.spdx.json"))
    assert validate_full_spdx_document(document) == []
    names = {package.name: str(package.license_declared) for package in document.packages}
    assert "torch" in names and names["run-mlperf-inference"] == "Apache-2.0"
    if importlib.util.find_spec("mlcroissant"):
        import mlcroissant

        assert len(mlcroissant.Dataset(jsonld=str(crate / "croissant.json")).metadata.distribution) == 2
