"""Packaging only; tool settings are in pyproject.toml. Installing runs and downloads nothing but the requirements."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name: str) -> list[str]:
    """The entries of a requirements file, without comments."""
    lines = (ROOT / name).read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def version() -> str:
    """The one place that states the version is what cmind reads: cmr.yaml."""
    found = re.search(r"^version: *(\S+)", (ROOT / "cmr.yaml").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


# One package beside the other in automation/experiment: records, and what reads them.
READERS = [
    f"cm4bench_{name}" for name in ("results", "database", "compare", "experiments", "trainings", "crates", "gui")
]

setup(
    name="cm4bench",
    version=version(),
    description="MLPerf benchmarks from one command, with results that can be trusted",
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    package_dir={
        "cm4bench": "automation/script/cm4bench",
        **{name: f"automation/experiment/{name}" for name in READERS},
    },
    packages=[
        *find_packages("automation/script", include=["cm4bench*"]),
        *find_packages("automation/experiment", include=[f"{name}*" for name in READERS]),
    ],
    package_data={"": ["py.typed", "*.jinja", "*.json", "*.yaml", "*.css"]},
    install_requires=requirements("requirements.txt"),
    extras_require={
        "test": requirements("requirements-test.txt"),
        "docs": ["mkdocs-material >=9.5,<10"],
        "gpu": ["nvidia-ml-py >=12.535", "torch >=2.6,<2.14"],
    },
)
