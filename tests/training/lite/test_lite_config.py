"""Configurations of MLPerf-Lite: what is read, what is refused and how, and what the training scripts get of it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlperf_lite import reading, taskflags, templates
from mlperf_lite.config import Config, digest
from mlperf_lite.environment import DEFAULTED, environment
from mlperf_lite.errors import LiteError

EXAMPLE = """\
dataset:
  name: cifar10
  tier: embedded
model:
  name: resnet
  options: {network: resnet18}
training:
  epochs: 3
  learning_rate: 0.2
  runs: 2
  precision: bf16
report:
  formats: [html, excel]
"""
FLAGS = {"network": "CM_MLPERF_TRAINING_OPTION_NETWORK", "cifar10_path": "CM_DATASET_CIFAR10_GIVEN_PATH"}


def written(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refused(path: Path) -> LiteError:
    with pytest.raises(LiteError) as caught:
        reading.read(path)
    return caught.value


def test_a_file_becomes_flags(tmp_path: Path) -> None:
    given = reading.read(written(tmp_path, EXAMPLE))
    assert environment(given, {}, FLAGS) == {
        "CM_MODEL": "resnet",
        "CM_MLPERF_TRAINING_DATASET": "cifar10",
        "CM_MLPERF_DATA_TIER": "embedded",
        "CM_MLPERF_TRAINING_OPTION_NETWORK": "resnet18",
        "CM_MLPERF_TRAINING_RECIPE_EPOCHS": "3",
        "CM_MLPERF_TRAINING_RECIPE_LEARNING_RATE": "0.2",
        "CM_MLPERF_TRAINING_RUNS": "2",
        "CM_MLPERF_TRAINING_PRECISION": "bf16",
        "CM_MLPERF_LITE_FORMATS": "html,excel",
        "CM_MLPERF_LITE_MISSED": "error",
    }


def test_yaml_and_json_are_one_configuration(tmp_path: Path) -> None:
    value = yaml.safe_load(EXAMPLE)
    turned = dict(reversed(value.items()))
    found = [
        reading.read(written(tmp_path, EXAMPLE)),
        reading.read(written(tmp_path, json.dumps(turned, indent="\t"), "mine.json")),
    ]
    assert found[0].config == found[1].config
    assert len({digest(one.raw) for one in found}) == 1
    value["training"]["epochs"] = 4
    assert digest(value) != digest(found[0].raw)


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    assert reading.read(written(tmp_path, "# nothing\ntraining:\n")).config == Config()


@pytest.mark.parametrize(
    ("old", "new", "cause", "hint"),
    [
        ("epochs: 3", "epoch: 3", "mine.yaml:8: there is no training.epoch", "did you mean epochs?"),
        ("model:", "modell:", "mine.yaml:4: there is no modell", "did you mean model?"),
        ("epochs: 3", "epochs: three", "mine.yaml:8: training.epochs is 'three': expected `int", ""),
        ("epochs: 3", "epochs: 0", "mine.yaml:8: training.epochs is 0: expected `int` >= 1", ""),
        ("epochs: 3", "optimizer: sdg", "mine.yaml:8: training.optimizer is 'sdg'", "allowed: sgd, adam, adamw"),
        ("bf16", "bf17", "mine.yaml:11: training.precision is 'bf17'", "allowed: auto, fp32, bf16, fp16"),
        ("[html, excel]", "[html, pdf]", "mine.yaml:13: report.formats is ['html', 'pdf']", "allowed: html, markdown"),
        ("tier: embedded", "tier: official", "mine.yaml:3: dataset.tier is 'official'", "allowed: full, embedded"),
        ("epochs: 3", "epochs: [", "mine.yaml:10: no YAML", ""),
        ("epochs: 3", "betas: [0.9, 0.95]", "mine.yaml:8: lists cannot be set here", ""),
        ("name: cifar10", "class: no dots", "mine.yaml:2: dataset.class is 'no dots'", ""),
        ("name: cifar10", "class: a:B", "mine.yaml:2: a data set of your own needs a target", "training: {target"),
        ("name: resnet", "class: a:B", "mine.yaml:5: a network of your own goes with a data set", "dataset: {class"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, old: str, new: str, cause: str, hint: str) -> None:
    assert old in EXAMPLE
    error = refused(written(tmp_path, EXAMPLE.replace(old, new)))
    assert cause in error.cause and hint in error.hint, (error.cause, error.hint)


@pytest.mark.parametrize(
    ("name", "text", "cause"),
    [
        ("mine.json", '{"training":\n {"epochs": }}', "mine.json:2: no JSON"),
        ("mine.json", '{"training":\n\t{"epochs": "x"}}', "training.epochs is 'x'"),
        ("mine.json", "[" * 5000, "no JSON|nested too deeply"),
        ("mine.yaml", "- a\n- b\n", "has no sections"),
        ("mine.yaml", "training: 5\n", "mine.yaml:1: training is 5: expected `object`"),
        ("mine.yaml", "1: 2\n", "there is no 1"),
        ("mine.yaml", "a: &a [*a]\n", "there is no a"),
        ("mine.yaml", "!!python/object/apply:os.system [ls]\n", "no YAML"),
        ("mine.yaml", "a: 1\n" * 300_000, "too many for a configuration"),
    ],
)
def test_hostile_and_foreign_files_are_refused(tmp_path: Path, name: str, text: str, cause: str) -> None:
    import re

    assert re.search(cause, refused(written(tmp_path, text, name)).cause)


def test_no_file_and_no_text(tmp_path: Path) -> None:
    error = refused(tmp_path / "missing.yaml")
    assert "No such file" in error.cause and "cm add experiment --template" in error.hint
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    assert "is no text" in refused(tmp_path / "bytes.yaml").cause


def test_an_official_tier_is_not_for_own_data(tmp_path: Path) -> None:
    text = "dataset: {class: a:B, tier: full}\ntraining: {target: 0.5}\n"
    assert "full is for official data sets" in refused(written(tmp_path, text)).cause


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    given = reading.read(written(tmp_path, EXAMPLE))
    said = {"CM_MODEL": "vit", "CM_MLPERF_TRAINING_RECIPE_EPOCHS": "9"}
    found = environment(given, said, FLAGS)
    assert not set(said) & set(found)
    by_default = environment(given, {"CM_MODEL": "unet", DEFAULTED: "unet"}, FLAGS)
    assert by_default["CM_MODEL"] == "resnet", "a default is no word of the user"
    assert "CM_MODEL" not in environment(given, {"CM_MODEL": "vit", DEFAULTED: "unet"}, FLAGS), "--model=vit is one"


def test_a_model_on_the_command_line_is_the_network_of_own_data(tmp_path: Path) -> None:
    given = reading.read(written(tmp_path, "dataset: {class: a:B}\nmodel: {name: mlp}\ntraining: {target: 0.5}\n"))
    assert environment(given, {"CM_MODEL": "linear"}, {})["CM_MLPERF_TRAINING_OPTION_MODEL"] == "linear"
    assert environment(given, {}, {})["CM_MLPERF_TRAINING_OPTION_MODEL"] == "mlp"


def test_folders_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    text = EXAMPLE.replace("tier: embedded", "path: data")
    found = environment(reading.read(written(tmp_path, text)), {}, FLAGS)
    assert found["CM_DATASET_CIFAR10_GIVEN_PATH"] == str(tmp_path / "data")
    assert found["CM_MLPERF_DATA_TIER"] == "full", "a set of one's own in the official layout"


@pytest.mark.parametrize(
    ("old", "new", "cause", "hint"),
    [
        ("network:", "netwrok:", "no task has the option netwrok", "did you mean network?"),
        ("tier: embedded", "path: nowhere", "there is no", "ls "),
    ],
)
def test_what_only_the_tasks_know_is_checked_too(tmp_path: Path, old: str, new: str, cause: str, hint: str) -> None:
    given = reading.read(written(tmp_path, EXAMPLE.replace(old, new)))
    with pytest.raises(LiteError) as caught:
        environment(given, {}, FLAGS)
    assert cause in caught.value.cause and hint in caught.value.hint


def test_a_data_set_without_a_folder_flag() -> None:
    with pytest.raises(LiteError, match="no flag takes a folder") as caught:
        taskflags.path_flag("cifar11", FLAGS)
    assert caught.value.hint == "did you mean cifar10_path?"


def test_the_flags_are_those_of_the_manifests(tmp_path: Path) -> None:
    manifest = tmp_path / "get-mlperf-training-task-x" / "_cm.yaml"
    manifest.parent.mkdir()
    manifest.write_text("inputs:\n  x_path: {env: CM_X, type: str}\n")
    assert taskflags.flags(tmp_path) == {"x_path": "CM_X"}


@pytest.mark.parametrize("name", templates.names())
def test_every_template_is_a_good_configuration(tmp_path: Path, name: str) -> None:
    (path, *_) = templates.write(name, tmp_path / "mine.yaml")
    given = reading.read(path)
    said: dict[str, Any] = given.config.dataset.options
    for value in said.values():
        (tmp_path / str(value)).mkdir()
    known = taskflags.flags() | {"pictures_path": "CM_PICTURES"}
    assert environment(given, {}, known)["CM_MLPERF_LITE_FORMATS"] == "html,markdown,csv"


def test_every_commented_line_of_a_template_could_stand(tmp_path: Path) -> None:
    """Its suggestions are values of the right type: `# epochs: 8` may be uncommented."""
    import re

    for name in templates.names():
        text = (templates.FOLDER / f"{name}.yaml").read_text()
        freed = re.sub(r"^(  )# (\w+: )", r"\1\2", text, flags=re.MULTILINE)
        assert freed != text
        if name != templates.OWN:  # which offers two networks at once
            reading.read(written(tmp_path, freed))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    templates.write(templates.OWN, tmp_path / "mine.yaml")
    with pytest.raises(LiteError, match="is there already"):
        templates.write("resnet_digits", tmp_path / "mine.yaml")
    templates.write("resnet_digits", tmp_path / "mine.yaml", force=True)
    with pytest.raises(LiteError, match="there is no template") as caught:
        templates.write("resnet_cifar")
    assert caught.value.hint == "did you mean resnet_cifar10?"
