"""Pairs of lines, the transformer on them, BLEU against sacrebleu's own count, and broken files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from translation_training import pairs, vocabulary
from translation_training.transformer import Translation

from trainer.config import TrainConfig
from trainer.datafiles import verify
from trainer.engine import Engine
from trainer.errors import TrainingError
from trainer.listener import Silence
from trainer.loop import Trained, Training
from trainer.registry import load_task
from trainer.task import Setup

torch.set_num_threads(1)

SCRIPTS = Path(__file__).parents[3] / "script"
PLACES = [SCRIPTS / "app-mlperf-training", SCRIPTS / "get-mlperf-training-task-translation"]
LANGUAGES = ("en", "de")


def run(*command: object) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": ":".join(map(str, PLACES)), "TOKENIZERS_PARALLELISM": "false"}
    return subprocess.run([sys.executable, *map(str, command)], env=environment, capture_output=True, text=True)


def say_numbers(folder: Path, lines: int) -> Path:
    done = run(SCRIPTS / "get-dataset-number-words/say_numbers.py", "--pairs", lines, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return say_numbers(tmp_path_factory.mktemp("numbers") / "words", 96)


@pytest.fixture
def wmt(tmp_path: Path) -> Path:
    """The user's own files: no sums beside them."""
    (tmp_path / "train.en").write_text("a house\nthe old house\nthe cat\n" * 4)
    (tmp_path / "train.de").write_text("ein Haus\ndas alte Haus\ndie Katze\n" * 4)
    (tmp_path / "newstest2014.en").write_text("the house\n")
    (tmp_path / "newstest2014.de").write_text("das Haus\n")
    vocabulary.train([tmp_path / "train.en", tmp_path / "train.de"], 300, tmp_path)
    return tmp_path


def trained(data: Path, folder: Path, seed: int = 0, options: dict[str, str] | None = None, **recipe: Any) -> Trained:
    config = TrainConfig(
        task="translation_training.transformer:Translation",
        benchmark="transformer",
        output_dir=str(folder),
        tier="synthetic",
        threads=1,
        seed=seed,
        data=str(data),
        options=options or {},
        recipe=recipe,
    )
    folder.mkdir(parents=True, exist_ok=True)
    return Training(load_task(config), config, Engine(config), Silence(), folder).run()


def test_numbers_are_said_in_both_languages(numbers: Path) -> None:
    assert verify(numbers) == 5
    source, target = pairs.read_lines(numbers, "train", LANGUAGES)
    test, _ = pairs.read_lines(numbers, "newstest", LANGUAGES)
    assert (len(source), len(test)) == (96, 120)
    assert not set(source) & set(test)
    assert all(len(one.split()) == len(other.split()) for one, other in zip(source, target))


def test_a_line_survives_its_tokens(numbers: Path) -> None:
    tokenizer = vocabulary.read(numbers)
    for line in pairs.read_lines(numbers, "newstest", LANGUAGES)[1][:20]:
        assert tokenizer.decode(tokenizer.encode(line).ids).strip() == line


def test_batches_are_shifted_and_padded(wmt: Path) -> None:
    tokenizer = vocabulary.read(wmt)
    batch: dict[str, Any] = pairs.Pairs(["a house", "the cat"], ["ein Haus", "die Katze"], tokenizer, 32).batch(
        [0, 1], torch.Generator()
    )
    assert batch["reference"] == ["ein Haus", "die Katze"]
    for target, labels in zip(batch["target"].tolist(), batch["labels"].tolist()):
        kept = [one for one in labels if one != vocabulary.PADDING]
        assert target[: len(kept)] == [vocabulary.START, *kept[:-1]]
        assert kept[-1] == vocabulary.END


def test_a_transformer_is_trained_on_own_pairs(wmt: Path, tmp_path: Path) -> None:
    options = {"test": "newstest2014", "beams": "2"}
    found = trained(wmt, tmp_path / "run", options=options, batch_size=4, epochs=1, warmup_steps=0)
    assert found.quality is not None and 0 <= found.quality <= 100


