"""Manifests that parse but hold the wrong kind of value: never a traceback, and never anybody else's problem."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
import yaml
from tests.workbench import Bench, RepoBuilder

from cm4bench.errors import CMBenchError

KEYS = [
    *("tags", "sort", "cache", "deps", "prehook_deps", "posthook_deps", "post_deps", "env", "default_env", "const"),
    *("state", "new_env_keys", "new_state_keys", "variations", "versions", "default_version", "default_variation"),
    *("input_mapping", "inputs", "outputs", "sources", "requires", "ad", "adr", "update_meta_if_env"),
    *("valid_variation_combinations", "invalid_variation_combinations"),
]
VALUES: list[Any] = [5, "text", True, None, [1], ["a"], [None], [[1]], [{"a": 1}], [{"tags": 5}]]
VALUES += [{"a": 1}, {"a": "b"}, {"a": {"b": 1}}, {"a": None}, {"x": [1]}]


@pytest.mark.parametrize("key", KEYS)
def test_any_kind_of_value(bench: Bench, repo: RepoBuilder, key: str):
    repo.script("good")
    for number, value in enumerate(VALUES):
        folder = repo.script(f"odd{number}")
        manifest = yaml.safe_load((folder / "_cm.yaml").read_text()) | {key: value}
        (folder / "_cm.yaml").write_text(yaml.safe_dump(manifest))
    assert bench.run("good").ran == ("good",)
    for number in range(len(VALUES)):
        for request in (f"odd{number}", f"odd{number},_a"):
            with contextlib.suppress(CMBenchError):
                bench.plan(request)
