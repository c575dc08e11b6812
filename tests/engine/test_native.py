"""The protocol of native scripts, piece by piece, with a real bash."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cm4bench.errors import StepFailed
from cm4bench.native import NativeRun, choose_script, export_lines, parse_env_out


@pytest.fixture
def native(tmp_path: Path) -> NativeRun:
    (tmp_path / "work").mkdir()
    return NativeRun(tmp_path / "work", tmp_path / "logs" / "a.log", show=False)


def script(native: NativeRun, text: str) -> Path:
    path = native.folder.parent / "it's a script" / "run.sh"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def call(native: NativeRun, text: str, env: dict | None = None, state: dict | None = None) -> tuple[dict, dict]:
    env, state = dict(env or {}), dict(state or {})
    native(script(native, text), env, state)
    native.read_back(env, state)
    return env, state


def test_results_come_back(native: NativeRun):
    env, state = call(native, 'echo "B=$A$A" > tmp-run-env.out; echo \'{"s": 1}\' > tmp-run-state.json', {"A": "x"})
    assert env == {"A": "x", "B": "xx"}
    assert state == {"s": 1}


def test_nothing_need_come_back(native: NativeRun):
    assert call(native, "true", {"A": "x"}) == ({"A": "x"}, {})


def test_results_of_an_earlier_run_are_not_taken(native: NativeRun):
    (native.folder / "tmp-run-env.out").write_text("OLD=1\n")
    (native.folder / "tmp-run-state.json").write_text('{"old": 1}')
    assert call(native, "true") == ({}, {})


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="$\\", exclude_categories=["Cc"]))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="$\\\0\n\r", exclude_categories=["Cc"])), min_size=1
    )
)
def test_values_survive_the_shell(tmp_path_factory: pytest.TempPathFactory, values: list[str]):
    folder = tmp_path_factory.mktemp("n")
    native = NativeRun(folder, folder / "log", show=False)
    env = {f"V{n}": value for n, value in enumerate(values)}
    path = folder / "run.sh"
    path.write_text("".join(f"printf '%s\\n' \"$V{n}\" >> got\n" for n in range(len(values))))
    native(path, env, {})
    assert (folder / "got").read_text(encoding="utf-8").split("\n")[:-1] == values


def test_variables_expand_but_commands_do_not(native: NativeRun):
    env, _ = call(native, 'echo "OUT=$CM_Z" > tmp-run-env.out', {"A": "b", "CM_Z": "$A `echo no` $(echo no)"})
    assert env["OUT"] == "b `echo no` $(echo no)"


def test_export_lines():
    env = {"B": 1, "A": True, "+PATH": ["/x", "/y"], "+ F": ["-a", "-b"], "+;S": "p", "not a name": "x", "L": ["a"]}
    assert list(export_lines(env)) == [
        'export F="-a -b ${F}"',
        'export S="p;${S}"',
        'export PATH="/x:/y:${PATH}"',
        'export A="True"',
        'export B="1"',
        "export L=\"['a']\"",
    ]


def test_a_trailing_backslash_does_not_eat_the_quote(native: NativeRun):
    env, _ = call(native, 'echo "OUT=$A" > tmp-run-env.out', {"A": "x\\"})
    assert env["OUT"] == "x\\"


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("A=1\n\nB = b=c \nno sign\n=x\n", {"A": "1", "B": "b=c"}),
        ("", {}),
        ("A=\n", {"A": ""}),
        ("A=1\nA=2\n", {"A": "2"}),
    ],
)
def test_env_out(text: str, pairs: dict[str, str]):
    assert parse_env_out(text) == pairs


def test_a_prefix_comes_before_the_exports(native: NativeRun):
    env, _ = call(native, 'echo "OUT=$A" > tmp-run-env.out', {"A": "${P}!"}, {"script_prefix": ["P=first"]})
    assert env["OUT"] == "first!"


def test_output_goes_to_the_log(native: NativeRun, capfd: pytest.CaptureFixture[str]):
    call(native, "echo out; echo err >&2")
    assert native.log.read_text() == "out\nerr\n"
    assert capfd.readouterr().out == ""


def test_output_is_shown_where_asked_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    native = NativeRun(tmp_path, tmp_path / "log", show=True)
    native(script(native, "echo visible"), {}, {})
    assert "visible" in capfd.readouterr().out
    assert native.log.read_text() == "visible\n"


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("echo last words; exit 3", "ended with exit code 3"),
        ("echo last words; kill -9 $$", "was ended by signal 9"),
        ("echo last words; (kill -15 $BASHPID); exit $?", "ended with exit code 143 (signal 15)"),
    ],
)
def test_failures(native: NativeRun, text: str, how: str):
    with pytest.raises(StepFailed) as caught:
        call(native, text)
    error = caught.value
    assert error.cause == f"it's a script/run.sh {how}"
    assert (error.code, error.log, error.log_tail[0]) == (2, native.log, "last words")


def test_only_the_last_lines_are_shown(native: NativeRun):
    with pytest.raises(StepFailed) as caught:
        call(native, "seq 100; printf '%0500d\\n' 0; exit 1")
    assert len(caught.value.log_tail) == 12
    assert max(map(len, caught.value.log_tail)) == 300


def test_no_bash(native: NativeRun, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StepFailed, match="bash is not installed"):
        call(native, "true")


def test_an_interruption_ends_the_script(native: NativeRun, monkeypatch: pytest.MonkeyPatch):
    def interrupted(self: NativeRun, source, *_: object) -> None:
        assert source.read1(100) == b"started\n"
        raise KeyboardInterrupt

    monkeypatch.setattr(NativeRun, "_pump", interrupted)
    with pytest.raises(KeyboardInterrupt):
        call(native, "echo started; exec sleep 1000")


def test_a_choice_needs_an_existing_file():
    assert choose_script(frozenset({"run.sh"}), "run", {}) == "run.sh"
    assert choose_script(frozenset({"run.bat"}), "run", {}) == ""
    assert (
        choose_script(
            frozenset({"run-debian-12-x86_64.sh", "run-debian.sh", "run.sh"}),
            "run",
            {"CM_HOST_OS_FLAVOR": "debian", "CM_HOST_OS_VERSION": "12", "CM_HOST_PLATFORM_FLAVOR": "x86_64"},
        )
        == "run-debian-12-x86_64.sh"
    )
