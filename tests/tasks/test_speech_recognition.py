"""Clips, spectrograms, Whisper's engine, and word errors; the packaged model only where it is asked for."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.workbench import ROOT

from harness import supervise
from harness.config import ModelConfig
from harness.engines.decoding import Chooser
from harness.engines.warmup import answer
from harness.errors import HarnessError
from harness.tasks.base import Prompt

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("jiwer")
torch.set_num_threads(1)

from speech_recognition import characters, metric  # noqa: E402
from speech_recognition.engine import WhisperEngine  # noqa: E402
from speech_recognition.models import build_whisper  # noqa: E402
from speech_recognition.spectrogram import WhisperSpectrogram  # noqa: E402
from speech_recognition.task import Transcription  # noqa: E402
from speech_recognition.vocabulary import PROMPT, Vocabulary  # noqa: E402

TASK_PATH = str(ROOT / "script" / "get-mlperf-inference-task-speech-recognition")
WORDS = ["he", "was", "not", "an", "ill", "disposed", "young", "man", "centre"]
TEXTS = ["he was not", "an ill disposed young man", "the centre"]


def write_clips(folder, lengths=(16000, 48000, 8000), texts=TEXTS, tier="synthetic", **changes):
    """A folder as get-preprocessed-dataset-librispeech writes it; `changes` go into dataset.json."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).normal(0, 3000, sum(lengths)).astype(np.int16)
    np.save(folder / "audio.npy", noise)
    np.save(folder / "offsets.npy", np.cumsum([0, *lengths]).astype(np.int64))
    (folder / "transcripts.json").write_text(json.dumps(list(texts)))
    (folder / "spelling.json").write_text(json.dumps({"centre": "center"}))
    info = {"schema": 1, "name": "test", "tier": tier, "count": len(lengths), "sample_rate": 16000}
    (folder / "dataset.json").write_text(json.dumps(info | {"longest": max(lengths)} | changes))
    return folder


