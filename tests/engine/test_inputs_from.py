"""`inputs_from:`: a front door offers the flags of the scripts behind it."""

from pathlib import Path

import pytest
from tests.workbench import Bench, RepoBuilder

from cm4bench.errors import CMBenchError
from cm4bench.helptext import help_lines


@pytest.fixture
def door(strict_repo: RepoBuilder, tmp_path: Path) -> Bench:
    size = {"env": "CM_BERT_SIZE", "type": "int", "help": "questions"}
    strict_repo.script("task-bert", tags="task,bert", inputs={"squad_path": {"env": "CM_SQUAD"}, "size": size})
    llm = {"size": {"env": "CM_LLM_SIZE", "help": "prompts"}, "model": {"env": "CM_OTHER"}}
    strict_repo.script("task-llm", tags="task,llm", inputs=llm)
    own = {"model": {"env": "CM_MODEL", "help": "what to run"}}
    seen = "env | grep -E '^CM_(SQUAD|BERT_SIZE|LLM_SIZE|MODEL|OTHER)=' | sort > tmp-run-env.out"
    keys = ["CM_SQUAD", "CM_BERT_SIZE", "CM_LLM_SIZE", "CM_MODEL", "CM_OTHER"]
    strict_repo.script("door", inputs=own, inputs_from=["task"], new_env_keys=keys, run=seen)
    return Bench(tmp_path / "CM", strict_repo.value)


def test_borrowed_flags_set_the_keys_of_every_lender(door: Bench) -> None:
    found = door.run("door", options={"squad_path": "/s", "size": "3", "model": "m"}).outcome.new_env
    assert found == {"CM_SQUAD": "/s", "CM_BERT_SIZE": "3", "CM_LLM_SIZE": "3", "CM_MODEL": "m"}


def test_a_flag_of_no_lender_is_still_an_error(door: Bench) -> None:
    with pytest.raises(CMBenchError, match=r"no option --squad_pat .did you mean .squad_path"):
        door.plan("door", options={"squad_pat": "/s"})


def test_help_shows_each_flag_once_its_own_first(door: Bench) -> None:
    shown = [line.split("=")[0].strip() for line in help_lines(door.engine().find_script("door")) if " --" in line]
    assert shown == ["--model", "--squad_path", "--size"]
