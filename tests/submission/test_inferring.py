"""Which results may stand for others."""

from mlperf_checker.layout import Place
from mlperf_submission.inferring import inferences

from harness import rounds


def places(*names, division="closed"):
    return [Place(division, "me", "box", *name.split("/")) for name in names]


def inferred(*names, version="v6.1", category="edge", division="closed", estimates=True):
    measured = places(*names, division=division)
    benchmarks = {one.benchmark: one.benchmark for one in measured}
    found = inferences(measured, rounds.load(version), category, benchmarks, set(measured) if estimates else set())
    return {(f"{o.source.benchmark}/{o.source.scenario}", f"{o.target.benchmark}/{o.target.scenario}") for o in found}


def test_singlestream_stands_for_what_the_benchmark_has():
    assert inferred("resnet/SingleStream") == {
        ("resnet/SingleStream", "resnet/Offline"),
        ("resnet/SingleStream", "resnet/MultiStream"),
    }
    assert inferred("bert-99/SingleStream") == {("bert-99/SingleStream", "bert-99/Offline")}


def test_multistream_is_the_better_source_for_offline():
    assert inferred("resnet/SingleStream", "resnet/MultiStream") == {("resnet/MultiStream", "resnet/Offline")}


def test_what_was_measured_is_not_inferred():
    assert inferred("resnet/SingleStream", "resnet/MultiStream", "resnet/Offline") == set()


def test_no_multistream_without_an_estimate():
    assert inferred("resnet/SingleStream", estimates=False) == {("resnet/SingleStream", "resnet/Offline")}


def test_edge_only():
    assert inferred("resnet/SingleStream", version="v5.0", category="datacenter") == set()
    assert inferred("resnet/SingleStream", category="datacenter,edge") != set()


def test_the_higher_accuracy_stands_for_the_lower_one():
    assert inferred("3d-unet-99.9/SingleStream", "3d-unet-99.9/Offline") == {
        ("3d-unet-99.9/SingleStream", "3d-unet-99/SingleStream"),
        ("3d-unet-99.9/Offline", "3d-unet-99/Offline"),
    }


def test_but_not_where_the_lower_one_was_measured_or_the_round_has_none():
    assert inferred("3d-unet-99.9/Offline", "3d-unet-99/Offline", category="datacenter") == set()
    assert inferred("llama2-70b-99.9/Offline", category="datacenter") == set()  # v6.1 knows 99.9 only


def test_an_inferred_scenario_of_the_higher_accuracy_stands_for_the_lower_one_too():
    assert ("bert-99.9/SingleStream", "bert-99/Offline") in inferred("bert-99.9/SingleStream")


def test_names_in_the_open_division_mean_nothing():
    assert inferred("mine-99.9/Offline", division="open", category="datacenter") == set()
