"""MLPerf's RNN-T: features, decoding, checkpoints, and a run of the whole network."""

import json

import numpy as np
import pytest
from tests.tasks.test_speech_recognition import TASK_PATH, write_clips

from harness import supervise
from harness.config import ModelConfig
from harness.errors import HarnessError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("jiwer")
torch.set_num_threads(1)

from speech_recognition import characters  # noqa: E402
from speech_recognition.rnnt import BLANK, RNNT, build_rnnt  # noqa: E402
from speech_recognition.rnnt_features import FEATURES, RnntSpectrogram, frames_of  # noqa: E402
from speech_recognition.rnnt_task import CharacterTranscription  # noqa: E402
from speech_recognition.transducer import MOST_PER_FRAME, greedy  # noqa: E402


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(5)
    return RNNT().eval()


@pytest.fixture
def rnnt(configure, tmp_path):
    def make(**changes):
        names = {
            "model": ModelConfig(name="rnnt", architecture="speech_recognition.rnnt:build_rnnt"),
            "dataset": str(write_clips(tmp_path / "clips")),
            "task": "speech_recognition.rnnt_task:CharacterTranscription",
            "task_path": (TASK_PATH,),
            "backend": "pytorch",
            "benchmark": "rnnt",
            "batch_size": 2,
        }
        return configure(**(names | changes))

    return make


def noise(samples, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 3000, samples).astype(np.int16))


