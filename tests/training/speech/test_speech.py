"""Speech: LibriSpeech's layout and its damages, the transducer's loss against all its paths, decoding, word errors."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from speech_training import alphabet, deepspeech2_network, rnnt_network
from speech_training.corpus import read_audio
from speech_training.deepspeech2 import DeepSpeech2
from speech_training.features import Spectrogram, at_another_speed, masked
from speech_training.greedy import greedy
from speech_training.rnnt import RnnT
from speech_training.speech import SpeechTask
from speech_training.transducer_loss import transducer_loss
from tests.training.front_door import trained as trained_by_cmr

from trainer.config import TrainConfig
from trainer.datafiles import seal
from trainer.engine import Engine
from trainer.errors import TrainingError
from trainer.listener import Silence
from trainer.loop import Trained, Training
from trainer.registry import load_task
from trainer.task import Setup

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("jiwer")
torch.set_num_threads(1)

RATE = 8000
OPTIONS = {"rate": str(RATE), "hidden": "8", "channels": "1", "predicted": "8", "joint": "8", "bands": "10"}


def write_tree(folder: Path, suffix: str = "flac", count: int = 4) -> Path:
    """Tones, each a word, in LibriSpeech's layout."""
    for part in ("train-clean-100", "dev-clean"):
        chapter = folder / "LibriSpeech" / part / "19" / "198"
        chapter.mkdir(parents=True)
        lines = []
        for index in range(count):
            tone = 0.3 * np.sin(np.arange(RATE // 2) * (0.2 + 0.4 * (index % 2)))
            soundfile.write(chapter / f"19-198-{index:04d}.{suffix}", tone, RATE)
            lines.append(f"19-198-{index:04d} {('LOW', 'IT IS HIGH')[index % 2]}\n")
        (chapter / "19-198.trans.txt").write_text("".join(lines))
    return folder


def trained(task: str, data: Path, out: Path, **changes: Any) -> Trained:
    fields: dict[str, Any] = {"tier": "synthetic", "benchmark": "test", "threads": 1, "log": False}
    config = TrainConfig(
        task=f"speech_training.{task}", data=str(data), output_dir=str(out), options=OPTIONS, **(fields | changes)
    )
    out.mkdir()
    return Training(load_task(config), config, Engine(config), Silence(), out).run()


class TestCorpus:
    @pytest.mark.parametrize("suffix", ["flac", "wav"])
    def test_a_batch_has_features_and_characters(self, tmp_path: Path, suffix: str) -> None:
        train, evaluation = DeepSpeech2(Setup(data=write_tree(tmp_path, suffix), options=OPTIONS)).splits()
        assert (len(train), len(evaluation)) == (4, 4)
        batch = train.batch([1, 0], torch.Generator())
        assert batch["features"].shape == (2, int(batch["frames"].max()), 10)
        texts = [alphabet.decoded(row[:length].tolist()) for row, length in zip(batch["texts"], batch["lengths"])]
        assert texts == ["IT IS HIGH", "LOW"]

    @pytest.mark.parametrize(
        ("damage", "words"),
        [
            (lambda chapter: (chapter / "19-198-0002.flac").unlink(), r"19-198-0002\.flac is missing"),
            (lambda chapter: (chapter / "19-198.trans.txt").unlink(), r"train-clean-100 has no transcripts"),
            (lambda chapter: (chapter / "19-198.trans.txt").write_text("19-198-0001\n"), r"19-198\.trans\.txt, line 1"),
            (
                lambda chapter: (chapter / "19-198.trans.txt").write_bytes(b"\xff\xfe"),
                r"19-198\.trans\.txt cannot be read",
            ),
            (
                lambda chapter: (chapter / "19-198.trans.txt").write_text("19-198-0001 ROOM 9\n"),
                r"19-198-0001\.flac has '9'",
            ),
        ],
    )
    def test_a_damaged_tree_is_named_at_once(self, tmp_path: Path, damage: Callable[[Path], None], words: str) -> None:
        damage(write_tree(tmp_path) / "LibriSpeech" / "train-clean-100" / "19" / "198")
        with pytest.raises(TrainingError, match=words) as caught:
            RnnT(Setup(data=tmp_path, options=OPTIONS)).splits()
        assert caught.value.kind == "data"

    @pytest.mark.parametrize(
        ("damage", "words"),
        [
            (lambda path: os.truncate(path, 0), r"19-198-0000\.flac cannot be read"),
            (lambda path: os.truncate(path, path.stat().st_size // 2), r"19-198-0000\.flac"),
            (lambda path: path.write_bytes(b"rubbish"), r"19-198-0000\.flac cannot be read"),
            (
                lambda path: soundfile.write(path, np.zeros(100), 16000),
                r"19-198-0000\.flac has 16000 samples per second",
            ),
        ],
    )
    def test_a_damaged_recording_is_named(self, tmp_path: Path, damage: Callable[[Path], None], words: str) -> None:
        path = write_tree(tmp_path) / "LibriSpeech" / "dev-clean" / "19" / "198" / "19-198-0000.flac"
        damage(path)
        with pytest.raises(TrainingError, match=words):
            read_audio(path, RATE)

    def test_a_wav_file_that_is_cut_off_or_empty_is_named(self, tmp_path: Path) -> None:
        path = write_tree(tmp_path, "wav") / "LibriSpeech" / "dev-clean" / "19" / "198" / "19-198-0000.wav"
        os.truncate(path, 44)
        with pytest.raises(TrainingError, match=r"19-198-0000\.wav"):
            read_audio(path, RATE)

    def test_a_folder_without_training_parts(self, tmp_path: Path) -> None:
        with pytest.raises(TrainingError, match=r"has no folder train-\*"):
            RnnT(Setup(data=tmp_path)).splits()

    def test_sealed_recordings_are_verified(self, tmp_path: Path) -> None:
        seal(write_tree(tmp_path))
        path = tmp_path / "LibriSpeech" / "dev-clean" / "19" / "198" / "19-198-0000.flac"
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        with pytest.raises(TrainingError, match=r"19-198-0000\.flac is damaged"):
            RnnT(Setup(data=tmp_path, options=OPTIONS)).splits()


class TestFeatures:
    @pytest.mark.parametrize("bands", [0, 10])
    def test_a_frame_every_ten_milliseconds_of_mean_nothing(self, bands: int) -> None:
        spectrogram = Spectrogram(RATE, bands)
        found = spectrogram(torch.randn(RATE))
        assert found.shape == (101, spectrogram.width)
        torch.testing.assert_close(found.mean(0), torch.zeros(spectrogram.width), atol=1e-5, rtol=0)

    def test_a_tone_is_in_its_band(self) -> None:
        tone = torch.cat([torch.zeros(4000), torch.sin(torch.arange(4000) * 2 * torch.pi * 1000 / RATE)])
        found = Spectrogram(RATE)(tone)
        assert int(found[70].argmax()) in range(18, 23)  # 1000 Hz of 50 Hz each, and its neighbours

    def test_a_very_short_recording_has_a_frame(self) -> None:
        assert len(Spectrogram(RATE, 10)(torch.randn(10))) >= 1

    def test_faster_is_shorter_and_repeats(self) -> None:
        samples = torch.sin(torch.arange(8000) * 0.1)
        draws = [torch.Generator().manual_seed(seed) for seed in (1, 1, 2, 3, 4)]
        played = [at_another_speed(samples, draw) for draw in draws]
        assert torch.equal(played[0], played[1])
        assert len({len(one) for one in played}) == 4
        assert all(8000 / 1.15 - 1 <= len(one) <= 8000 / 0.85 + 1 for one in played)

    def test_masks_repeat_and_leave_the_rest(self) -> None:
        features = torch.randn(100, 40)
        first, second = (masked(features, torch.Generator().manual_seed(1)) for _ in range(2))
        assert torch.equal(first, second)
        assert 0 < int((first == 0).sum()) < features.numel() // 2
        assert torch.equal(first[first != 0], features[first != 0])


def summed_over_all_paths(logs: torch.Tensor, text: list[int]) -> torch.Tensor:
    """-log P of one recording by enumeration: at which step is each character said?"""
    steps, ways = len(logs), []
    for said_at in itertools.combinations_with_replacement(range(steps), len(text)):
        way, said = torch.zeros((), dtype=logs.dtype), 0
        for step in range(steps):
            while said < len(text) and said_at[said] == step:
                way = way + logs[step, said, text[said]]
                said += 1
            way = way + logs[step, said, 0]
        ways.append(way)
    return -torch.stack(ways).logsumexp(0)


class TestTransducerLoss:
    texts = torch.tensor([[2, 3, 1], [4, 5, 0], [1, 0, 0], [0, 0, 0]])
    steps, lengths = torch.tensor([5, 3, 4, 2]), torch.tensor([3, 2, 1, 0])

    def test_it_is_the_sum_over_all_paths(self) -> None:
        torch.manual_seed(0)
        scores = torch.randn(4, 5, 4, 6, dtype=torch.float64, requires_grad=True)
        found = transducer_loss(scores, self.texts, self.steps, self.lengths)
        logs = scores.log_softmax(-1)
        each = [
            summed_over_all_paths(logs[k, : self.steps[k]], self.texts[k, : self.lengths[k]].tolist()) for k in range(4)
        ]
        expected = torch.stack(each).mean()
        torch.testing.assert_close(found, expected)
        (ours,) = torch.autograd.grad(found, scores)
        (theirs,) = torch.autograd.grad(expected, scores)
        torch.testing.assert_close(ours, theirs)

    def test_what_is_beyond_the_ends_does_not_matter(self) -> None:
        scores = torch.randn(4, 5, 4, 6)
        changed = scores.clone()
        changed[1, 3:] = 99
        changed[2, :, 2:] = -99
        texts = self.texts.clone()
        texts[2, 1:] = 5
        first = transducer_loss(scores, self.texts, self.steps, self.lengths)
        torch.testing.assert_close(first, transducer_loss(changed, texts, self.steps, self.lengths))

    def test_gradients_are_finite_where_all_is_hopeless(self) -> None:
        scores = torch.full((1, 60, 4, 6), 0.0)
        scores[..., 5] = 200.0
        scores.requires_grad_()
        loss = transducer_loss(scores, self.texts[:1], torch.tensor([60]), torch.tensor([3]))
        loss.backward()  # type: ignore[no-untyped-call]
        assert scores.grad is not None and torch.isfinite(loss) and torch.isfinite(scores.grad).all()


class TestNetworks:
    def test_deepspeech2_answers_the_same_beside_a_longer_recording(self) -> None:
        torch.manual_seed(0)
        model = deepspeech2_network.DeepSpeech2(20, alphabet.SIZE, channels=2, hidden=6, layers=2).eval()
        short, long = torch.randn(31, 20), torch.randn(80, 20)
        both = torch.nn.utils.rnn.pad_sequence([short, long], batch_first=True)
        together, alone = model(both, torch.tensor([31, 80])), model(short[None], torch.tensor([31]))
        count = int(deepspeech2_network.steps(torch.tensor(31)))
        assert alone.shape == (1, count, alphabet.SIZE)
        torch.testing.assert_close(together[0, :count], alone[0], atol=1e-5, rtol=1e-5)

    @pytest.fixture
    def rnnt(self) -> rnnt_network.Rnnt:
        torch.manual_seed(0)
        model = rnnt_network.Rnnt(10, alphabet.SIZE, splice=3, hidden=8, layers=(1, 1), predicted=8, joint=8).eval()
        with torch.no_grad():
            model.scores[-1].weight.mul_(4)  # type: ignore[operator]
            model.scores[-1].bias[0] += 1  # type: ignore[index,operator]
        return model

    def test_rnnt_makes_as_many_steps_as_it_says(self, rnnt: rnnt_network.Rnnt) -> None:
        for frames in (1, 5, 6, 7, 60):
            scores = rnnt(torch.randn(1, frames, 10), torch.tensor([frames]), torch.tensor([[3, 4]]))
            assert scores.shape == (1, int(rnnt.steps(torch.tensor(frames))), 3, alphabet.SIZE)

    def test_greedy_decoding_is_the_same_for_one_and_for_many(self, rnnt: rnnt_network.Rnnt) -> None:
        heard = [torch.randn(count, 10) for count in (60, 13, 36)]
        frames = torch.tensor([len(one) for one in heard])
        with torch.no_grad():
            together = greedy(rnnt, torch.nn.utils.rnn.pad_sequence(heard, batch_first=True), frames)
            apart = [greedy(rnnt, one[None], torch.tensor([len(one)]))[0] for one in heard]
        assert together == apart
        assert any(together)

    def test_greedy_decoding_follows_the_scores(self, rnnt: rnnt_network.Rnnt) -> None:
        features, frames = torch.randn(1, 60, 10), torch.tensor([60])
        with torch.no_grad():
            found = greedy(rnnt, features, frames)[0]
            scores = rnnt(features, frames, torch.tensor([found]))[0].argmax(-1)
        said, step = 0, 0
        at_this_step = 0
        while step < len(scores):
            best = int(scores[step, said])
            if best and at_this_step < 8:
                assert best == found[said]
                said, at_this_step = said + 1, at_this_step + 1
            else:
                step, at_this_step = step + 1, 0
        assert said == len(found)


class TestWordErrors:
    def test_they_are_counted_over_all_words(self) -> None:
        task = SpeechTask(Setup())
        evidence = [[("ONE TWO THREE", "ONE TWO")], [("FOUR", "FOUR FIVE"), ("SIX", "SIX")]]
        assert task.quality(evidence) == pytest.approx(2 / 5)

    def test_nothing_heard_is_all_wrong(self) -> None:
        assert SpeechTask(Setup()).quality([[("ONE TWO", "")]]) == 1.0

    def test_ctc_says_repeated_characters_once_and_skips_blanks(self) -> None:
        a, b = alphabet.encoded("AB")
        steps = torch.tensor([[0, a, a, 0, a, b, b, 1]])

        def model(features: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.one_hot(steps, alphabet.SIZE).float()

        batch = {"features": torch.zeros(1, 15, 3), "frames": torch.tensor([15])}
        assert DeepSpeech2(Setup()).heard(cast(torch.nn.Module, model), batch) == ["AAB"]


@pytest.mark.parametrize("task", ["deepspeech2:DeepSpeech2", "rnnt:RnnT"])
def test_it_learns_and_repeats(tmp_path: Path, task: str) -> None:
    data, recipe = write_tree(tmp_path / "data"), {"epochs": 2, "batch_size": 2}
    runs = [trained(task, data, tmp_path / name, recipe=recipe, target=-1.0) for name in ("1", "2")]
    assert runs[0].quality == runs[1].quality
    assert runs[0].ended_by == "epochs"


def test_augmentation_is_of_the_training_alone(tmp_path: Path) -> None:
    train, evaluation = RnnT(Setup(data=write_tree(tmp_path), options=OPTIONS | {"augment": "yes"})).splits()
    draws = [torch.Generator().manual_seed(seed) for seed in (1, 1, 2)]
    first, second, other = (train.batch([0], draw)["features"] for draw in draws)
    assert torch.equal(first, second)
    assert first.shape != other.shape or not torch.equal(first, other)
    heard = [evaluation.batch([0], torch.Generator().manual_seed(seed))["features"] for seed in (1, 2)]
    assert torch.equal(*heard)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("model", ["deepspeech2", "rnnt"])
def test_the_small_default_reaches_its_target(tmp_path: Path, model: str) -> None:
    found = trained_by_cmr(tmp_path, f"_{model}")
    assert found.reached and found.quality is not None and found.quality.value <= 0.1
    assert (found.tier, found.dataset) == ("embedded", "words")
