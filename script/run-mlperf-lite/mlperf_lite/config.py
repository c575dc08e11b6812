"""What a configuration file may say: four sections, each a checked value."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from trainer.config import Precision, Strategy, Tier
from trainer.recipe import NotNegative, NotNegativeReal, Positive, PositiveReal, Recipe

Option = str | int | float | bool
DottedName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


class Dataset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data. ``name`` is one of the model's data sets, ``path`` your copy of it in its official layout.

    Or ``class``, a data set of your own: ``module:Class``, see `mlperf_lite.dataset`. Its module is looked for in
    ``code`` (default: the folder of the configuration), and ``path`` is handed to it.
    """

    name: str = ""
    path: str = ""
    tier: Tier | None = None
    own: DottedName | None = msgspec.field(default=None, name="class")
    code: str = ""
    options: dict[str, Option] = {}


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network. ``options`` are flags of the model's task; ``class`` a network of your own, for own data sets."""

    name: str = ""
    own: DottedName | None = msgspec.field(default=None, name="class")
    options: dict[str, Option] = {}


class Training(Recipe, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it is trained: the recipe's hyper-parameters, and what else the front door has flags for."""

    target: float | None = None
    seed: NotNegative = 0
    runs: Positive = 1
    max_minutes: PositiveReal | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    processes: Positive | Literal["auto"] = "auto"
    strategy: Strategy = "auto"
    precision: Literal["auto"] | Precision = "auto"
    accumulation: Positive = 1
    workers: NotNegative = 0
    threads: Positive | None = None
    compile: bool = False
    channels_last: bool = False
    checkpoint_every: NotNegativeReal = 30.0
    monitor_every: NotNegativeReal = 1.0


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which reports are written, and where: by default into the folder of the training."""

    formats: tuple[Literal["html", "markdown", "csv", "excel", "png"], ...] = ("html", "markdown", "csv")
    folder: str = ""
    title: str = ""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file. ``missed`` says whether a training that did not reach its target ends the command with an error."""

    dataset: Dataset = Dataset()
    model: Model = Model()
    training: Training = Training()
    report: Report = Report()
    missed: Literal["error", "allow"] = "error"


def digest(given: Mapping[str, Any]) -> str:
    """What tells two configurations apart: the same for YAML and JSON, whatever the order of their keys."""
    config = msgspec.to_builtins(msgspec.convert(given, Config))
    return hashlib.sha256(msgspec.json.encode(config, order="sorted")).hexdigest()[:16]
