"""Completion: the real shells are asked what they would offer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench.errors import CMBenchError
from cm4bench.tools.completion import shell_code, write_table


@pytest.fixture
def code(bench: Bench, repo: RepoBuilder, tmp_path: Path) -> str:
    device = {"env": "CM_D", "type": "choice", "choices": ["cpu", "cuda"]}
    repo.script("get-cuda", tags="get,cuda", variations={"toolkit": {}, "driver": {}, "a,b": {}, "version.#": {}})
    repo.script("run-it", tags="run,it", inputs={"device": device, "batch_size": {"env": "CM_B"}})
    return shell_code("bash", write_table(bench.engine().catalog, tmp_path / "a folder's"))


def offered(code: str, line: str) -> list[str]:
    """What bash offers for a line with the cursor at its end."""
    script = f"""{code}
COMP_LINE="$1" COMP_POINT=${{#1}}
read -r -a COMP_WORDS <<< "$1"
[[ "$1" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_cm4bench "${{COMP_WORDS[0]}}" "$2" ""
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    current = line.rpartition(" ")[2].lstrip("\"'")
    current = current.rpartition("=")[2] if current.startswith("--") else current  # as readline breaks words
    done = subprocess.run(["bash", "-c", script, "bash", line, current], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.split())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("cmr g", ["get"]),
        ("cmr get ", ["_driver", "_toolkit", "_version.", "cuda"]),
        ('cmr "get cu', ["cuda"]),
        ("cmr get,cuda,_", ["get,cuda,_driver", "get,cuda,_toolkit", "get,cuda,_version."]),
        ('cmr "get cuda _t', ["_toolkit"]),
        ("./cmr get cuda _toolkit _t", []),
        ("cmr run it --b", ["--batch_size="]),
        ("cmr run it --device=c", ["cpu", "cuda"]),
        ("cmr get cuda --dev", []),
        ("cmr get cuda --rep", ["--replay=", "--replay_anyway"]),
        ("cm ex", ["explain"]),
        ("cm explain s", ["script"]),
        ("cm explain script g", ["get"]),
        ("cmr nothing _", []),
    ],
)
def test_bash(code: str, line: str, words: list[str]):
    assert offered(code, line) == words


def test_both_shells_read_it(code: str, bench: Bench, tmp_path: Path):
    assert subprocess.run(["bash", "-n"], input=code, text=True).returncode == 0
    zsh = shutil.which("zsh")
    if zsh:
        table = write_table(bench.engine().catalog, tmp_path)
        source = shell_code("zsh", table) + "_cm4bench_words 'get ' _t\n"
        done = subprocess.run([zsh, "-f"], input=source, text=True, capture_output=True)
        assert (done.stdout, done.stderr) == ("_toolkit\n", "")


def test_no_word_becomes_a_command(bench: Bench, repo: RepoBuilder, tmp_path: Path):
    bad = ["$(touch x)", "`touch x`", "a;b", "a b", "a\tb", "a\nb", "'", '"']
    repo.script("evil", tags="evil", variations={word: {} for word in bad}, input_mapping=dict.fromkeys(bad, "CM_X"))
    table = write_table(bench.engine().catalog, tmp_path)
    assert table.read_text().splitlines()[1] == "evil\t\t"


def test_an_unknown_shell(tmp_path: Path):
    with pytest.raises(CMBenchError, match="--shell=fish: no such shell"):
        shell_code("fish", tmp_path)


def test_a_folder_that_cannot_be_written(bench: Bench, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CMBenchError, match="cannot be written"):
        write_table(bench.engine().catalog, tmp_path / "file" / "x")
