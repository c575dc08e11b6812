"""Nothing that a user, a manifest or a file system can spell runs as a command: a real bash, and a canary."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.workbench import ROOT, Bench, RepoBuilder

from cm4bench import CMBenchError, Repo
from cm4bench.native import NativeRun
from cm4bench.versions import VersionRange

SING = "touch canary"
ATTACKS = [
    f"$({SING})",
    f"`{SING}`",
    f'";{SING};"',
    f"';{SING};'",
    f'\\";{SING};\\"',
    f"\\$({SING})",
    f"\\\\$({SING})",
    f"\\`{SING}\\`",
    f"\\\\`{SING}\\\\`",
    f"$[a[$({SING})]]",
    f"$((a[$({SING})]))",
    f"${{HOME[$({SING})]}}",
    f"${{HOME:-$({SING})}}",
    "${A@P}",
    "${HOME[A]}",
    "${HOME:A}",
    "${!A}",
    f"x\n{SING}\n",
    f"x;{SING}",
    f"x&&{SING}|{SING}&",
    f"<({SING})",
    f"\\\n$({SING})",
    "\\",
    "$",
    "${",
    '"',
]
PIECES = [*"\\\"'`$(){}[]<>;|&!#\n aé", "${", "$(", "$[", "${A[", "A", "@P}", SING, "}", "]", "\\$", "\\\\"]
values = st.one_of(st.sampled_from(ATTACKS), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))


def run_with(folder: Path, env: dict[str, str]) -> list[str]:
    """What bash sees of each value; fails when anything but the script itself has run."""
    (folder / "run.sh").write_text('for n in $(seq 0 $((N-1))); do v=V$n; printf "%s\\0" "${!v}" >> seen; done')
    numbered = {f"V{n}": value for n, value in enumerate(env.values())}
    NativeRun(folder, folder / "log", show=False)(folder / "run.sh", {**numbered, **env, "N": str(len(env))}, {})
    assert {p.name for p in folder.iterdir()} == {"run.sh", "seen", "log", "tmp-run.sh", "tmp-state.json"}
    return (folder / "seen").read_bytes().decode().split("\0")[:-1]


@settings(max_examples=40, deadline=None)
@example(attacks=ATTACKS)
@given(attacks=st.lists(values, min_size=1, max_size=12))
def test_no_value_is_a_command(tmp_path_factory: pytest.TempPathFactory, attacks: list[str]):
    """`A` is what indirect expansions would reach for; it holds an attack as well."""
    folder = tmp_path_factory.mktemp("n")
    env = {f"CM_{n}": value for n, value in enumerate(attacks)} | {"A": f"a[$({SING})]"}
    seen = run_with(folder, env)
    for value, got in zip(env.values(), seen, strict=True):
        if "$" not in value and "\\" not in value:
            assert got == value


@pytest.mark.parametrize("key", [f"A;{SING};B", f"+A;{SING};B", f"+`{SING}`", "+", "++", '+"X', "+$X", "é", "a b", ""])
def test_no_key_is_a_command(tmp_path: Path, key: str):
    run_with(tmp_path, {key: "1", "CM_X": "2"})


@pytest.fixture
def printer(repo: RepoBuilder) -> RepoBuilder:
    """Passes on, in plain shell, what it was given by variation, input, version and environment."""
    run = 'printf "%s|" "$CM_BY_VARIATION" "$CM_BY_INPUT" "$CM_VERSION" "$CM_GIVEN" > seen; pwd > where'
    repo.script(
        "printer",
        cache=True,
        run=run + "; echo CM_SEEN=$PWD/seen >> tmp-run-env.out",
        variations={"v.#": {"env": {"CM_BY_VARIATION": "#"}}},
        input_mapping={"given": "CM_BY_INPUT"},
        new_env_keys=["CM_SEEN"],
    )
    return repo


@pytest.mark.parametrize("attack", [a for a in ATTACKS if "," not in a])
def test_no_request_is_a_command(bench: Bench, printer: RepoBuilder, tmp_path: Path, attack: str):
    for request in (
        {"tags": f"printer,_v.{attack}"},
        {"tags": "printer", "options": {"given": attack}},
        {"tags": "printer", "version": VersionRange(exact=attack)},
        {"tags": "printer", "env": {"CM_GIVEN": attack, attack: "1"}},
        {"tags": "printer", "options": {"extra_cache_tags": attack}},
        {"tags": f"{attack},printer"},
        {"tags": f"printer,_{attack}"},
    ):
        try:
            bench.run(**request)
        except CMBenchError as error:
            assert "Traceback" not in error.render()
    assert not list(tmp_path.rglob("canary"))


NAMES = [
    "ünï cödé ☃",
    "it's",
    'double "quoted"',
    f"$({SING})",
    f"`{SING}`",
    f"a;{SING};b",
    "$HOME",
    "a\\b",
    "-n",
    "a\nb",
]


@pytest.mark.parametrize("name", NAMES)
def test_no_folder_is_a_command(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch):
    """Repository, home, script folder and working folder of this name: a run, a reuse, and files where they belong."""
    repo = RepoBuilder(tmp_path / name / "repo")
    folder = repo.script(name, tags="maker", cache=True, outputs={"CM_MADE": {"type": "file"}})
    (folder / "run.sh").write_text('echo made > made.txt; echo "CM_MADE=$PWD/made.txt" >> tmp-run-env.out')
    work = tmp_path / name / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    bench = Bench(tmp_path / name / "CM", repo.value)
    if "\n" in name:  # `tmp-run-env.out` is a file of lines: a path of two lines cannot be told, and that is said
        with pytest.raises(CMBenchError, match="not a file"):
            bench.run("maker")
        return
    report = bench.run("maker")
    assert Path(report.outcome.new_env["CM_MADE"]).read_text() == "made\n"
    assert bench.run("maker").made == ()
    assert not list(tmp_path.rglob("canary"))


@pytest.mark.parametrize("name", ["../../../outside", "/tmp/outside-of-cm4bench", "..", "a/../../b"])
def test_no_name_leads_out_of_the_home(bench: Bench, repo: RepoBuilder, tmp_path: Path, name: str):
    """Aliases, resources and clean-up lists are names, not paths."""
    (tmp_path / "outside").write_text("precious")
    folder = repo.script("odd", tags="odd", cache=True, run="echo x", exclusive=name, clean_files=[name, "../outside"])
    manifest = folder / "_cm.yaml"
    manifest.write_text(manifest.read_text().replace("alias: odd", f"alias: {name}"))
    before = {p for p in tmp_path.rglob("*") if bench.home not in p.parents}
    bench.run("odd")
    after = {p for p in tmp_path.rglob("*") if bench.home not in p.parents}
    assert after - before <= {bench.home}
    assert not Path("/tmp/outside-of-cm4bench.tools.lock").exists()
    assert (tmp_path / "outside").read_text() == "precious"


def test_no_base_leads_out_of_the_repository(bench: Bench, repo: RepoBuilder):
    repo.script("odd", _base="../../elsewhere")
    assert [fault.cause.rpartition(": ")[2] for fault in bench.engine().catalog.set_aside] == [
        "_base '../../elsewhere' must name a script"
    ]


@pytest.mark.parametrize("attack", [f"$({SING})", f"x;{SING}", f"x'\"`{SING}`"])
def test_our_own_units_run_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: str):
    """Names that become arguments of pip, apt and the system's package manager; none of them exists."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    bench = Bench(tmp_path / "CM", Repo("cm4bench", ROOT, strict=True))
    for request in (
        {"tags": f"get,generic-python-lib,_package.{attack}"},
        {"tags": "get,generic-python-lib,_package.msgspec", "version": VersionRange(exact=f"0{attack}")},
        {"tags": "get,python3", "version": VersionRange(minimum=f"99{attack}")},
        {"tags": "extract,file", "env": {"CM_EXTRACT_FILEPATH": f"{tmp_path}/{attack}.tar.gz"}},
    ):
        with pytest.raises(CMBenchError):
            bench.run(**request)
    assert not list(tmp_path.rglob("canary"))
    assert not (ROOT / "canary").exists()


def test_there_is_a_bash():
    """Without one all of the above would prove nothing."""
    assert shutil.which("bash")
