"""Readers of the official layouts, what they say of broken files, and the scripts that write the small data."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import torch
from language_training import corpora, reviews, tuning_data, vocabulary
from language_training.encoded import EncodedTexts
from language_training.masking import Pairs, Pieces
from language_training.sequences import pack
from tests.training.language.conftest import SCRIPTS, TEXT, made

from trainer.datafiles import verify
from trainer.errors import TrainingError

SNIPPETS = SCRIPTS / "get-dataset-movie-snippets" / "sort_snippets.py"
DRAW = torch.Generator()


def test_the_small_text_is_in_both_official_layouts(english: Path) -> None:
    assert verify(english / "c4") == verify(english / "wikipedia") == 3
    train = list(corpora.c4_documents(corpora.c4_files(english / "c4", "train")))
    held_out = list(corpora.c4_documents(corpora.c4_files(english / "c4", "validation")))
    assert len(train) > 150 and len(held_out) > 15
    assert not {part for text in held_out for part in text.split("\n\n")} & {p for t in train for p in t.split("\n\n")}
    articles = list(corpora.wikipedia_documents(corpora.wikipedia_files(english / "wikipedia")))
    assert [" ".join(one.split()) for one in articles] == [" ".join(one.split()) for one in train]


def test_the_small_text_is_the_same_each_time(english: Path, tmp_path: Path) -> None:
    made(SCRIPTS / "get-dataset-english-text" / "write_text.py", "--out", tmp_path / "again")
    for part in ("c4", "wikipedia"):
        assert (tmp_path / "again" / part / "SHA256SUMS").read_text() == (english / part / "SHA256SUMS").read_text()


def test_a_changed_file_of_the_small_text_is_named(english: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(english / "c4", tmp_path / "c4")
    path = copy / "c4-train.00000-of-00001.json.gz"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(TrainingError, match=r"c4-train\.00000-of-00001\.json\.gz"):
        verify(copy)


def test_c4_is_read_packed_and_unpacked(c4: Path) -> None:
    plain = c4 / "c4-train.00000-of-00001.json"
    packed = plain.with_suffix(".json.gz")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert list(corpora.c4_documents([plain])) == list(corpora.c4_documents([packed])) == [" ".join(TEXT)] * 60


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (gzip.compress(b'{"text": "a"}\n' * 900)[:-20], "line"),
        (gzip.compress(b'{"text": "a"}\nnonsense\n'), "line 2"),
        (gzip.compress(b'{"body": "a"}\n'), "line 1"),
        (b"not gzip at all", "line 1"),
    ],
)
def test_a_broken_c4_file_is_named(tmp_path: Path, content: bytes, place: str) -> None:
    path = tmp_path / "c4-train.00000-of-01024.json.gz"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=rf"{path.name}, {place}") as caught:
        list(corpora.c4_documents(corpora.c4_files(tmp_path, "train")))
    assert caught.value.kind == "data"


def test_a_missing_part_of_wikipedia_is_named(wikipedia: Path) -> None:
    (wikipedia / "part-00000-of-00002").unlink()
    with pytest.raises(TrainingError, match="part-00000-of-00002 is missing"):
        corpora.wikipedia_files(wikipedia)
    (wikipedia / "part-00001-of-00002").unlink()
    with pytest.raises(TrainingError, match="no file like part-00000-of-00500"):
        corpora.wikipedia_files(wikipedia)


def test_text_shorter_than_a_sequence_is_refused(c4: Path) -> None:
    tokenizer = vocabulary.read_tokenizer(c4)
    assert pack(TEXT * 3, tokenizer, 8, end=0).shape[1] == 8
    with pytest.raises(TrainingError, match="less than one sequence of 5000"):
        pack(TEXT, tokenizer, 5000)
    with pytest.raises(TrainingError, match="0 tokens"):
        pack([], tokenizer, 8)


def test_vocabularies_are_checked(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"vocab\.txt is missing"):
        vocabulary.read_wordpiece(tmp_path)
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\nthe\n")
    with pytest.raises(TrainingError, match=r"vocab\.txt: .* lacks \[CLS\], \[SEP\], \[MASK\]"):
        vocabulary.read_wordpiece(tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"model": ')
    with pytest.raises(TrainingError, match=r"tokenizer\.json: not a tokeniser"):
        vocabulary.read_tokenizer(tmp_path)


def test_a_vocabulary_can_be_learnt_from_own_text(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("\n".join(TEXT))
    command = [sys.executable, "-m", "language_training.vocabulary", "wordpiece", "50", str(tmp_path / "text.txt")]
    places = ":".join(str(SCRIPTS / one) for one in ("app-mlperf-training", "get-mlperf-training-task-language"))
    done = subprocess.run([*command, "--out", str(tmp_path)], env={"PYTHONPATH": places}, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert vocabulary.read_wordpiece(tmp_path).encode("The cat", add_special_tokens=False).ids


def test_hidden_tokens_are_those_that_bert_hides() -> None:
    pieces = Pieces(start=2, separator=3, mask=4, count=1000)
    rows = torch.arange(5, 5 + 200 * 61).remainder(990).add(5).view(200, 61)
    pairs = Pairs(rows, pieces)
    batch = pairs.batch(range(200), torch.Generator().manual_seed(0))
    assert batch["ids"].shape == (200, 64)
    assert batch["positions"].shape == (200, pairs.hidden) == (200, 10)
    found = batch["ids"].gather(1, batch["positions"])
    assert 0.75 < (found == 4).double().mean() < 0.85
    assert 0.06 < (found == batch["labels"]).double().mean() < 0.14
    assert not torch.isin(batch["labels"], torch.tensor([2, 3, 4])).any()
    whole = batch["ids"].scatter(1, batch["positions"], batch["labels"])
    own = (whole[:, 32:-1] == rows[:, 30:]).all(1)
    assert torch.equal(own, batch["follows"] == 0)
    assert 0.4 < own.double().mean() < 0.6
    assert (batch["segments"].sum(1) == 32).all()


def test_hiding_repeats_with_its_seed() -> None:
    pairs = Pairs(torch.randint(5, 90, (8, 29)), Pieces(2, 3, 4, 90))
    first, second = (pairs.batch([1, 5], torch.Generator().manual_seed(3)) for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_sst2_is_read_as_glue_has_it(sst2: Path) -> None:
    found = reviews.read_sst2(sst2 / "dev.tsv")
    assert found.texts[:2] == ["a fine warm film", "she is wonderful here"]
    assert found.labels == [1, 1, 0, 0] * 2


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"text\tlabel\nx\t1\n", "first line"),
        (b"sentence\tlabel\n", "no sentences"),
        (b"", "first line"),
        (b"sentence\tlabel\ngood\t1\nbad\n", "line 3"),
        (b"sentence\tlabel\ngood\t2\n", "line 2"),
        (b"sentence\tlabel\n\xff\xfe\t1\n", "UTF-8"),
    ],
)
def test_a_broken_sst2_file_is_named(tmp_path: Path, content: bytes, cause: str) -> None:
    (tmp_path / "train.tsv").write_bytes(content)
    with pytest.raises(TrainingError, match=rf"train\.tsv.*{cause}"):
        reviews.read_sst2(tmp_path / "train.tsv")
    with pytest.raises(TrainingError, match=r"dev\.tsv is missing"):
        reviews.read_sst2(tmp_path / "dev.tsv")


def test_imdb_is_read_as_stanford_has_it(imdb: Path) -> None:
    found = reviews.read_imdb(imdb, "train")
    assert found == reviews.read_imdb(imdb / "aclImdb", "train")
    assert found.labels == [0] * 16 + [1] * 16
    assert "<br" not in found.texts[0]


def test_broken_imdb_folders_are_named(imdb: Path) -> None:
    (imdb / "aclImdb/train/pos/3_9.txt").write_text(" ")
    with pytest.raises(TrainingError, match=r"pos/3_9\.txt is empty"):
        reviews.read_imdb(imdb, "train")
    for path in (imdb / "aclImdb/test/neg").iterdir():
        path.unlink()
    with pytest.raises(TrainingError, match="test/neg has no reviews"):
        reviews.read_imdb(imdb, "test")


def test_texts_are_padded_to_the_longest_of_their_batch() -> None:
    batch = EncodedTexts([[5, 6, 7], [8], [9, 9, 9, 9]], [1, 0, 1]).batch([0, 1], DRAW)
    assert batch["ids"].tolist() == [[5, 6, 7], [8, 0, 0]]
    assert batch["mask"].tolist() == [[1, 1, 1], [1, 0, 0]]


def archive(path: Path, lines: str) -> Path:
    with tarfile.open(path, "w:gz") as opened:
        info = tarfile.TarInfo("hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt")
        info.size = len(lines.encode())
        opened.addfile(info, io.BytesIO(lines.encode()))
    return path


def test_snippets_become_sst2_and_imdb(tmp_path: Path) -> None:
    rows = "".join(f"{n}\t{(-1) ** n * (n % 8 / 2)}\tSentence {n} \r\n" for n in range(200))
    source = archive(tmp_path / "a.tar.gz", rows)
    for layout in ("sst2", "imdb"):
        made(SNIPPETS, "--archive", source, "--layout", layout, "--out", tmp_path / layout)
        assert verify(tmp_path / layout) > 2
    train, held_out = (reviews.read_sst2(tmp_path / "sst2" / name) for name in ("train.tsv", "dev.tsv"))
    assert len(train) + len(held_out) == 175  # without the neutral ones
    assert not set(train.texts) & set(held_out.texts)
    assert all((int(text.split()[1]) % 2 == 0) == bool(label) for text, label in zip(train.texts, train.labels))
    again = reviews.read_imdb(tmp_path / "imdb", "test")
    assert sorted(zip(again.texts, again.labels)) == sorted(zip(held_out.texts, held_out.labels))
    assert {int(p.stem.split("_")[1]) for p in (tmp_path / "imdb").rglob("pos/*.txt")} <= {7, 8, 9, 10}


@pytest.mark.parametrize("lines", ["", "1\tx\tgood\n", "1\t2.0\tonly one\n"])
def test_useless_snippets_are_told_in_a_line(tmp_path: Path, lines: str) -> None:
    source = archive(tmp_path / "a.tar.gz", lines)
    command = [sys.executable, SNIPPETS, "--archive", source, "--layout", "sst2", "--out", tmp_path / "out"]
    environment = {"PYTHONPATH": str(SCRIPTS / "app-mlperf-training")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert not (tmp_path / "out").exists()


def write_table(path: Path, rows: list[dict[str, list[int]]]) -> None:
    from pyarrow import Table, parquet

    parquet.write_table(Table.from_pylist(rows), path)


def test_govreport_is_read_from_its_tables(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write_table(tmp_path / "data/train-00000-of-00001.parquet", [{"input_ids": [1, 2, 3], "labels": [-100, 2, 3]}] * 3)
    found = tuning_data.read_rows(tmp_path, "train", tmp_path, 99)
    assert found.columns["labels"].tolist() == [[-100, 2, 3]] * 3


@pytest.mark.parametrize(
    "rows", [[], [{"input_ids": [1]}], [{"input_ids": n * [1], "labels": n * [1]} for n in (1, 2)]]
)
def test_a_broken_table_is_named(tmp_path: Path, rows: list[dict[str, list[int]]]) -> None:
    path = tmp_path / "train-00000-of-00001.parquet"
    write_table(path, rows)
    with pytest.raises(TrainingError, match=r"train-00000-of-00001\.parquet"):
        tuning_data.read_rows(tmp_path, "train", tmp_path, 4)
    path.write_bytes(path.read_bytes()[:20] + b"x")
    with pytest.raises(TrainingError, match=r"train-00000-of-00001\.parquet"):
        tuning_data.read_rows(tmp_path, "train", tmp_path, 4)


def test_plain_text_is_cut_for_fine_tuning(c4: Path, small_llama: Path) -> None:
    found = tuning_data.read_rows(c4, "validation", small_llama, 16)
    assert found.columns["input_ids"].shape[1] == 16
    assert json.loads((small_llama / "config.json").read_text())["vocab_size"] == 300
