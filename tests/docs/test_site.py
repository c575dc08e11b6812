"""The documentation as a whole: links lead somewhere, and the site builds and needs no other site."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FETCHED = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=["']?((?:https?:)?//[^"'\s>]+)""")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_internal_links_resolve(page: Path):
    links = LINK.findall(CODE.sub("", page.read_text()))
    targets = [link.partition("#")[0] for link in links if "://" not in link and not link.startswith(("#", "mailto:"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def pages_of(entry: object) -> list[str]:
    """Of a page, a titled page, a section or the whole navigation."""
    if isinstance(entry, str):
        return [entry]
    parts = list(entry.values()) if isinstance(entry, dict) else list(entry)
    return [page for part in parts for page in pages_of(part)]


def test_every_page_is_in_the_navigation():
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    assert set(pages_of(navigation)) == {str(page.relative_to(ROOT / "docs")) for page in ROOT.glob("docs/**/*.md")}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "project"
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def test_site_builds_strictly(site: Path):
    for page in ROOT.glob("docs/*.md"):
        built = site / ("index.html" if page.stem == "index" else f"{page.stem}/index.html")
        assert page.read_text().splitlines()[0].removeprefix("# ") in built.read_text()


def test_site_fetches_nothing_from_elsewhere(site: Path):
    # rel="canonical" and the like name addresses, but only scripts, styles, images and frames are fetched.
    assert {found for page in site.rglob("*.html") for found in FETCHED.findall(page.read_text())} == set()
