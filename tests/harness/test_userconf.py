"""user.conf is validated more strictly than loadgen does it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import userconf
from harness.errors import HarnessError

GOOD = """# sized on a quiet machine
resnet50.Offline.target_qps = 1000.5
resnet50.SingleStream.target_latency = 0.5

*.Server.target_latency = 15
*.*.min_duration = 600000
resnet50.Server.coalesce_queries = 1
"""


def test_good_lines_keep_their_numbers():
    entries = userconf.parse(GOOD)
    assert [(one.line, one.model, one.scenario, one.key, one.value) for one in entries][:2] == [
        (2, "resnet50", "Offline", "target_qps", 1000.5),
        (3, "resnet50", "SingleStream", "target_latency", 0.5),
    ]
    assert len(entries) == 5


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("resnet50.Offline.target_qps=10", "spaces around '='"),
        ("resnet50.Offline.target_qps = 10 # fast", "a comment needs a line of its own"),
        ("#resnet50.Offline.target_qps = 10", "a comment needs a line of its own"),
        ("resnet50.Offline.target_qps =", "spaces around '='"),
        ("resnet50.Offline.target_qps = 10 20", "spaces around '='"),
        ("resnet.Offline.target_qps = 10", "unknown model 'resnet', did you mean 'resnet50'?"),
        ("resnet50.offline.target_qps = 10", "unknown scenario 'offline', did you mean 'Offline'? (case matters)"),
        ("resnet50.Offline.target_qsp = 10", "unknown key 'target_qsp', did you mean 'target_qps'?"),
        ("resnet50.target_qps = 10", "not of the form model.Scenario.key"),
        ("resnet50.SingleStream.target_qps = 10", "no effect in SingleStream"),
        ("resnet50.Offline.target_latency = 10", "no effect in Offline"),
        ("*.*.qsl_rng_seed = 1", "qsl_rng_seed is not allowed"),
        ("*.*.sample_index_rng_seed = 1", "is not allowed"),
        ("*.*.schedule_rng_seed = 1", "is not allowed"),
        ("*.*.accuracy_log_probability = 1", "is not allowed"),
        ("*.*.test05 = 1", "is not allowed"),
        ("*.*.mode = 1", "is not allowed"),
        ("resnet50.Offline.target_qps = fast", "must be a number"),
        ("resnet50.Offline.target_qps = -1", "must be a number that is not negative"),
        ("resnet50.Offline.target_qps = nan", "must be a number"),
        ("resnet50.Offline.min_query_count = 1.5", "whole decimal number"),
        ("resnet50.Offline.min_query_count = 010", "whole decimal number"),
        ("resnet50.Offline.min_query_count = 1e3", "whole decimal number"),
        ("resnet50.Server.target_latency = 15.5", "whole decimal number"),
        ("resnet50.Server.coalesce_queries = 2", "must be 0 or 1"),
    ],
)
def test_each_trap_is_an_error_with_its_line(line, said):
    with pytest.raises(userconf.UserConfError) as caught:
        userconf.parse(f"# first\n{line}\n")
    (problem,) = caught.value.problems
    assert problem.line == 2
    assert said in problem.text
    assert caught.value.cause.startswith("user.conf:2: ")


def test_all_problems_are_told_at_once():
    with pytest.raises(userconf.UserConfError) as caught:
        userconf.parse("a.b.c=1\nresnet50.Offline.target_qps = 1\nresnet50.Offline.target_qps = 2\n")
    assert [problem.line for problem in caught.value.problems] == [1, 3]
    assert "already set in line 2" in caught.value.cause


def test_a_model_of_ones_own_must_be_named():
    line = "my-net.Offline.target_qps = 1\n"
    with pytest.raises(userconf.UserConfError):
        userconf.parse(line)
    assert userconf.parse(line, extra_models=("my-net",))[0].model == "my-net"


def test_lookup_follows_loadgen_where_scenario_beats_model():
    entries = userconf.parse(
        "*.*.min_duration = 1\nresnet50.*.min_duration = 2\n*.Offline.min_duration = 3\n"
        "resnet50.Offline.max_duration = 4\n*.Server.max_duration = 5\n"
    )
    found = userconf.lookup(entries, "resnet50", "Offline")
    assert {key: entry.value for key, entry in found.items()} == {"min_duration": 3, "max_duration": 4}
    assert userconf.lookup(entries, "resnet50", "MultiStream")["min_duration"].value == 2
    assert userconf.lookup(entries, "bert", "SingleStream")["min_duration"].value == 1


def test_an_unreadable_file_is_named(tmp_path):
    for path in (tmp_path / "absent.conf", tmp_path):
        with pytest.raises(HarnessError, match=r"cannot read user\.conf"):
            userconf.read(path)


@given(
    qps=st.floats(min_value=1e-3, max_value=1e9, allow_nan=False),
    latency=st.integers(min_value=0, max_value=10**6),
    count=st.integers(min_value=0, max_value=2**31),
)
def test_rendered_text_reads_back(qps, latency, count):
    text = userconf.render(
        "resnet50", {"Offline": {"target_qps": qps, "min_query_count": count}, "Server": {"target_latency": latency}}
    )
    assert [entry.value for entry in userconf.parse(text)] == [qps, count, latency]


def test_rendering_a_bad_key_is_refused():
    with pytest.raises(userconf.UserConfError, match="no effect"):
        userconf.render("resnet50", {"SingleStream": {"target_qps": 1}})
    with pytest.raises(userconf.UserConfError, match="is not allowed"):
        userconf.render("resnet50", {"*": {"qsl_rng_seed": 1}})


def test_loadgen_reads_what_we_render(tmp_path):
    lg = pytest.importorskip("mlperf_loadgen")
    conf = tmp_path / "user.conf"
    conf.write_text(userconf.render("resnet50", {"Offline": {"target_qps": 123.25, "min_query_count": 77}}))
    settings = lg.TestSettings()
    # type 2: a file on top, which loadgen allows any number of times per process
    assert settings.FromConfig(str(conf), "resnet50", "Offline", 2) == 0
    assert settings.offline_expected_qps == 123.25
    assert settings.min_query_count == 77
