"""What the wheel holds and declares."""

import email
import re
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from .conftest import ROOT

EXTRAS = {"test", "docs", "gpu"}


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    return zipfile.ZipFile(wheel).namelist()


PACKAGES = [path.parent.name for path in sorted(ROOT.glob("automation/*/cm4bench*/__init__.py"))]


@pytest.fixture(scope="module")
def metadata(wheel: Path, names: list[str]) -> email.message.Message:
    (name,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(zipfile.ZipFile(wheel).read(name))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_the_typed_packages_is_in_it(names: list[str], package: str, clone: Path):
    (source,) = (path for path in clone.glob(f"automation/*/{package}"))
    files = [path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert source / "py.typed" in files
    assert {f"{package}/{path.relative_to(source)}" for path in files} <= set(names)


def test_nothing_else_is_in_it(names: list[str]):
    allowed = re.compile(rf"({'|'.join(PACKAGES)}|cm4bench-[\d.]+\.dist-info)/")
    assert [name for name in names if not allowed.match(name)] == []


def test_the_version_is_that_of_the_cm_repository(metadata: email.message.Message):
    assert f"\nversion: {metadata['Version']}\n" in (ROOT / "cmr.yaml").read_text()


def test_requirements(metadata: email.message.Message):
    required = [Requirement(text) for text in metadata.get_all("Requires-Dist")]
    base = {requirement.name for requirement in required if requirement.marker is None}
    assert metadata["Requires-Python"] == ">=3.10"
    assert set(metadata.get_all("Provides-Extra")) == EXTRAS
    assert "cmind" in base
    # A user who only wants to look at results must not get gigabytes of libraries.
    assert not base & {"torch", "transformers", "mlcommons-loadgen", "numpy"}


def pinned() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_constraints_are_exact():
    assert [str(pin) for pin in pinned() if [part.operator for part in pin.specifier] != ["=="]] == []


def test_every_direct_requirement_is_pinned_within_its_range():
    pins = {pin.name: pin for pin in pinned()}
    for name in ["requirements.txt", "requirements-test.txt"]:
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith("#"):
                wanted = Requirement(line)
                (pin,) = pins[wanted.name.lower()].specifier
                assert wanted.specifier.contains(pin.version), f"{wanted} but pinned {pin}"


def test_packages_that_would_replace_torch_are_not_asked_for():
    asked = {
        Requirement(line).name for line in (ROOT / "requirements-test.txt").read_text().splitlines() if line[:1] != "#"
    }
    assert not asked & {"torchvision", "torchaudio", "timm"}
