"""Faults: each ends in a diagnosis, leaves nothing half-written, and the next run puts things right."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.workbench import FIXTURES, ROOT, Bench, RepoBuilder

from cm4bench import Repo
from cm4bench.errors import CMBenchError, OutputMissing, StepFailed, StoreError
from cm4bench.versions import VersionRange

MAKES_A_FILE = "echo content > made.txt; echo CM_MADE=$PWD/made.txt >> tmp-run-env.out"


def refused(bench: Bench, tags: str, **request: object) -> CMBenchError:
    """The error of a run; always one screen, no traceback, no entry left behind by the failed step."""
    with pytest.raises(CMBenchError) as caught:
        bench.run(tags, **request)
    screen = caught.value.render()
    assert screen.startswith("error: ")
    assert "Traceback" not in screen
    assert len(screen.splitlines()) <= 24
    assert caught.value.code != 0
    return caught.value


# -- what can be told before anything runs


def test_unknown_words_come_with_suggestions(bench: Bench, repo: RepoBuilder):
    repo.script("model", tags="get,ml-model", variations={"fp32": {}})
    assert "did you mean 'ml-model'" in refused(bench, "get,ml-modle").cause
    assert "did you mean 'fp32'" in refused(bench, "get,ml-model,_fp23").cause
    assert refused(bench, "").hint


def test_contradictory_variations_run_nothing(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    repo.script("first", run=f"touch {tmp_path / 'ran'}")
    repo.script("leaf", variations={"a": {"group": "g"}, "b": {"group": "g"}})
    repo.script("top", deps=[{"tags": "first"}, {"tags": "leaf,_a,_b"}])
    error = refused(bench, "top")
    assert "only one variation of group 'g'" in error.cause
    assert error.chain == ("top", "leaf,_a,_b")
    assert not (tmp_path / "ran").exists()


def test_a_mistyped_flag_is_an_error_only_where_flags_are_known(
    bench: Bench, repo: RepoBuilder, strict_repo: RepoBuilder
):
    bench.repos.append(strict_repo.value)
    typed = {"batch_size": {"env": "CM_B", "type": "int", "min": 1}}
    repo.script("loose", inputs=typed)
    strict_repo.script("strict", inputs=typed, tags="be,strict")
    assert bench.run("loose", options={"batchsize": "8"}).ran
    error = refused(bench, "be,strict", options={"batchsize": "8"})
    assert error.cause == "strict has no option --batchsize (did you mean 'batch_size'?)"
    assert error.hint == 'cmr "be strict" --help lists its options'
    assert "must be at least 1" in refused(bench, "be,strict", options={"batch_size": "0"}).cause


@pytest.mark.parametrize(
    ("folder", "tags", "where"),
    [
        ("broken-yaml", "broken", "script/broken/_cm.yaml:7: broken YAML"),
        ("broken-json", "broken", "script/broken/_cm.json:3: broken JSON"),
        ("unknown-key", "mistyped", "script/mistyped/_cm.yaml:8: unknown key 'new_env_key' in variations.fast"),
    ],
)
def test_a_faulty_manifest_is_set_aside_alone(bench: Bench, folder: str, tags: str, where: str):
    bench.repos = [Repo(folder, FIXTURES / folder, strict=True)]
    assert bench.run("healthy").ran == ("healthy",)
    assert [fault.path.name for fault in bench.engine().catalog.set_aside] == [tags]
    error = refused(bench, tags)
    assert f"{FIXTURES / folder}/{where}" in error.cause


def test_a_cycle(bench: Bench):
    bench.repos = [Repo("cycle", FIXTURES / "cycle")]
    error = refused(bench, "hen")
    assert "hen → egg → hen" in error.cause
    assert error.hint


# -- a step that fails


def test_a_native_script_that_fails_shows_its_last_lines(bench: Bench, repo: RepoBuilder):
    repo.script("bad", cache=True, run="echo some output; echo the reason >&2; exit 3")
    repo.script("top", deps=[{"tags": "bad"}])
    error = refused(bench, "top")
    assert (error.cause, error.code) == ("bad/run.sh ended with exit code 3", 2)
    assert list(error.log_tail) == ["some output", "the reason"]
    assert error.log is not None
    assert error.log.read_text() == "some output\nthe reason\n"
    assert error.chain == ("top", "bad")
    assert f"full log: {error.log}" in error.render()
    assert bench.entries() == []


def test_a_native_script_that_is_killed(bench: Bench, repo: RepoBuilder):
    repo.script("bad", cache=True, run="echo working; kill -SEGV $$")
    error = refused(bench, "bad")
    assert f"signal {signal.SIGSEGV.value}" in error.cause
    assert "working" in error.log_tail
    assert bench.entries() == []


@pytest.mark.parametrize("body", ["raise KeyError('CM_X')", "return {'return': 1, 'error': 'no', 'hint': 'do'}"])
@pytest.mark.parametrize("phase", ["preprocess", "postprocess"])
def test_a_hook_that_fails_leaves_no_entry(bench: Bench, repo: RepoBuilder, phase: str, body: str):
    folder = repo.script("bad", cache=True, customize=f"def {phase}(i):\n    {body}\n")
    error = refused(bench, "bad")
    assert error.hint
    assert bench.entries() == []
    (folder / "customize.py").write_text(f"def {phase}(i):\n    return {{'return': 0}}\n")
    assert bench.run("bad").made == ("bad",)
    assert bench.debris() == []


def test_a_failed_step_is_told_with_its_log(bench: Bench, repo: RepoBuilder):
    repo.script("bad", run="exit 1")
    refused(bench, "bad")
    assert [e.kind for e in bench.events] == ["planned", "started", "failed"]


def test_a_promise_that_is_not_kept(bench: Bench, repo: RepoBuilder):
    repo.script("liar", cache=True, run="true", outputs={"CM_FILE": {"type": "file", "help": "the weights"}})
    error = refused(bench, "liar")
    assert isinstance(error, OutputMissing)
    assert error.cause == "liar ended without error but did not set CM_FILE (the weights)"
    assert bench.entries() == []


def test_a_promised_file_that_is_not_there(bench: Bench, repo: RepoBuilder):
    repo.script("liar", cache=True, env={"CM_FILE": "/nowhere/x"}, outputs={"CM_FILE": {"type": "file"}})
    assert "which is not a file" in refused(bench, "liar").cause
    assert bench.entries() == []


@pytest.mark.parametrize("found", ["1.9", "3.1"])
def test_a_version_outside_what_was_asked_for(bench: Bench, repo: RepoBuilder, found: str):
    repo.script("tool", cache=True, run=f"echo CM_DETECTED_VERSION={found} >> tmp-run-env.out")
    error = refused(bench, "tool", version=VersionRange(minimum="2", maximum="3"))
    assert error.cause == f"tool delivered version {found}, but >=2, <=3 was asked for"
    assert bench.entries() == []


def test_what_was_made_before_the_failure_is_kept(bench: Bench, repo: RepoBuilder):
    repo.script("good", cache=True, run="echo x >> ../../../../../count")
    repo.script("bad", run="exit 1")
    repo.script("top", deps=[{"tags": "good"}, {"tags": "bad"}])
    refused(bench, "top")
    refused(bench, "top")
    assert len(bench.entries()) == 1
    assert len(list(bench.home.parent.glob("count"))) == 1
    assert (bench.home.parent / "count").read_text() == "x\n"


# -- a cache that went stale


def chain_of_three(repo: RepoBuilder) -> None:
    for name, below in (("low", None), ("middle", "low"), ("high", "middle")):
        deps = [{"tags": below}] if below else []
        out = f"CM_{name.upper()}"
        repo.script(
            name, cache=True, deps=deps, run=f"echo {out}=$PWD >> tmp-run-env.out", outputs={out: {"type": "dir"}}
        )
    repo.script("beside", cache=True)
    repo.script("top", deps=[{"tags": "high"}, {"tags": "beside"}])


def test_an_edited_recipe_renews_its_dependents(bench: Bench, repo: RepoBuilder):
    chain_of_three(repo)
    assert bench.run("top").made == ("low", "middle", "high", "beside")
    (repo.folder("middle") / "note.txt").write_text("edited")
    assert bench.run("top").made == ("middle", "high")
    assert bench.run("top").made == ()


@pytest.mark.parametrize(
    "damage", ["rm -r {0}", "rm {0}/made.txt", "echo tampered > {0}/made.txt", "truncate -s0 {0}/*.json"]
)
def test_a_damaged_output_is_made_again(bench: Bench, repo: RepoBuilder, damage: str):
    repo.script("maker", cache=True, run=MAKES_A_FILE, outputs={"CM_MADE": {"type": "file"}})
    bench.run("maker")
    subprocess.run(["sh", "-c", damage.format(bench.entries()[0])], check=True)
    report = bench.run("maker")
    assert report.made == ("maker",)
    assert Path(report.outcome.new_env["CM_MADE"]).read_text() == "content\n"
    assert bench.run("maker").made == ()


# -- the disk


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("file", ["cm-cached-state.json.new", "_cm.json.new"])
def test_no_room_while_publishing(
    bench: Bench, repo: RepoBuilder, monkeypatch: pytest.MonkeyPatch, number: int, file: str
):
    """Each of the two files of an entry can be the one that no longer fits."""
    repo.script("maker", cache=True, run=MAKES_A_FILE, outputs={"CM_MADE": {"type": "file"}})
    original = os.fsync

    def full(descriptor: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith(f"/{file}"):
            raise OSError(number, os.strerror(number))
        original(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    error = refused(bench, "maker")
    assert isinstance(error, StoreError)
    assert "the disk is full" in error.cause
    assert "free some room" in str(error.hint)
    assert bench.entries() == []
    monkeypatch.setattr(os, "fsync", original)
    assert bench.run("maker").made == ("maker",)
    assert bench.debris() == []


def test_no_entry_is_left_when_the_last_note_fails(bench: Bench, repo: RepoBuilder):
    """The entry itself is written, but not what comes after it: the error and the store agree."""
    repo.script("maker", cache=True, run=MAKES_A_FILE, outputs={"CM_MADE": {"type": "file"}})
    (bench.home / "cm4bench").mkdir(parents=True)
    (bench.home / "cm4bench" / "latest").write_text("in the way")
    assert isinstance(refused(bench, "maker"), StoreError)
    assert bench.entries() == []


def test_a_really_full_disk(repo: RepoBuilder, tmp_path: Path):
    """A file system of 256 kB that the published state does not fit on."""
    filler = "def preprocess(i):\n    i['env']['CM_BIG'] = 'x' * 400_000\n    return {'return': 0}\n"
    repo.script("big", cache=True, customize=filler, new_env_keys=["CM_BIG"])
    home = tmp_path / "small"
    home.mkdir()
    mount = f'mount -t tmpfs -o size=256k none {home} && exec "$@"'
    space = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    try:
        if subprocess.run([*space, "true"], capture_output=True).returncode:
            pytest.skip("this host lets nobody mount a small file system")
    except FileNotFoundError:
        pytest.skip("no unshare here")
    check = """
        import os, sys
        try:
            run("big")
        except Exception as error:
            print(type(error).__name__, error.cause)
        print(sorted(p.name for p in (home / "repos/local/cache").glob("*/*.json")))
    """
    done = subprocess.run([*space, *driver(tmp_path, check, repo, home)], capture_output=True, text=True)
    assert "StoreError the disk is full" in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written(bench: Bench, repo: RepoBuilder):
    repo.script("maker", cache=True)
    bench.home.mkdir(mode=0o500)
    error = refused(bench, "maker")
    assert isinstance(error, StoreError)


def test_a_home_that_is_no_folder(bench: Bench, repo: RepoBuilder):
    repo.script("plain")
    repo.script("maker", cache=True)
    bench.home.write_text("in the way")
    error = refused(bench, "maker")
    assert isinstance(error, StoreError)
    assert "the cache cannot be written" in error.cause
    assert "CM_REPOS" in str(error.hint)


# -- kill -9, then the same command again


def driver(folder: Path, body: str, repo: RepoBuilder, home: Path) -> list[str]:
    """A command that runs `body` in a process of its own, with `run(tags)` over the repository."""
    head = f"""
        import os, sys
        from pathlib import Path
        sys.path.insert(0, {str(ROOT / "automation" / "script")!r})
        from cm4bench import Engine, Repo, Request
        home = Path({str(home)!r})
        os.chdir({str(folder)!r})
        def run(tags, listener=lambda event: None):
            repo = Repo({repo.value.alias!r}, Path({str(repo.path)!r}), {repo.value.uid!r})
            return Engine([repo], home, listener=listener).run(Request(tags))
    """
    path = folder / "driver.py"
    path.write_text(textwrap.dedent(head) + textwrap.dedent(body))
    return [sys.executable, str(path)]


SUICIDE = (
    "import os\ndef {phase}(i):\n    os.path.exists({flag!r}) and os.kill(os.getpid(), 9)\n    return {{'return': 0}}\n"
)


def kill_in_hook(phase: str, flag: Path) -> dict[str, str]:
    return {"customize": SUICIDE.format(phase=phase, flag=str(flag)), "run": MAKES_A_FILE}


def kill_in_native(flag: Path) -> dict[str, str]:
    return {"run": f"echo half > made.txt; [ -e {flag} ] && kill -9 $PPID && sleep 5\n{MAKES_A_FILE}"}


@pytest.mark.parametrize("where", ["preprocess", "native", "postprocess"])
def test_killed_during_a_step(bench: Bench, repo: RepoBuilder, tmp_path: Path, where: str):
    flag = tmp_path / "flag"
    flag.touch()
    files = kill_in_native(flag) if where == "native" else kill_in_hook(where, flag)
    repo.script("maker", cache=True, outputs={"CM_MADE": {"type": "file"}}, **files)
    command = driver(tmp_path, "run('maker')", repo, bench.home)
    assert subprocess.run(command, capture_output=True).returncode == -9
    assert bench.entries() == []
    assert len(bench.debris()) == 1
    flag.unlink()
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert len(bench.entries()) == 1
    assert bench.debris() == []
    assert (bench.entries()[0] / "made.txt").read_text() == "content\n"
    assert bench.run("maker").made == ()


KILL_AT = """
import cm4bench.store
count = 0
def dying(name, original):
    def wrapped(*arguments, **options):
        global count
        count += 1
        if count == int(sys.argv[1]):
            os.kill(os.getpid(), 9)
        return original(*arguments, **options)
    return wrapped
