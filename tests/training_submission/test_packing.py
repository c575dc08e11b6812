"""From trainings to a submission: what comes out is accepted, and what must not come out is refused, all at once."""

import hashlib
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlperf_submission.errors import SubmissionError
from tests.training_submission.runs import Clock, write_run
from tests.training_submission.trees import description, drop_event
from training_submission.order import Order
from training_submission.packing import Packed, pack


@pytest.fixture
def base(tmp_path: Path) -> Path:
    describe(tmp_path)
    return tmp_path


def describe(base: Path) -> None:
    (base / "systems").mkdir()
    (base / "systems" / "box.json").write_text(json.dumps(description(), indent=1))


def train(base: Path, clock: Clock, task: str = "resnet", runs: int = 5, **more: object) -> Path:
    for number in range(runs):
        options = {"seed": 10 + number, "seconds": 60.0 * (number + 1), **more}
        write_run(base / "trained" / f"run_{number}", task, clock, **options)
    return base / "trained"


def order(base: Path, **more: object) -> Order:
    values = {
        "records": (base / "trained",),
        "description": base / "systems" / "box.json",
        "output": base / "out",
        "submitter": "us",
        **more,
    }
    return Order(**values)


def refused(base: Path, **more: object) -> str:
    with pytest.raises(SubmissionError) as error:
        pack(order(base, **more))
    assert not list((base / "out").glob("*")) if (base / "out").exists() else True
    return error.value.cause


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packed]:
    """One submission for all that only look at it."""
    base = tmp_path_factory.mktemp("packed")
    describe(base)
    with pytest.MonkeyPatch.context() as patch:
        train(base, Clock(patch))
        yield pack(order(base))


class TestAccepted:
    def test_both_checkers_accept_it(self, packed: Packed) -> None:
        assert (packed.report.ok, packed.report.accepted, packed.report.ruleset) == (True, True, "training 4.0.0")
        assert packed.report.rows[0].minutes == pytest.approx(3, abs=1e-4)

    def test_everything_is_where_it_belongs(self, packed: Packed) -> None:
        found = {str(path.relative_to(packed.folder)) for path in packed.folder.rglob("*") if path.is_file()}
        assert {
            "MANIFEST.sha256",
            "summary.csv",
            "summary.md",
            "us-training-open-v4.0.0.tar.gz",
            "submission/us/systems/box.json",
            "submission/us/results/box/resnet/result_0.txt",
            "submission/us/results/box/resnet/result_4.txt",
            "submission/us/benchmarks/resnet/implementations/cm4bench/README.md",
            "submission/us/benchmarks/resnet/implementations/cm4bench/trainer/loop.py",
        } <= found
        assert "| us | box | open | resnet | 3 | 5 | 1, 5 |" in (packed.folder / "summary.md").read_text()

    def test_logs_are_copied_as_they_are(self, packed: Packed) -> None:
        logs = sorted((packed.tree / "results/box/resnet").iterdir())
        originals = sorted((packed.folder.parents[1] / "trained").glob("*/result_*.txt"))
        assert [path.read_bytes() for path in logs] == [path.read_bytes() for path in originals]

    def test_hashes_are_right_and_the_tarball_holds_the_tree(self, packed: Packed) -> None:
        for line in (packed.folder / "MANIFEST.sha256").read_text().splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256((packed.folder / name).read_bytes()).hexdigest() == digest
        with tarfile.open(packed.tarball) as tar:
            names = tar.getnames()
        assert "us-training-open-v4.0.0/us/results/box/resnet/result_3.txt" in names

    def test_framework_and_versions_come_from_the_runs(self, base: Path, clock: Clock) -> None:
        given = {key: text for key, text in description().items() if key not in ("framework", "other_software_stack")}
        (base / "systems/box.json").write_text(json.dumps({**given, "host_processor_vcpu_count": "", "status": "rdi"}))
        train(base, clock)
        found = json.loads((pack(order(base)).tree / "systems/box.json").read_text())
        assert found["framework"] == "PyTorch 2.13.0"
        assert found["other_software_stack"] == "Python 3.11.7"
        assert found["status"] == "Research, Development, or Internal (RDI)"
        assert found["host_processor_vcpu_count"] == "2"

    def test_a_packed_one_is_replaced_only_if_asked(self, packed: Packed) -> None:
        base = packed.folder.parents[1]
        with pytest.raises(SubmissionError, match="exists already"):
            pack(order(base))
        assert pack(order(base, replace=True)).folder == packed.folder

    def test_hpc_goes_below_strong(self, base: Path, clock: Clock) -> None:
        train(base, clock, "deepcam", quality=0.85)
        packed = pack(order(base))
        assert (packed.tree / "results/box/strong/deepcam/result_0.txt").is_file()
        assert packed.report.accepted

    def test_one_failed_run_counts_as_the_slowest(self, base: Path, clock: Clock) -> None:
        train(base, clock, runs=4)
        write_run(base / "trained/run_4", "resnet", clock, seed=14, success=False)
        packed = pack(order(base))
        assert packed.report.rows[0].minutes == pytest.approx(3, abs=1e-4)
        assert packed.report.rows[0].score.left_out[-1] == float("inf")

    def test_data_of_packages_are_noted(self, base: Path, clock: Clock) -> None:
        train(base, clock, tier="embedded")
        assert "real data, but not the benchmark's own" in pack(order(base)).notes[0]

    def test_logs_that_name_nobody_are_noted(self, base: Path, clock: Clock) -> None:
        train(base, clock, organization="unnamed")
        assert "the logs do not say whose runs they are" in pack(order(base)).notes[0]

    def test_records_of_other_benchmarks_are_passed_over(self, base: Path, clock: Clock) -> None:
        train(base, clock)
        (base / "trained/inference").mkdir()
        (base / "trained/inference/result.json").write_text('{"schema": "something else"}')
        assert pack(order(base)).report.ok


