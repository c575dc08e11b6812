"""The catalogue: which script answers a query, why, and what is read from disk to tell."""

import os
from pathlib import Path

import pytest
import yaml
from tests.workbench import RepoBuilder

from cm4bench.catalog import Catalog, dynamic_key, offers
from cm4bench.errors import CMBenchError, ManifestError, NotFound
from cm4bench.query import parse_query


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "index"


def opened(home: Path, *repos: RepoBuilder) -> Catalog:
    return Catalog.open([r.value for r in repos], home)


def names(catalog: Catalog, query: str) -> list[str]:
    return [script.alias for script in catalog.find(parse_query(query))]


def refusal(catalog: Catalog, query: str) -> CMBenchError:
    with pytest.raises(CMBenchError) as caught:
        catalog.select(parse_query(query))
    return caught.value


def test_all_tags_and_no_excluded_one(repo: RepoBuilder, home: Path):
    repo.script("one", tags="get,model,raw")
    repo.script("two", tags="get,model")
    catalog = opened(home, repo)
    assert names(catalog, "get,model") == ["one", "two"]
    assert names(catalog, "get,model,-raw") == ["two"]
    assert names(catalog, "model,raw") == ["one"]
    assert names(catalog, "-raw") == ["two"]


def test_every_variation_must_be_offered(repo: RepoBuilder, home: Path):
    repo.script("one", tags="get,model", variations={"a": {}})
    repo.script("two", tags="get,model", variations={"b": {}, "size.#": {}})
    catalog = opened(home, repo)
    assert names(catalog, "get,model,_a") == ["one"]
    assert names(catalog, "get,model,_b,_size.8") == ["two"]
    assert names(catalog, "get,model,-_a") == ["one"]


