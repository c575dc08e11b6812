"""Plans as Mermaid: every step once, dashed where undecided, and no text can end the label it is in."""

from __future__ import annotations

import re

from tests.workbench import Bench, RepoBuilder

from cm4bench.tools.planmermaid import mermaid_lines


def test_steps_arrows_and_reasons(bench: Bench, repo: RepoBuilder):
    repo.script("a", cache=True)
    repo.script("b", deps=[{"tags": "a", "why": 'for "it" #1 | <b>'}])
    repo.script("c", deps=[{"tags": "a"}, {"tags": "b"}, {"tags": "a", "enable_if_env": {"CM_NO": ["yes"]}}])
    bench.run("a")
    lines = list(mermaid_lines(bench.plan("c")))
    assert lines[0] == "flowchart TD"
    assert '  s0["a<br/>cached"]:::cached' in lines
    assert '  s1 -->|"for #34;it#34; #35;1 #124; #60;b#62;"| s0' in lines
    assert '  s2["c"]:::torun' in lines
    assert [line for line in lines if line.startswith("  s2 ")] == ["  s2 --> s0", "  s2 --> s1"]


def test_what_is_decided_later_is_dashed(bench: Bench, repo: RepoBuilder):
    repo.script("late", deps=[{"tags": "later"}])
    repo.script("later")
    hook = "def preprocess(i):\n    i['env']['CM_X'] = 'yes'\n    return {'return': 0}\n"
    repo.script("c", customize=hook, post_deps=[{"tags": "late", "enable_if_env": {"CM_X": ["yes"]}}])
    text = "\n".join(mermaid_lines(bench.plan("c")))
    assert re.search(r'^  s0 -\.->\|"enable_if_env CM_X=yes"\| s1$', text, re.MULTILINE)
    assert '["late"]:::perhaps' in text
