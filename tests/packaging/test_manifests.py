"""The scripts as a collection: each manifest can be read, and no identifier is used twice."""

import re
from pathlib import Path

import pytest
import yaml

from .conftest import ROOT

SCRIPTS = sorted(ROOT.glob("script/*/_cm.yaml"))
QUOTED_UID = re.compile(r"""^uid: *(["'])([0-9a-f]{16})\1 *$""", re.MULTILINE)


@pytest.mark.parametrize("manifest", SCRIPTS, ids=lambda path: path.parent.name)
def test_manifest(manifest: Path):
    text = manifest.read_text()
    meta = yaml.safe_load(text)
    assert meta["alias"] == manifest.parent.name
    assert meta["automation_alias"] == "script"
    assert meta["automation_uid"] == "5b4e0237da074764"
    assert meta["tags"]
    # Unquoted, a uid of digits only, or like 123e4567…, is read as a number, which makes cmind fail.
    assert QUOTED_UID.search(text), "uid must be 16 hexadecimal digits in quotes"


def test_every_script_folder_has_a_manifest():
    folders = {path for path in (ROOT / "script").iterdir() if path.is_dir() and any(path.glob("*.*"))}
    assert folders == {manifest.parent for manifest in SCRIPTS}


def test_uids_are_unique():
    uids = [yaml.safe_load(path.read_text())["uid"] for path in [*SCRIPTS, *ROOT.glob("automation/*/_cm.json")]]
    assert sorted({uid for uid in uids if uids.count(uid) > 1}) == []