os.fsync = dying("fsync", os.fsync)
os.replace = dying("replace", os.replace)
Path.replace = dying("replace", Path.replace)
run("maker")
print("survived")
"""


def test_killed_anywhere_while_publishing(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    """Before each flush and each rename in turn: afterwards there is a whole entry or none, never a part of one."""
    repo.script("maker", cache=True, run=MAKES_A_FILE, outputs={"CM_MADE": {"type": "file"}})
    for moment in range(1, 30):
        bench.home = tmp_path / f"CM{moment}"
        command = [*driver(tmp_path, KILL_AT, repo, bench.home), str(moment)]
        done = subprocess.run(command, capture_output=True, text=True)
        survived = "survived" in done.stdout
        assert survived or done.returncode == -9
        for folder in bench.entries():
            assert json.loads((folder / "cm-cached-state.json").read_text())["new_env"]
        for entry in bench.engine().store.entries():
            assert Path(entry.outcome.new_env["CM_MADE"]).read_text() == "content\n"
        bench.run("maker")
        assert (len(bench.entries()), bench.debris()) == (1, [])
        assert bench.run("maker").made == ()
        if survived:
            break
    assert 3 < moment < 29


def test_a_later_step_of_a_killed_run_finds_what_was_finished(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    flag = tmp_path / "flag"
    flag.touch()
    repo.script("early", cache=True, run=f"echo x >> {tmp_path / 'count'}")
    repo.script("late", cache=True, deps=[{"tags": "early"}], **kill_in_native(flag))
    command = driver(tmp_path, "run('late')", repo, bench.home)
    assert subprocess.run(command, capture_output=True).returncode == -9
    flag.unlink()
    assert bench.run("late").made == ("late",)
    assert (tmp_path / "count").read_text() == "x\n"


def test_spoilt_private_files_only_cost_time(bench: Bench, repo: RepoBuilder):
    repo.script("maker", cache=True, run=MAKES_A_FILE, outputs={"CM_MADE": {"type": "file"}})
    bench.run("maker")
    for file in (bench.home / "cm4bench").glob("*.bin"):
        file.write_bytes(os.urandom(64))
    assert bench.run("maker").made == ()


def test_a_failing_step_raises_step_failed(bench: Bench, repo: RepoBuilder):
    repo.script("bad", run="exit 1")
    assert isinstance(refused(bench, "bad"), StepFailed)