@pytest.fixture(scope="module")
def tiny_whisper(tmp_path_factory):
    """A Whisper of two narrow layers with random weights and a small tokenizer, in transformers' format."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("tiny-whisper")
    vocabulary = {word: number for number, word in enumerate(["<unk>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Whitespace(), decoders.WordPiece()
    tokenizer.add_special_tokens(["<|endoftext|>", *PROMPT])
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    end = tokenizer.token_to_id("<|endoftext|>")
    config = transformers.WhisperConfig(
        **{f"{side}_{name}": value for side in ("encoder", "decoder") for name, value in SIZES.items()},
        vocab_size=tokenizer.get_vocab_size(),
        num_mel_bins=8,
        d_model=16,
        decoder_start_token_id=tokenizer.token_to_id(PROMPT[0]),
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        init_std=0.5,
    )
    transformers.WhisperForConditionalGeneration(config).save_pretrained(folder)
    return folder


SIZES = {"layers": 2, "attention_heads": 2, "ffn_dim": 32}


@pytest.fixture
def whisper(configure, tiny_whisper, tmp_path):
    """Factory of runs of the tiny Whisper on three clips of noise."""

    def make(**changes):
        model = ModelConfig(
            name="tiny", architecture="speech_recognition.models:build_whisper", weights=str(tiny_whisper)
        )
        fields = {"model": model, "dataset": str(write_clips(tmp_path / "clips")), "batch_size": 3}
        names = {
            "task": "speech_recognition.task:Transcription",
            "task_path": (TASK_PATH,),
            "backend": "speech_recognition.engine:WhisperEngine",
            "benchmark": "whisper",
        }
        return configure(**(names | fields | changes))

    return make


class TestClips:
    def test_prompts_are_the_samples_as_they_are(self, whisper):
        task = Transcription(whisper())
        prompt = task.prompt(1)
        audio = np.load(Path(whisper().dataset) / "audio.npy")
        np.testing.assert_array_equal(prompt.features, audio[16000:64000])
        assert prompt.features.dtype == np.int16
        assert (prompt.max_new_tokens, prompt.min_new_tokens, len(prompt.tokens)) == (200, 0, 4)
        assert task.lengths([2, 1]) == [8000, 48000]
        assert (task.count, task.sample_bytes) == (3, 96000)
        assert task.facts()["hours"] == round(72000 / 16000 / 3600, 4)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"count": 4}, "offsets.npy has 3 clips, dataset.json says 4"),
            ({"count": 0}, "says count 0"),
            ({"sample_rate": 8000}, "has 8000 Hz"),
            ({"longest": 40000}, "clips of 8000 to 48000 samples"),
            ({"longest": 480001}, "a clip of 480001 samples"),
            ({"tier": "embedded"}, None),
        ],
    )
    def test_a_description_that_does_not_fit_is_an_error(self, whisper, tmp_path, changes, said):
        config = whisper()
        write_clips(tmp_path / "clips", **changes)
        if said is None:
            Transcription(config)
            return
        with pytest.raises(HarnessError) as caught:
            Transcription(config)
        assert caught.value.kind == "dataset"
        assert said in caught.value.cause

    @pytest.mark.parametrize("name", ["audio.npy", "offsets.npy", "transcripts.json", "dataset.json"])
    @pytest.mark.parametrize("content", [None, b"", b"\x93NUMPY cut off"])
    def test_missing_and_damaged_files_are_named(self, whisper, tmp_path, name, content):
        config = whisper()
        path = tmp_path / "clips" / name
        path.unlink() if content is None else path.write_bytes(content)
        with pytest.raises(HarnessError) as caught:
            Transcription(config)
        assert (caught.value.kind, name in caught.value.cause) == ("dataset", True)

    def test_audio_of_another_length_or_type(self, whisper, tmp_path):
        config = whisper()
        np.save(tmp_path / "clips" / "audio.npy", np.zeros(5, np.int16))
        with pytest.raises(HarnessError, match=r"has 5 samples, offsets\.npy 72000"):
            Transcription(config)
        np.save(tmp_path / "clips" / "audio.npy", np.zeros(72000, np.float32))
        with pytest.raises(HarnessError, match="holds float32, expected int16"):
            Transcription(config)

    def test_synthetic_clips_are_no_embedded_run(self, whisper):
        with pytest.raises(HarnessError, match="claims 'embedded'"):
            Transcription(whisper(tier="embedded"))


@pytest.mark.parametrize("bins", [80, 128])
def test_spectrograms_are_those_of_the_feature_extractor(bins):
    clips = [np.random.default_rng(k).normal(0, 2000, 16000 * (k + 1)).astype(np.int16) for k in range(2)]
    ours = WhisperSpectrogram(bins, torch.device("cpu"))(clips)
    extractor = transformers.WhisperFeatureExtractor(feature_size=bins)
    waves = [clip.astype(np.float32) / 32768 for clip in clips]
    theirs = extractor(waves, sampling_rate=16000, return_tensors="pt").input_features
    torch.testing.assert_close(ours, theirs)


class TestEngine:
    def by_hand(self, module, features, prompt, count, end):
        """Greedy tokens of one clip without any cache."""
        tokens = list(prompt)
        with torch.inference_mode():
            for _ in range(count):
                logits = module(input_features=features, decoder_input_ids=torch.tensor([tokens])).logits
                tokens.append(int(logits[0, -1].argmax()))
                if tokens[-1] == end:
                    break
        return tokens[len(prompt) :]

    def test_every_clip_gets_its_own_words(self, whisper):
        """Three clips of five, in groups, some leaving early: as if each had been alone."""
        engine, task = WhisperEngine(whisper(batch_size=3, threads=1)), Transcription(whisper())
        facts = engine.load()
        model = build_whisper(whisper().model)
        (end,) = model.eos_ids
        spectrogram = WhisperSpectrogram(8, torch.device("cpu"))
        random = np.random.default_rng(3)
        clips = [random.normal(0, 4000, 9000 * (k + 1)).astype(np.int16) for k in range(5)]
        asked = task.prompt(0).tokens
        limits = [9, 2, 5, 1, 7]
        prompts = [
            Prompt(tokens=asked, features=clip, max_new_tokens=limit, min_new_tokens=0)
            for clip, limit in zip(clips, limits, strict=True)
        ]
        expected = [
            self.by_hand(model.module.eval(), spectrogram([clip]), asked, limit, end)
            for clip, limit in zip(clips, limits, strict=True)
        ]
        assert answer(engine, prompts) == expected
        assert len({tuple(tokens[:1]) for tokens in expected}) > 1 or len(set(map(tuple, expected))) > 2
        execution = engine.execution()
        assert (execution.used, execution.precision, execution.threads) == ("cpu", "fp32", 1)
        assert facts["parameters"] == sum(parameter.numel() for parameter in model.module.parameters())

    def test_an_ending_can_be_forbidden(self, whisper):
        engine, task = WhisperEngine(whisper()), Transcription(whisper())
        engine.load()
        first = task.prompt(0)
        free, bound = (
            Prompt(tokens=first.tokens, features=first.features, max_new_tokens=4, min_new_tokens=least)
            for least in (0, 2)
        )
        ((likeliest, *_),) = answer(engine, [free])
        engine._model = replace(engine._model, eos_ids=frozenset({likeliest}))
        engine._choose = Chooser(engine._model, seed=0)
        one, two = answer(engine, [free, bound])
        assert one == [likeliest]
        assert len(two) > 2
        assert likeliest not in two[:2]

    def test_scores_that_are_no_numbers(self, whisper):
        engine, task = WhisperEngine(whisper()), Transcription(whisper())
        engine.load()
        with torch.no_grad():
            engine._model.module.model.encoder.conv1.weight.fill_(torch.nan)
        with pytest.raises(HarnessError) as caught:
            answer(engine, [task.prompt(0)])
        assert caught.value.kind == "nan"


class TestModel:
    @pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
    def test_missing_files(self, whisper, tiny_whisper, tmp_path, name):
        folder = self.copy_of(tiny_whisper, tmp_path, without=name)
        config = whisper(model=self.model(folder))
        with pytest.raises(HarnessError) as caught:
            Transcription(config) if name == "tokenizer.json" else build_whisper(config.model)
        assert caught.value.kind == "weights"
        assert str(folder) in caught.value.cause

    def test_truncated_weights(self, tiny_whisper, tmp_path):
        folder = self.copy_of(tiny_whisper, tmp_path)
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])
        with pytest.raises(HarnessError, match="cannot be read"):
            build_whisper(self.model(folder))

    def test_weights_of_another_network(self, tiny_whisper, tmp_path):
        folder = self.copy_of(tiny_whisper, tmp_path)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"decoder_layers": 3}))
        with pytest.raises(HarnessError, match=r"does not hold its config\.json's network: .* missing keys"):
            build_whisper(self.model(folder))
        (folder / "config.json").write_text(json.dumps(config | {"model_type": "bert"}))
        with pytest.raises(HarnessError, match="type 'bert', not whisper"):
            build_whisper(self.model(folder))

    def test_a_tokenizer_without_whispers_tokens(self, tiny_whisper, tmp_path):
        folder = self.copy_of(tiny_whisper, tmp_path)
        text = (folder / "tokenizer.json").read_text()
        (folder / "tokenizer.json").write_text(text.replace("<|transcribe|>", "<|other|>"))
        with pytest.raises(HarnessError, match=r"no token <\|transcribe\|>"):
            Vocabulary.of(self.model(folder))

    def test_the_synthetic_shape_asks_with_large_v3s_tokens(self):
        vocabulary = Vocabulary.of(ModelConfig(name="x", architecture="y"))
        assert vocabulary.prompt == (50258, 50259, 50360, 50364)
        assert vocabulary.text([1, 2]) == ""

    def model(self, folder):
        return ModelConfig(name="x", architecture="speech_recognition.models:build_whisper", weights=str(folder))

    def copy_of(self, source, tmp_path, without=""):
        folder = tmp_path / "model"
        folder.mkdir()
        for path in source.iterdir():
            if path.name != without:
                (folder / path.name).write_bytes(path.read_bytes())
        return folder


class TestCharacters:
    def test_there_and_back(self):
        text = "he wasn't $5 short, 10% - é"
        payload = characters.encode(text, characters.WHISPER)
        assert payload.dtype == np.int64
        assert characters.decode(payload.tobytes(), characters.WHISPER) == "he wasn't $5 short 10% - "
        assert characters.known(text, characters.RNNT) == "he wasn't  short   "
        assert len(characters.WHISPER) == 42
        assert characters.RNNT.index("'") == 27

    @pytest.mark.parametrize("payload", [b"1234567", struct.pack("<q", 42), struct.pack("<q", -1)])
    def test_other_bytes(self, payload):
        with pytest.raises(HarnessError) as caught:
            characters.decode(payload, characters.WHISPER)
        assert caught.value.kind == "accuracy"


class TestMetric:
    @pytest.mark.parametrize(
        ("reference", "hypothesis", "errors"),
        [
            ("a b c", "a b c", 0),
            ("a b c", "a x c d", 2),
            ("down stairs", "downstairs", 0),
            ("downstairs he went", "down stairs he went", 0),
            ("an ill disposed man", "an illdisposed man", 0),
            ("now a days", "nowadays", 0),
            ("one two three four", "onetwothreefour", 4),  # four words are more than a compound may have
            ("a b", "", 2),
            ("", "a b", 2),
        ],
    )
    def test_compounds_count_as_equal(self, reference, hypothesis, errors):
        assert metric.lenient_word_errors([reference], [hypothesis]).errors == errors

    def test_words_are_counted_as_the_reference_writes_them(self):
        found = metric.lenient_word_errors(["down stairs he went", "yes"], ["downstairs she went", "no"])
        assert (found.errors, found.words, found.rate) == (2, 5, 0.4)
        assert metric.word_errors(["down stairs he went"], ["downstairs she went"]).errors == 3

    def test_spelling_numbers_and_contractions_are_brought_into_one_form(self, tmp_path):
        (tmp_path / "spelling.json").write_text('{"centre": "center"}')
        normalise = metric.normaliser(tmp_path / "spelling.json")
        assert normalise("twenty five wasn't the centre") == normalise("25 was not the center")

    @pytest.mark.parametrize("content", [None, b"[1]", b"{"])
    def test_spellings_that_cannot_be_read(self, tmp_path, content):
        if content is not None:
            (tmp_path / "spelling.json").write_bytes(content)
        with pytest.raises(HarnessError, match=r"spelling\.json has no spellings"):
            metric.normaliser(tmp_path / "spelling.json")

    def test_the_line_that_checkers_look_for(self, tmp_path):
        quality = metric.report(tmp_path, metric.WordErrors(1, 40), 5, 97.0, metric.WordErrors(2, 40))
        assert (tmp_path / "accuracy.txt").read_text() == "Word Error Rate: 2.5%, accuracy=97.5%\n"
        assert (quality.value, quality.total, quality.passed) == (97.5, 5, True)
        assert [one.value for one in quality.more] == [2.5, 5.0]
        assert metric.report(tmp_path, metric.WordErrors(2, 40), 5, 97.0, metric.WordErrors(2, 40)).passed is False
        with pytest.raises(HarnessError, match="no words"):
            metric.report(tmp_path, metric.WordErrors(0, 0), 5, None, metric.WordErrors(0, 0))


class TestRuns:
    def test_a_log_becomes_a_score(self, whisper, tmp_path):
        task = Transcription(whisper(quality_target=50.0))
        said = ["He was not.", "an illdisposed young man", "the center"]
        entries = [
            {"seq_id": k, "qsl_idx": k, "data": characters.encode(text.lower(), characters.WHISPER).tobytes().hex()}
            for k, text in enumerate(said)
        ]
        (tmp_path / "mlperf_log_accuracy.json").write_text(json.dumps(entries))
        quality = task.quality(tmp_path)
        assert (quality.value, quality.passed) == (100.0, True)
        (tmp_path / "mlperf_log_accuracy.json").write_text(json.dumps(entries[:2]))
        with pytest.raises(HarnessError, match="answers 2 of 3 samples"):
            task.quality(tmp_path)

    def test_whole_run(self, whisper):
        pytest.importorskip("mlperf_loadgen")
        outcome = supervise.run(
            whisper(mode="accuracy", batch_size=2, performance_sample_count=3, min_query_count=None)
        )
        assert outcome.failure is None, outcome.failure
        assert outcome.quality.metric == "word accuracy"
        assert (Path(outcome.config.output_dir) / "accuracy.txt").read_text().startswith("Word Error Rate: ")


@pytest.mark.slow
def test_packaged_whisper_makes_one_word_error(configure, tmp_path, monkeypatch):
    """The real model on the real sentences: the one wrong word is the transcript's."""
    from tests.workbench import Bench

    from cm4bench import Repo

    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path / "CM", Repo("cm4bench", ROOT, "c4be0c1d2f7a4e63", "", True))
    env = bench.run("get,mlperf,inference,task,_whisper").outcome.new_env
    model = ModelConfig(
        name="whisper", architecture=env["CM_ML_MODEL_ARCHITECTURE"], weights=env["CM_ML_MODEL_FILE_WITH_PATH"]
    )
    outcome = supervise.run(
        configure(
            model=model,
            dataset=env["CM_MLPERF_TASK_DATA"],
            tier="embedded",
            task=env["CM_MLPERF_TASK"],
            task_path=(env["CM_MLPERF_TASK_PATH"],),
            backend=env["CM_MLPERF_ENGINE"],
            benchmark="whisper",
            mode="accuracy",
            batch_size=5,
            min_query_count=None,
            hang_timeout_s=300.0,
            quality_target=float(env["CM_MLPERF_QUALITY_TARGET"]),
        )
    )
    assert outcome.failure is None, outcome.failure
    assert round(100 - outcome.quality.value, 3) == round(100 / 71, 3)
