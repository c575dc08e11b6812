"""Packing: what goes into a tree, what is refused, and that nothing half-made is ever left."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlperf_checker.conduct import check_tree
from mlperf_checker.layout import Layout, Place
from mlperf_submission import packing
from mlperf_submission.errors import SubmissionError
from mlperf_submission.packing import pack
from system_description import names
from tests.submission.conftest import RUN, contents, long_on_paper, refused, seeds_of, write_system

ROUNDS = ("v5.0", "v5.1", "v6.0", "v6.1")
CHECKOUT = os.environ.get("MLCOMMONS_INFERENCE")


def place(scenario="Offline", benchmark="sleeping", division="open"):
    return Place(division, "me", "box", benchmark, scenario)


def edit(results, scenario, **changes):
    path = results / RUN / scenario.lower() / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def rehashed(results):
    """Records that were made from the logs as they are now."""
    for path in results.glob("*/*/result.json"):
        record = json.loads(path.read_text())
        for file in (file for run in record["runs"] for file in run["files"]):
            file["sha256"] = hashlib.sha256((path.parent / file["path"]).read_bytes()).hexdigest()
        path.write_text(json.dumps(record))
    return results


class TestTree:
    @pytest.mark.parametrize("version", ROUNDS)
    def test_each_round_has_its_layout(self, order, results, version):
        long_on_paper(results, seeds_of(version))
        packed = pack(order())
        assert packed.report.ok and len(packed.report.verdicts) == 2
        assert packed.folder.name == f"me-open-{version}"
        layout, files = Layout.of(version), contents(packed.tree)
        for scenario in ("Offline", "SingleStream"):
            one = place(scenario)
            assert str(layout.performance(one) / "mlperf_log_detail.txt") in files
            assert set(json.loads(files[str(layout.measurements_file(one))])) == set(
                packing.selection.roundfiles.load(version).submission.measurement_keys
            )
            for name in ("README.md", "user.conf"):
                assert files[str(layout.measurements(one) / name)]
            assert len(files[str(layout.accuracy(one) / "mlperf_log_accuracy.json")]) == 2 * 4096 + 7
            assert b"\nhash=" in files[str(layout.accuracy(one) / "accuracy.txt")]
        assert json.loads(files[str(layout.model_mapping("me"))]) == {"sleeping": "resnet"}
        assert json.loads(files[str(layout.system_file("open", "me", "box"))])["framework"] == "sleep"
        assert str(layout.code("open", "me", "sleeping") / "README.md") in files
        assert str(layout.code("open", "me") / "harness" / "sut.py") in files

    def test_originals_are_never_changed(self, order, results, system_file):
        before = contents(results), contents(system_file.parent)
        pack(order())
        assert (contents(results), contents(system_file.parent)) == before

    def test_the_same_results_give_the_same_tarball(self, order, tmp_path):
        first, second = pack(order()), pack(order(output=tmp_path / "again"))
        assert first.tarball.read_bytes() == second.tarball.read_bytes()

    def test_the_tarball_holds_the_tree_and_the_manifest_all_hashes(self, order):
        packed = pack(order())
        with tarfile.open(packed.tarball) as tar:
            held = {one.name.partition("/")[2]: tar.extractfile(one).read() for one in tar if one.isfile()}
        assert held == contents(packed.tree)
        listed = dict(
            reversed(line.split("  ")) for line in (packed.folder / "MANIFEST.sha256").read_text().splitlines()
        )
        there = {name: hashlib.sha256(data).hexdigest() for name, data in contents(packed.folder).items()}
        del there["MANIFEST.sha256"]
        assert listed == there

    def test_the_readme_has_the_command_and_the_lock(self, order, tmp_path):
        (tmp_path / "my lock").write_text("{}")
        files = contents(pack(order(lock=tmp_path / "my lock")).tree)
        page = files["open/me/results/box/sleeping/Offline/README.md"].decode()
        assert "cmr 'run mlperf inference' _sleeping" in page
        assert "cmr --replay=open/me/src/sleeping/lock.json" in page
        assert files["open/me/src/sleeping/lock.json"] == b"{}"

    def test_secrets_in_a_command_do_not_leave(self, order, results):
        edit(results, "Offline", request={"argv": ["run", "--token=hf_" + "a" * 34]})
        pages = b"".join(contents(pack(order()).tree).values())
        assert b"hf_aaaa" not in pages and b"<redacted>" in pages

    def test_the_owner_may_say_what_the_measurements_are(self, order, tmp_path):
        (tmp_path / "m.yaml").write_text("retraining: on own images\n")
        files = contents(pack(order(measurements=tmp_path / "m.yaml")).tree)
        assert (
            json.loads(files["open/me/results/box/sleeping/Offline/measurements.json"])["retraining"] == "on own images"
        )
        (tmp_path / "m.yaml").write_text("trained: yes\n")
        with pytest.raises(SubmissionError, match="must have some of these keys: input_data_types"):
            pack(order(measurements=tmp_path / "m.yaml", replace=True))

    def test_the_last_of_two_results_counts(self, order, results):
        shutil.copytree(results / RUN, results / "20260202-000000-sleeping-1111")
        path = results / "20260202-000000-sleeping-1111" / "offline" / "result.json"
        path.write_text(path.read_text().replace("2026-01-01T", "2026-02-02T").replace(RUN, "later"))
        files = contents(pack(order()).tree)
        assert b"record: later/offline" in files["open/me/results/box/sleeping/Offline/README.md"]

    def test_a_scenario_without_a_place_is_left_out_and_named(self, order, results):
        path = edit(results, "Offline")
        record = json.loads(path.read_text())
        record["subject"]["scenario"] = "Server"
        path.write_text(json.dumps(record))
        packed = pack(order())
        assert [one.place.scenario for one in packed.report.verdicts] == ["SingleStream"]
        assert (
            "sleeping Server is left out: v6.1 has SingleStream, MultiStream, Offline for resnet" in packed.left_out[0]
        )


class TestRefusals:
    """Everything at once, each with its command."""

    def test_short_runs(self, order, short_runs):
        said = refused(order(records=(short_runs,)))
        assert said.count("demonstration run: min_duration is 200 ms, v6.1 needs 600000 ms") == 2
        assert 'cmr "run mlperf inference _valid" --model=sleeping --scenario=Offline' in said

    @pytest.mark.parametrize("division", ["open", "closed"])
    def test_synthetic_results(self, order, results, system_file, division):
        edit(results, "Offline", tier="synthetic")
        write_system(system_file, division=division)
        assert "data or weights are synthetic" in refused(order())

    def test_embedded_results_in_closed_only(self, order, results, system_file):
        edit(results, "Offline", tier="embedded")
        packed = pack(order())
        assert "Ask MLCommons before you submit" in packed.notes[0]
        write_system(system_file, division="closed")
        shutil.rmtree(order().output)
        assert "of the tier embedded; the closed division needs the official ones" in refused(order())

    def test_another_model_in_closed(self, order, system_file):
        write_system(system_file, division="closed")
        assert "the closed division needs the benchmark's own model" in refused(order())

    def test_closed_lacks_scenarios_and_compliance(self, order, results, system_file):
        long_on_paper(results, division="closed candidate")
        write_system(system_file, division="closed")
        said = refused(order())
        assert "resnet (edge): MultiStream is required and missing" in said
        assert said.count("TEST01 was not run") == 2 and said.count("TEST04 was not run") == 2
        assert f'cmr "run mlperf inference compliance" --result_dir={results / RUN / "offline"}' in said

    @pytest.mark.parametrize(
        ("key", "verdict", "word"),
        [
            ("validity", {"valid": False, "reasons": ["Min duration satisfied: NO"]}, "Min duration satisfied: NO"),
            ("device", {"valid": False, "reasons": ["the GPU was throttled"]}, "the GPU was throttled"),
        ],
    )
    def test_invalid_and_suspect(self, order, results, key, verdict, word):
        path = edit(results, "Offline")
        record = json.loads(path.read_text())
        for run in record["runs"]:
            if key == "device":
                run["device"]["verdict"] = verdict
            else:
                run[key] = verdict
        path.write_text(json.dumps(record))
        assert f"not valid: {word}" in refused(order()) or f": {word}" in refused(order())

    @pytest.mark.parametrize("mode", ["performance", "accuracy"])
    def test_a_missing_run(self, order, results, mode):
        path = edit(results, "Offline")
        record = json.loads(path.read_text())
        record["runs"] = [run for run in record["runs"] if run["mode"] != mode]
        path.write_text(json.dumps(record))
        assert f"there is no {mode} run" in refused(order())
        assert f"there is no {mode} run" in refused(order(demonstration=True))

    @pytest.mark.parametrize("name", ["mlperf_log_detail.txt", "mlperf_log_accuracy.json", "accuracy.txt"])
    def test_files_of_another_run(self, order, results, name):
        with (results / RUN / "offline" / "accuracy" / "run_1" / name).open("a") as file:
            file.write("\n")
        assert f"{name} was changed since it was measured" in refused(order(demonstration=True))

    def test_a_log_that_is_gone(self, order, results):
        (results / RUN / "offline" / "performance" / "run_1" / "mlperf_log_summary.txt").unlink()
        assert "mlperf_log_summary.txt is missing" in refused(order())

    def test_rounds_do_not_mix(self, order, results, tmp_path):
        other = Path(shutil.copytree(results, tmp_path / "other"))
        long_on_paper(other, seeds_of("v5.1"))
        shutil.rmtree(other / RUN / "singlestream")
        shutil.rmtree(results / RUN / "offline")
        said = refused(order(records=(results, other)))
        assert "v5.1: sleeping Offline" in said and "v6.1: sleeping SingleStream" in said

    def test_another_round_than_asked(self, order):
        assert "v6.0 was asked for, but the seeds of the runs are those of v6.1" in refused(order(round="v6.0"))

    def test_seeds_of_no_round(self, order, results):
        long_on_paper(results, {"qsl_rng_seed": 1})
        assert "no known round: sleeping" in refused(order())

    def test_an_incomplete_description(self, order, system_file):
        write_system(system_file, cooling="", host_networking_topology="")
        said = refused(order())
        assert "'cooling' is missing" in said and "'host_networking_topology' is missing" in said

    @pytest.mark.parametrize("name", ["../../etc", "a b", "ü", ".hidden", "", "x" * 200, "a/b", "-rf", "con\n"])
    def test_hostile_names(self, order, system_file, name):
        write_system(system_file, submitter=name or " ")
        assert "cannot be a folder of a submission" in refused(order(submitter=name, demonstration=True))

    def test_no_results(self, order, tmp_path):
        (tmp_path / "empty").mkdir()
        assert "there are no results in" in refused(order(records=(tmp_path / "empty",)))

    def test_a_broken_record(self, order, results):
        (results / RUN / "offline" / "result.json").write_text("{")
        assert "is not a result record" in refused(order())

    @pytest.mark.parametrize("text", ["{", "[]", "3", '"x"', "[[1, 2]]"])
    def test_a_broken_description(self, order, system_file, text):
        system_file.write_text(text)
        assert "is no description of a system" in refused(order())


@given(st.text(max_size=120))
def test_every_name_is_good_or_has_words_against_it(name):
    objection = names.objection("the system", name)
    if not objection:
        assert Path(name).name == name and name not in (".", "..")
    cleaned = names.cleaned(name)
    assert not cleaned or not names.objection("the system", cleaned)


class TestDemonstration:
    def test_it_is_marked_everywhere_but_in_the_tree_of_the_division(self, order, short_runs):
        packed = pack(order(records=(short_runs,), demonstration=True))
        assert packed.tarball.name == "me-open-v6.1-demonstration-NOT-SUBMITTABLE.tar.gz"
        page = (packed.folder / "NOT-SUBMITTABLE.md").read_text()
        assert "min_duration is 200 ms" in page and "synthetic" in page and "[duration]" in page
        with tarfile.open(packed.tarball) as tar:
            assert tar.getnames()[0].endswith("/NOT-SUBMITTABLE.md")
        assert [one.name for one in packed.tree.iterdir()] == ["open"]
        readme = (packed.tree / "open/me/results/box/sleeping/Offline/README.md").read_text()
        assert readme.startswith("**A demonstration. It cannot be submitted")

    def test_a_description_with_holes_is_enough(self, order, short_runs, system_file):
        system_file.write_text("{}")
        packed = pack(order(records=(short_runs,), demonstration=True))
        described = json.loads(next(packed.tree.rglob("systems/box.json")).read_text())
        assert described["cooling"] == "not given" and described["status"] == "rdi"


class TestInference:
    def test_nothing_unasked(self, order):
        assert len(pack(order()).report.verdicts) == 2

    @pytest.mark.parametrize("version", ["v5.1", "v6.1"])
    def test_multistream_from_singlestream_and_never_a_second_offline(self, order, results, version):
        """Upstream's tool adds a lower-case `offline` beside a measured one, and misnames v5 measurements."""
        long_on_paper(results, seeds_of(version))
        packed = pack(order(infer=True))
        assert {one.place.scenario: one.inferred for one in packed.report.verdicts} == {
            "Offline": False,
            "SingleStream": False,
            "MultiStream": True,
        }
        assert packed.report.ok
        assert (packed.tree / Layout.of(version).measurements_file(place("MultiStream"))).is_file()

    def test_not_without_loadgen_s_estimate(self, order, results):
        for log in results.glob("*/singlestream/performance/run_1/mlperf_log_detail.txt"):
            log.write_text(log.read_text().replace('_latency_ms", "value": 9000000', '_latency_ms", "value": 0'))
        packed = pack(order(infer=True, demonstration=True, records=(rehashed(results),)))
        assert {one.place.scenario for one in packed.report.verdicts} == {"Offline", "SingleStream"}

    def test_not_on_datacenter_systems(self, order, system_file):
        write_system(system_file, system_type="datacenter")
        with pytest.raises(SubmissionError, match="nothing is left to submit"):
            pack(order(infer=True))