class TestRefused:
    def test_everything_at_once(self, base: Path, clock: Clock) -> None:
        (base / "systems/box.json").write_text(json.dumps(description(cooling=None)))
        train(base, clock, runs=2, tier="synthetic", seed=1)
        cause = refused(base)
        for wanted in (
            "'cooling'",
            "there are 2 runs, a result needs exactly 5",
            "2 runs have the seed 1",
            "its data are synthetic",
        ):
            assert wanted in cause
        assert not (base / "out").exists()

    def test_too_many_runs(self, base: Path, clock: Clock) -> None:
        train(base, clock, runs=6)
        assert "choosing the best is not allowed" in refused(base)

    def test_more_failed_runs_than_do_not_count(self, base: Path, clock: Clock) -> None:
        train(base, clock, success=False)
        assert "5 of 5 runs did not reach their target, at most 1 may" in refused(base)

    def test_small_data_in_the_closed_division(self, base: Path, clock: Clock) -> None:
        train(base, clock, tier="embedded", division="closed")
        assert "the closed division needs the official ones" in refused(base, division="closed")

    def test_a_closed_log_without_its_hyperparameters_stops_at_the_checker(self, base: Path, clock: Clock) -> None:
        train(base, clock, division="closed")
        cause = refused(base, division="closed")
        assert "the checker objects" in cause and "sgd_opt_momentum is missing" in cause

    def test_logs_of_somebody_else(self, base: Path, clock: Clock) -> None:
        train(base, clock, organization="them")
        assert "submission_org in its log is 'them', not 'us'" in refused(base)

    def test_a_log_of_another_run(self, base: Path, clock: Clock) -> None:
        trained = train(base, clock)
        (trained / "run_0/result_10.txt").write_bytes((trained / "run_1/result_11.txt").read_bytes())
        cause = refused(base, demonstration=False)
        assert "seed in its log is 11, not 10" in cause and "do not tell the same time to train" in cause

    def test_a_log_without_end_or_none_at_all(self, base: Path, clock: Clock) -> None:
        trained = train(base, clock)
        drop_event(trained / "run_0/result_10.txt", "run_stop")
        (trained / "run_1/result_11.txt").unlink()
        cause = refused(base)
        assert "do not tell the same time" in cause and "result_11.txt is missing" in cause

    def test_runs_that_differ_in_more_than_their_seed(self, base: Path, clock: Clock) -> None:
        train(base, clock, runs=4)
        write_run(base / "trained/run_4", "resnet", clock, seed=14, recipe={"batch_size": 128}, target=0.9)
        cause = refused(base)
        assert "the hyper-parameters are not the same in all runs" in cause
        assert "the target is not the same in all runs" in cause

    def test_what_mlperf_does_not_have(self, base: Path, clock: Clock) -> None:
        train(base, clock, "llm", quality=3.4)
        assert "MLPerf has no rules for it" in refused(base)

    def test_training_and_hpc_apart(self, base: Path, clock: Clock) -> None:
        train(base, clock)
        for number in range(5):
            write_run(base / f"trained/hpc_{number}", "deepcam", clock, seed=number, quality=0.85)
        assert "hpc and training are submitted apart" in refused(base, version="3.0")

    def test_a_version_of_the_other_suite(self, base: Path, clock: Clock) -> None:
        write_run(base / "trained/a", "bert", clock)
        write_run(base / "trained/b", "deepcam", clock, quality=0.85)
        assert "deepcam: hpc 4.0.0 does not have it; 3.0.0 does" in refused(base, version="4.0")

    def test_benchmarks_of_different_rounds(self, base: Path, clock: Clock) -> None:
        train(base, clock)
        write_run(base / "trained/other", "transformer", clock, seed=1, quality=27.0)
        assert "transformer: training 4.0.0 does not have it; 0.7.0 does" in refused(base, version="4.0")

    def test_benchmarks_that_no_round_has_together(self, base: Path, clock: Clock) -> None:
        write_run(base / "trained/a", "unet3d", clock, seed=1)
        write_run(base / "trained/b", "transformer", clock, seed=1, quality=27.0)
        assert "no ruleset of training has all of transformer, unet3d" in refused(base)

    def test_a_name_that_cannot_be_a_folder(self, base: Path, clock: Clock) -> None:
        train(base, clock, organization="us & co")
        assert "'us & co' cannot be a folder of a submission" in refused(base, submitter="us & co")

    def test_nothing_there_or_no_record(self, base: Path) -> None:
        assert "there are no trainings in" in refused(base)
        (base / "trained").mkdir()
        (base / "trained/result.json").write_text("{")
        assert "is no training result" in refused(base)

    def test_no_description(self, base: Path, clock: Clock) -> None:
        train(base, clock)
        assert "cannot be read" in refused(base, description=base / "systems/none.json")
        (base / "systems/box.json").write_text("[]")
        assert "it must hold keys and values" in refused(base)

    def test_a_version_that_there_is_not(self, base: Path, clock: Clock) -> None:
        train(base, clock)
        assert "has no ruleset '9.9'" in refused(base, version="9.9")


class TestDemonstration:
    def test_it_says_what_it_is_and_why(self, base: Path, clock: Clock) -> None:
        train(base, clock, runs=2, tier="synthetic")
        packed = pack(order(base, demonstration=True))
        assert packed.folder.name == "us-training-open-v4.0.0-demonstration-NOT-SUBMITTABLE"
        page = (packed.folder / "NOT-SUBMITTABLE.md").read_text()
        assert "its data are synthetic" in page and "there are 2 runs" in page
        readme = packed.tree / "benchmarks/resnet/implementations/cm4bench/README.md"
        assert readme.read_text().startswith("**A demonstration.")

    def test_what_mlperf_does_not_have_is_checked_by_our_rules(self, base: Path, clock: Clock) -> None:
        train(base, clock, "llm", quality=3.4)
        packed = pack(order(base, demonstration=True))
        assert packed.folder.name == "us-training-open-own-demonstration-NOT-SUBMITTABLE"
        assert (packed.report.ok, packed.report.ruleset) == (True, "own rules (not MLPerf's)")