def test_padding_does_not_count(wmt: Path) -> None:
    task = Translation(Setup(data=wmt, options={"test": "newstest2014"}))
    torch.manual_seed(0)
    model = task.model().eval()
    split = task.splits()[0]
    short, both = (split.batch(rows, torch.Generator()) for rows in ([0], [0, 1]))
    assert task.tokens(short) < both["source"][:1].numel() + both["labels"][:1].numel()
    padded = {name: value[:1] for name, value in both.items()}
    assert torch.isclose(task.loss(model, short), task.loss(model, padded), rtol=1e-4)


def test_bleu_is_sacrebleus(wmt: Path) -> None:
    import sacrebleu

    task = Translation(Setup(data=wmt))
    hypotheses = ["das ist ein kleines Haus am See", "die Katze sitzt auf der Matte"]
    references = ["das ist ein kleines Haus am Meer", "die Katze sitzt auf einer Matte"]
    expected = sacrebleu.corpus_bleu(hypotheses, [references]).score
    one_by_one = [([hypothesis], [reference]) for hypothesis, reference in zip(hypotheses, references)]
    assert task.quality(one_by_one) == pytest.approx(expected)
    assert task.quality([(references, references)]) == pytest.approx(100)


def test_the_official_network_has_its_size(wmt: Path) -> None:
    task = Translation(Setup(data=wmt, options={"network": "big"}))
    with torch.device("meta"):
        model = task.model()
    words = task.tokenizer.get_vocab_size()
    # 213 million in the paper, with a vocabulary of 37,000
    assert sum(one.numel() for one in model.parameters()) + (37_000 - words) * 1024 == pytest.approx(213e6, rel=0.02)


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("train.de", b"ein Haus\n", "en has 12 lines, de 1"),
        ("train.en", b"", r"train\.en has no lines"),
        ("train.de", b"\xff\xfe\n" * 12, r"train\.de is no UTF-8 text at byte 0"),
        ("tokenizer.json", b"{", r"tokenizer\.json: not a tokeniser"),
        ("newstest2014.de", None, r"newstest2014\.de is missing"),
        ("tokenizer.json", None, r"tokenizer\.json is missing"),
    ],
)
def test_broken_files_are_named(wmt: Path, name: str, content: bytes | None, cause: str) -> None:
    if content is None:
        (wmt / name).unlink()
    else:
        (wmt / name).write_bytes(content)
    with pytest.raises(TrainingError, match=cause) as caught:
        Translation(Setup(data=wmt, options={"test": "newstest2014"})).splits()
    assert caught.value.kind == "data"


def test_a_vocabulary_of_other_special_pieces_is_refused(wmt: Path) -> None:
    path = wmt / "tokenizer.json"
    path.write_text(path.read_text().replace("<pad>", "<fill>"))
    with pytest.raises(TrainingError, match="its first pieces are not <pad>"):
        Translation(Setup(data=wmt))


def test_wrong_options_are_told(wmt: Path) -> None:
    with pytest.raises(TrainingError, match="no transformer 'huge'"):
        Translation(Setup(data=wmt, options={"network": "huge"}))
    with pytest.raises(TrainingError, match="needs a folder"):
        Translation(Setup())


def test_a_changed_line_is_found(numbers: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(numbers, tmp_path / "copy")
    with (copy / "train.de").open("a") as file:
        file.write("elf\n")
    with pytest.raises(TrainingError, match=r"train\.de is damaged"):
        Translation(Setup(data=copy))


def test_a_vocabulary_can_be_learnt_from_own_lines(wmt: Path) -> None:
    (wmt / "tokenizer.json").unlink()
    done = run("-m", "translation_training.vocabulary", 300, wmt / "train.en", wmt / "train.de", "--out", wmt)
    assert done.returncode == 0, done.stderr
    assert vocabulary.read(wmt).get_vocab_size() > 256
    broken = run("-m", "translation_training.vocabulary", 300, wmt / "nothing", "--out", wmt)
    assert (broken.returncode, broken.stderr.count("\n")) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_small_default_reaches_its_target(tmp_path: Path, seed: int) -> None:
    data = say_numbers(tmp_path / "words", 6000)
    assert trained(data, tmp_path / "run", seed).ended_by == "target"