class TestBesideTheRuns:
    def test_compliance_tests_and_power_go_where_the_round_has_them(self, order, results, system_file, tmp_path):
        folder = results / RUN / "offline"
        for name in ("client.json", "client.log", "server.json", "server.log", "ptd_logs.txt"):
            put(folder / "performance" / "power" / name, "x\n")
        for name in ("mlperf_log_summary.txt", "mlperf_log_detail.txt", "spl.txt"):
            put(folder / "performance" / "ranging" / name, "ranging\n")
        put(folder / "performance" / "run_1" / "spl.txt", "Time,…\n")
        put(folder / "TEST01" / "verify_accuracy.txt", "TEST PASS\n")
        put(folder / "TEST01" / "performance" / "run_1" / "mlperf_log_summary.txt", "x")
        put(folder / "TEST01" / "performance" / "run_1" / "mlperf_log_detail.txt", "x")
        put(folder / "TEST01" / "accuracy" / "mlperf_log_accuracy.json", "y" * 30_000)
        put(folder / "TEST01" / "accuracy" / "accuracy.txt", "accuracy=76.0%\n")
        said = refused(order())
        assert "power results need an account of the analyzer" in said and "'power_management' is missing" in said
        settings = {name: put(tmp_path / f"{name}.md", "text\n") for name in ("analyzer_table", "power_settings")}
        files = contents(pack(order(demonstration=True, **settings)).tree)
        one = Layout.of("v6.1").results(place())
        for name in ("power/ptd_logs.txt", "ranging/spl.txt", "run_1/spl.txt"):
            assert files[f"{one}/performance/{name}"]
        assert files[f"{one}/analyzer_table.md"] and files[f"{one}/power_settings.md"]
        assert files[f"{one}/TEST01/verify_accuracy.txt"] == b"TEST PASS\n"
        assert len(files[f"{one}/TEST01/accuracy/mlperf_log_accuracy.json"]) < 10_240
        assert b"hash=" in files[f"{one}/TEST01/accuracy/accuracy.txt"]

    def test_half_a_power_measurement_is_named(self, order, results):
        put(results / RUN / "offline" / "performance" / "power" / "client.json", "{}")
        said = refused(order(demonstration=True))
        assert "ptd_logs.txt is missing" in said and "spl.txt is missing" in said


@pytest.mark.skipif(not CHECKOUT, reason="MLCOMMONS_INFERENCE names no checkout of mlcommons/inference")
@pytest.mark.parametrize("version", ["v5.1", "v6.0", "v6.1"])
@pytest.mark.parametrize("program", [("-m", "submission_checker.main"), ("submission_checker_old.py",)])
def test_upstream_s_unmodified_checkers_pass_it(order, results, version, program, tmp_path):
    if version == "v5.1" and "old" in program[0]:
        pytest.skip("the old checker of today reads the newer layout only")
    long_on_paper(results, seeds_of(version))
    packed = pack(order())
    options = ["--input", str(packed.tree), "--version", version, "--submitter", "me", "--csv", str(tmp_path / "s.csv")]
    folder = Path(str(CHECKOUT)) / "tools" / "submission"
    done = subprocess.run([sys.executable, *program, *options], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and "SUMMARY: submission looks OK" in done.stderr, done.stderr[-3000:]
    assert check_tree(packed.tree, version).ok