class TestFeatures:
    @pytest.mark.parametrize("samples", [1000, 16000, 16001, 16160, 16479, 240000])
    def test_a_frame_for_each_30_ms_or_part_of_them(self, samples):
        features = RnntSpectrogram(torch.device("cpu"))(noise(samples))
        assert features.shape == (frames_of(samples), FEATURES)
        assert frames_of(samples) == -(-(-(-samples // 160)) // 3)
        torch.testing.assert_close(features.mean(0), torch.zeros(FEATURES), atol=1e-4, rtol=0)

    def test_three_frames_stand_side_by_side(self):
        """The second third of a row is the frame after that of the first third; after the end there are zeros."""
        spectrogram = RnntSpectrogram(torch.device("cpu"))
        wave = noise(48000).float() / 32768
        wave = torch.cat((wave[:1], wave[1:] - 0.97 * wave[:-1]))
        power = torch.stft(wave, 512, 160, 320, window=torch.hann_window(320, periodic=False), return_complex=True)
        mel = torch.log(spectrogram._filters @ (power.abs() ** 2 + 1e-10) + 1e-20)
        rows = torch.stack([torch.cat([mel[:, 3 * k + j] for j in range(3)]) for k in range(99)])
        features = spectrogram(noise(48000))[:99]
        kept = features.std(0) > 0
        expected = (rows - rows.mean(0)) / rows.std(0)
        correlation = torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(features.T, expected.T)])
        assert bool(kept.all())
        assert float(correlation.min()) > 0.9999


def step_by_step(network, clip, most=MOST_PER_FRAME):
    """Greedy decoding of one clip as a plain loop over frames."""
    features = RnntSpectrogram(torch.device("cpu"))(clip)[:, None]
    encoded = network.encoder(features)[:, 0]
    text, memory, lstm = [], None, network.prediction.dec_rnn.lstm
    expected, after = lstm(torch.zeros(1, 1, lstm.input_size), memory)
    for frame in encoded:
        for _ in range(most):
            best = int(network.joint(frame[None], expected[0]).argmax())
            if best == BLANK:
                break
            text.append(best)
            memory = after
            expected, after = lstm(network.prediction.embed(torch.tensor([[best]])), memory)
    return text


class TestDecoding:
    @pytest.mark.parametrize("bias", [0.12, 0.17])
    def test_a_batch_answers_as_each_clip_alone(self, network, bias):
        clips = [noise(3000, 1), noise(8000, 2), noise(5000, 3)]
        audio = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
        with torch.inference_mode():
            before = network.joint.net[3].bias[BLANK].clone()
            network.joint.net[3].bias[BLANK] += bias
            expected = [step_by_step(network, clip) for clip in clips]
            texts, lengths = network(audio, torch.tensor([len(clip) for clip in clips]))
            network.joint.net[3].bias[BLANK] = before
        assert [text[:length].tolist() for text, length in zip(texts, lengths.tolist())] == expected
        assert texts.dtype == torch.int64

    def test_outputs_that_are_no_numbers(self):
        network = RNNT().eval()
        with torch.no_grad():
            network.encoder.post_rnn.lstm.weight_ih_l0.fill_(torch.nan)
        with pytest.raises(HarnessError) as caught, torch.inference_mode():
            network(noise(3000)[None], torch.tensor([3000]))
        assert caught.value.kind == "nan"

    def test_a_frame_brings_at_most_thirty_characters(self, network):
        def always_a(encoded, expected):
            scores = torch.zeros(len(encoded), BLANK + 1)
            scores[:, 1] = 1
            return scores

        frames = torch.tensor([3, 0, 1])
        texts, lengths = greedy(torch.zeros(3, 3, 4), frames, network.prediction, always_a, blank=BLANK)
        assert lengths.tolist() == [90, 0, 30]
        assert set(texts[0].tolist()) == {1}


class TestCheckpoint:
    def official(self, network, path, **changes):
        """A file as the reference's training wrote it."""
        state = {name.replace("joint.net", "joint_net"): tensor for name, tensor in network.state_dict().items()}
        state |= {
            "audio_preprocessor.featurizer.fb": torch.zeros(1),
            "audio_preprocessor.featurizer.window": torch.zeros(1),
        }
        torch.save({"epoch": 100, "state_dict": state | changes}, path)
        return ModelConfig(name="rnnt", architecture="speech_recognition.rnnt:build_rnnt", weights=str(path))

    def test_the_official_names_are_understood(self, network, tmp_path):
        loaded = build_rnnt(self.official(network, tmp_path / "rnnt.pt"))
        for name, tensor in network.state_dict().items():
            assert torch.equal(loaded.state_dict()[name], tensor)

    def test_files_that_will_not_do(self, network, tmp_path):
        path = tmp_path / "rnnt.pt"
        config = self.official(network, path, **{"joint_net.3.bias": torch.zeros(5)})
        with pytest.raises(HarnessError, match="does not fit RNNT: 1 of another shape"):
            build_rnnt(config)
        path.write_bytes(path.read_bytes()[:1000])
        with pytest.raises(HarnessError, match="is no checkpoint"):
            build_rnnt(config)
        torch.save({"weights": 1}, path)
        with pytest.raises(HarnessError, match="is no checkpoint"):
            build_rnnt(config)
        path.unlink()
        with pytest.raises(HarnessError, match="does not exist") as caught:
            build_rnnt(config)
        assert caught.value.kind == "weights"


class TestTask:
    def test_clips_are_padded_and_answers_cut(self, rnnt):
        task = CharacterTranscription(rnnt())
        audio, lengths = task.load([2, 0])
        assert (audio.shape, audio.dtype, lengths.tolist()) == ((2, 48000), np.int16, [8000, 16000])
        assert not audio[0, 8000:].any()
        assert task.lengths([0, 1, 2]) == [16000, 48000, 8000]
        first, second = task.encode((np.array([[1, 2, 0], [3, 4, 5]]), np.array([2, 3])), [2, 0])
        assert (first.tolist(), second.tolist()) == ([1, 2], [3, 4, 5])
        with pytest.raises(HarnessError, match="1 outputs, expected characters and lengths"):
            task.encode((np.zeros((2, 3)),), [2, 0])

    def test_a_log_becomes_a_score(self, rnnt, tmp_path):
        task = CharacterTranscription(rnnt(quality_target=95.0))
        said = ["he was not", "an ill disposed youngman", "the center"]
        entries = [
            {"seq_id": k, "qsl_idx": k, "data": characters.encode(text, characters.RNNT).tobytes().hex()}
            for k, text in enumerate(said)
        ]
        (tmp_path / "mlperf_log_accuracy.json").write_text(json.dumps(entries))
        quality = task.quality(tmp_path)
        assert quality.value == pytest.approx(100 * (1 - 3 / 10))  # no joining, no spelling: 2 + 1 words
        assert quality.passed is False
        assert (tmp_path / "accuracy.txt").read_text().startswith("Word Error Rate: 30.0")

    def test_clips_longer_than_the_benchmarks(self, rnnt, tmp_path):
        config = rnnt()
        write_clips(tmp_path / "clips", longest=240001)
        with pytest.raises(HarnessError, match="a clip of 240001 samples"):
            CharacterTranscription(config)

    def test_whole_run(self, rnnt):
        pytest.importorskip("mlperf_loadgen")
        outcome = supervise.run(rnnt(min_query_count=3, performance_sample_count=3, warmup_batches=1))
        assert outcome.failure is None, outcome.failure
        assert outcome.model_facts["parameters"] == 45_323_037