def test_what_a_script_offers(repo: RepoBuilder, home: Path):
    repo.script("one", variations={"a": None, "d.#": {}})
    script = opened(home, repo).select(parse_query("one")).script
    assert [offers(script, v) for v in ("a", "d.8", "d.8.9", "d", "d.", "x.1")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert dynamic_key("d.8.9") == "d.#"


def test_the_only_match(repo: RepoBuilder, home: Path):
    repo.script("one")
    assert opened(home, repo).select(parse_query("one")).because == "the only match"


def test_the_sort_key_decides(repo: RepoBuilder, home: Path):
    repo.script("gcc", tags="get,compiler", sort=500)
    repo.script("llvm", tags="get,compiler", sort=100)
    selection = opened(home, repo).select(parse_query("get,compiler"))
    assert selection.script.alias == "llvm"
    assert [s.alias for s in selection.others] == ["gcc"]
    assert "sort key 100" in selection.because


def test_tags_that_spell_an_alias_mean_that_script(repo: RepoBuilder, strict_repo: RepoBuilder, home: Path):
    for one in (repo, strict_repo):
        one.script("run-it", tags="run,it")
        one.script("a-run-of-it", tags="run,it,again")
    strict = opened(home, strict_repo).select(parse_query("run,it"))
    assert (strict.script.alias, strict.others) == ("run-it", ())
    lenient = opened(home, repo).select(parse_query("run,it"))
    assert (lenient.script.alias, len(lenient.others)) == ("a-run-of-it", 1), "as CM chooses"


def test_then_the_order_of_repositories(repo: RepoBuilder, strict_repo: RepoBuilder, home: Path):
    repo.script("a", tags="x")
    strict_repo.script("b", tags="x")
    selection = opened(home, strict_repo, repo).select(parse_query("x"))
    assert selection.script.alias == "b"
    assert "strict comes before repo" in selection.because


def test_then_the_path(repo: RepoBuilder, home: Path):
    repo.script("b", tags="x")
    repo.script("a", tags="x")
    selection = opened(home, repo).select(parse_query("x"))
    assert (selection.script.alias, selection.because) == ("a", "first of 2 by path")


def test_an_unknown_tag(repo: RepoBuilder, home: Path):
    repo.script("one", tags="detect,cpu")
    error = refusal(opened(home, repo), "detect,cpuu")
    assert isinstance(error, NotFound)
    assert error.cause == "no script has the tag 'cpuu' (did you mean 'cpu'?)"
    assert error.hint


def test_known_tags_that_no_script_has_together(repo: RepoBuilder, home: Path):
    repo.script("one", tags="detect,cpu,host")
    repo.script("two", tags="get,os")
    assert "the nearest, one, has 'detect cpu host'" in refusal(opened(home, repo), "detect,cpu,os").cause


def test_an_unknown_variation(repo: RepoBuilder, home: Path):
    repo.script("one", tags="get,model", variations={"fp32": {}, "int8": {}, "fp32,int8": {}})
    catalog = opened(home, repo)
    near = refusal(catalog, "get,model,_fp31")
    assert near.cause == "one has no variation 'fp31' (did you mean 'fp32'?)"
    assert (near.code, near.hint) == (16, 'cmr "get model" --help lists its variations')
    assert refusal(catalog, "get,model,_zzz").cause == "one has no variation 'zzz'; it has fp32, int8"


def test_an_empty_catalogue_says_how_to_fill_it(repo: RepoBuilder, home: Path):
    assert "cm add repo" in str(refusal(opened(home, repo), "x").hint)


def test_by_alias_or_uid(repo: RepoBuilder, home: Path):
    repo.script("one", tags="x")
    catalog = opened(home, repo)
    script = catalog.select(parse_query("x")).script
    assert catalog.by_name("one") is catalog.by_name(script.uid) is script
    assert catalog.by_name("x") is None
    assert catalog.has_tag("x")


def test_a_broken_manifest_is_set_aside_alone(repo: RepoBuilder, home: Path):
    repo.script("good", tags="x")
    (repo.folder("bad") / "_cm.yaml").write_text("tags: [x\nalias: b\n")
    catalog = opened(home, repo)
    assert names(catalog, "x") == ["good"]
    assert [fault.path.name for fault in catalog.set_aside] == ["bad"]
    assert f"{repo.path}/script/bad/_cm.yaml:2" in refusal(catalog, "xx").cause


def test_an_unknown_key_counts_only_in_strict_repositories(repo: RepoBuilder, strict_repo: RepoBuilder, home: Path):
    for builder in (repo, strict_repo):
        builder.script(f"in-{builder.path.name}", new_env_key=["A"])
    catalog = opened(home, repo, strict_repo)
    assert catalog.select(parse_query("in-repo")).script.alias == "in-repo"
    error = refusal(catalog, "in-strict")
    assert isinstance(error, ManifestError)
    assert "unknown key 'new_env_key' (did you mean 'new_env_keys'" in error.cause


def test_folders_without_manifest_and_files_are_ignored(repo: RepoBuilder, home: Path):
    repo.script("one")
    repo.folder("empty")
    (repo.path / "script" / "note.txt").write_text("")
    assert len(opened(home, repo)) == 1


def test_a_repository_that_is_gone(repo: RepoBuilder, home: Path):
    import shutil

    repo.script("one")
    opened(home, repo)
    shutil.rmtree(repo.path)
    assert len(opened(home, repo)) == 0


# -- the index


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Aliases of the manifests that were parsed."""
    seen: list[str] = []

    def counting(text: str, **options: object) -> dict:
        loaded = original(text, **options)
        seen.append(loaded["alias"])
        return loaded

    original = yaml.load
    monkeypatch.setattr(yaml, "load", counting)
    return seen


def test_no_manifest_is_parsed_when_none_changed(repo: RepoBuilder, home: Path, parses: list[str]):
    for name in ("one", "two", "three"):
        repo.script(name)
    opened(home, repo)
    assert sorted(parses) == ["one", "three", "two"]
    parses.clear()
    assert names(opened(home, repo), "two") == ["two"]
    assert parses == []


def test_only_changed_manifests_are_parsed(repo: RepoBuilder, home: Path, parses: list[str]):
    repo.script("one", tags="a")
    repo.script("two", tags="a")
    opened(home, repo)
    parses.clear()
    repo.script("two", tags="bb")
    repo.script("new", tags="a")
    assert names(opened(home, repo), "a") == ["new", "one"]
    assert sorted(parses) == ["new", "two"]


def test_an_edit_of_equal_size_is_seen(repo: RepoBuilder, home: Path):
    folder = repo.script("one", tags="aa")
    opened(home, repo)
    repo.script("one", tags="bb")
    os.utime(folder / "_cm.yaml", ns=(1, 1))
    assert names(opened(home, repo), "bb") == ["one"]


def test_a_removed_script_is_gone(repo: RepoBuilder, home: Path):
    folder = repo.script("one", tags="a")
    repo.script("two", tags="a")
    opened(home, repo)
    (folder / "_cm.yaml").unlink()
    assert names(opened(home, repo), "a") == ["two"]


def test_json_beside_yaml_is_watched(repo: RepoBuilder, home: Path):
    folder = repo.script("one", tags="a")
    (folder / "_cm.json").write_text('{"tags": ["b"]}')
    opened(home, repo)
    (folder / "_cm.json").write_text('{"tags": ["cc"]}')
    assert names(opened(home, repo), "cc") == ["one"]


def test_a_spoilt_index_is_made_anew(repo: RepoBuilder, home: Path):
    repo.script("one")
    opened(home, repo)
    for index in home.glob("catalog-*"):
        index.write_bytes(b"spoilt")
    assert names(opened(home, repo), "one") == ["one"]


def test_a_corrected_manifest_comes_back(strict_repo: RepoBuilder, home: Path):
    strict_repo.script("one", bogus=1)
    assert opened(home, strict_repo).set_aside
    strict_repo.script("one")
    assert not opened(home, strict_repo).set_aside


def test_a_manifest_added_beside_a_known_one_is_seen_when_its_script_is_chosen(repo: RepoBuilder, home: Path):
    """`cm update script` writes a `_cm.json` beside the YAML."""
    folder = repo.script("tool", tags="tool", cache=False)
    assert not opened(home, repo).select(parse_query("tool")).script.caches
    (folder / "_cm.json").write_text('{"cache": true}')
    assert opened(home, repo).select(parse_query("tool")).script.caches
    (folder / "_cm.json").unlink()
    assert not opened(home, repo).select(parse_query("tool")).script.caches
