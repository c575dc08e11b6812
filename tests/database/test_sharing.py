"""Results to and from a shared place."""

import uuid
from pathlib import Path

import pytest

from cm4bench_database import Database, DatabaseError, actions
from cm4bench_database.sharing import pull, push

from .made import save


@pytest.fixture(params=["file", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"file://{tmp_path}/shared" if request.param == "file" else f"memory://{uuid.uuid4().hex}/shared"


def test_there_and_back(home: Path, place: str, tmp_path: Path) -> None:
    (home / "20260131-093005-net-4f1a/offline/log.txt").write_text("log")
    assert len(push(home, place).moved) == 4
    assert push(home, place).alike == 4
    done = pull(tmp_path / "other", place)
    assert len(done.moved) == 4
    assert done.moved[0].endswith("log.txt")  # records go last
    assert len(Database.open(tmp_path / "other").records(headline=True)) == 3
    assert not [*(tmp_path / "other").rglob("*.part")]


def test_imports_travel_and_the_database_does_not(home: Path, place: str, tmp_path: Path) -> None:
    from .published import cells, summary

    actions.import_({"results_dir": str(home), "from": str(summary(tmp_path / "summary.csv", [cells()]))})
    assert not [name for name in push(home, place).moved if name.endswith((".duckdb", ".lock"))]
    pull(tmp_path / "other", place)
    assert len(Database.open(tmp_path / "other").records(source="official")) == 1


def test_what_differs_is_named_and_left(home: Path, place: str) -> None:
    push(home, place)
    path = save(home, "20260131-093005-net-4f1a/offline", 43.25)
    done = actions.push({"results_dir": str(home), "to": place})
    assert done["return"] == 1 and "20260131-093005-net-4f1a/offline/result.json" in done["error"]
    done = actions.pull({"results_dir": str(home), "from": place})
    assert done["return"] == 1 and "--force" in done["error"]
    assert "43.25" in path.read_text()
    assert actions.pull({"results_dir": str(home), "from": place, "force": "yes"})["return"] == 0
    assert "43.25" not in path.read_text()


@pytest.mark.parametrize(
    "name",
    ["../outside/result.json", "a/../../result.json", ".hidden/result.json", "a/.git/hooks/x", "a\\b/result.json"],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    import fsspec

    root = f"/{uuid.uuid4().hex}"
    store = fsspec.filesystem("memory").store
    files = {f"{root}/run/offline/result.json": b"{}", f"{root}/{name}": b"evil"}
    for path, content in files.items():
        file = fsspec.implementations.memory.MemoryFile(fsspec.filesystem("memory"), path)
        file.write(content)
        store[path] = file
    home = tmp_path / "deep" / "home"
    done = pull(home, f"memory:/{root}")
    assert done.moved == ("run/offline/result.json",)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [home / "run/offline/result.json"]


def test_a_link_here_is_not_written_through(home: Path, place: str, tmp_path: Path) -> None:
    push(home, place)
    (tmp_path / "elsewhere").mkdir()
    other = tmp_path / "other"
    other.mkdir()
    (other / "20260131-093005-net-4f1a").symlink_to(tmp_path / "elsewhere")
    done = pull(other, place)
    assert len(done.refused) == 3 and done.moved == ()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("url", ["nosuch://x", "file:///proc/nothing/here"])
def test_a_place_that_is_none(home: Path, url: str) -> None:
    with pytest.raises(DatabaseError, match=url.partition(":")[0]):
        push(home, url)


def test_nothing_to_share(tmp_path: Path, place: str) -> None:
    with pytest.raises(DatabaseError, match="no results"):
        pull(tmp_path, place)
    with pytest.raises(DatabaseError, match="no results"):
        push(tmp_path, place)
    assert "--to=" in actions.push({})["error"]
    assert "--from=" in actions.pull({})["error"]
