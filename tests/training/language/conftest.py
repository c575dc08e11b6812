"""Small data in the official layouts, small networks in transformers' format, and trainings of one or two epochs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from trainer.config import TrainConfig
from trainer.engine import Engine
from trainer.listener import Silence
from trainer.loop import Training
from trainer.registry import load_task

torch.set_num_threads(1)

SCRIPTS = Path(__file__).parents[3] / "script"
GOOD, BAD = ("a fine warm film", "she is wonderful here"), ("a dull cold film", "he is awful here")
TEXT = ["The cat sat on the mat.", "It saw a bird in the old tree.", "The bird flew away from the cat."]

Begin = Callable[..., Training]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """A training of one epoch at most, in this process, not yet run."""

    def make(task: str, data: Path | None, recipe: dict[str, Any] | None = None, **changes: Any) -> Training:
        config = TrainConfig(
            task=task,
            benchmark="test",
            output_dir=str(tmp_path / "out"),
            tier="embedded",
            threads=1,
            data=str(data) if data else None,
            recipe={"batch_size": 4, "epochs": 1, "warmup_steps": 0} | (recipe or {}),
            **changes,
        )
        (tmp_path / "out").mkdir(exist_ok=True)
        return Training(load_task(config), config, Engine(config), Silence(), tmp_path / "out")

    return make


@pytest.fixture(scope="session")
def english(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real small text, as its script writes it."""
    folder = tmp_path_factory.mktemp("english") / "text"
    made(SCRIPTS / "get-dataset-english-text" / "write_text.py", "--out", folder)
    return folder


def made(script: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a data set's script as its run.sh does; its stderr is in the error."""
    places = [SCRIPTS / "app-mlperf-training", *sorted(SCRIPTS.glob("get-mlperf-training-task-*"))]
    environment = {"PYTHONPATH": ":".join(map(str, places)), "PATH": "/usr/bin:/bin", "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, str(script), *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def wikipedia(tmp_path: Path) -> Path:
    """Two parts, eval.txt and a vocabulary."""
    from language_training.vocabulary import train_wordpiece

    folder = tmp_path / "wikipedia"
    folder.mkdir()
    article = "\n".join(TEXT) + "\n"
    for name in ("part-00000-of-00002", "part-00001-of-00002", "eval.txt"):
        (folder / name).write_text("\n".join([article] * 12))
    train_wordpiece(TEXT, 60, folder)
    return folder


@pytest.fixture
def c4(tmp_path: Path) -> Path:
    """Lines of JSON, not packed, and a tokeniser."""
    from language_training.vocabulary import train_bpe

    folder = tmp_path / "c4"
    folder.mkdir()
    for part, count in (("train", 60), ("validation", 20)):
        lines = [json.dumps({"text": " ".join(TEXT), "timestamp": "2019-04-25T12:57:54Z", "url": "x"})] * count
        (folder / f"c4-{part}.00000-of-00001.json").write_text("\n".join(lines) + "\n")
    train_bpe(TEXT, 300, folder)
    return folder


@pytest.fixture
def sst2(tmp_path: Path) -> Path:
    """train.tsv and dev.tsv as GLUE has them."""
    folder = tmp_path / "sst2"
    folder.mkdir()
    rows = [f"{text}\t{label}" for label, texts in ((1, GOOD), (0, BAD)) for text in texts]
    for name, times in (("train.tsv", 8), ("dev.tsv", 2)):
        (folder / name).write_text("sentence\tlabel\n" + "\n".join(rows * times) + "\n")
    return folder


@pytest.fixture
def imdb(tmp_path: Path) -> Path:
    """aclImdb with a few reviews."""
    for part in ("train", "test"):
        for label, texts, stars in (("pos", GOOD, 9), ("neg", BAD, 2)):
            folder = tmp_path / "imdb" / "aclImdb" / part / label
            folder.mkdir(parents=True)
            for number, text in enumerate(texts * 8):
                (folder / f"{number}_{stars}.txt").write_text(f"{text}.<br /><br />Yes!")
    return tmp_path / "imdb"


@pytest.fixture
def small_bert(tmp_path: Path, wikipedia: Path) -> Path:
    """A BERT of two layers with its tokeniser, as a checkpoint."""
    from language_training.vocabulary import VOCAB
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path / "bert"
    config = BertConfig(vocab_size=60, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16)
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab=str(wikipedia / VOCAB)).save_pretrained(folder)
    return folder


@pytest.fixture
def small_llama(tmp_path: Path, c4: Path) -> Path:
    """A Llama of two layers with its tokeniser, as a checkpoint."""
    from language_training.causal_networks import Shape, build
    from language_training.vocabulary import TOKENIZER

    folder = tmp_path / "llama"
    network: Any = build(Shape("llama", 16, 2, 2, 1, 32, 32, 300), 300, 32)
    network.save_pretrained(folder)
    (folder / TOKENIZER).write_bytes((c4 / TOKENIZER).read_bytes())
    return folder
