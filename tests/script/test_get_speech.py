"""LibriSpeech, its preparation for Whisper and RNN-T, and Whisper out of its packages."""

import json
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from cm4bench.errors import CMBenchError

ORIGINAL, PREPROCESSED = "get,dataset,librispeech,original", "get,dataset,librispeech,preprocessed"
RATE = 16000


def write_wav(path, samples, rate=RATE, channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, len(samples), "NONE", ""))
        file.writeframes(np.asarray(samples, "<i2").tobytes())


def tone(seconds, value):
    return np.full(int(seconds * RATE), value, np.int16)


def librispeech(folder, chapters):
    """A tree as LibriSpeech has it: {"84-121123": [(seconds, "WORDS"), …]}, as FLAC."""
    soundfile = pytest.importorskip("soundfile")
    value = 0
    for chapter, recordings in chapters.items():
        speaker, number = chapter.split("-")
        place = folder / "LibriSpeech" / "dev-clean" / speaker / number
        place.mkdir(parents=True)
        lines = []
        for k, (seconds, text) in enumerate(recordings):
            value += 1
            soundfile.write(place / f"{chapter}-{k:04d}.flac", tone(seconds, value), RATE, subtype="PCM_16")
            lines.append(f"{chapter}-{k:04d} {text}\n")
        (place / f"{chapter}.trans.txt").write_text("".join(lines))
    return folder


def entry(name, seconds, text, speed=1):
    """A recording in one of MLPerf's manifests."""
    file = {"channels": 1, "sample_rate": 16000.0, "duration": seconds, "fname": name, "speed": speed}
    return {"files": [file], "original_duration": seconds, "transcript": text}


CHAPTERS = {
    "84-1": [(12, "ONE ONE"), (10, "TWO"), (8, "THREE")],
    "174-2": [(16, "FOUR"), (31, "TOO LONG"), (2, "FIVE")],
}


@pytest.fixture
def prepared(script_file, tmp_path):
    """Lists and prepares a folder as the scripts do; gives clips as (transcript, samples)."""
    listing, preprocess = script_file("get-dataset-librispeech"), script_file(PREPARATION, "preprocess.py")

    def run(folder, name, expect=0, tier="full"):
        import argparse

        utterances = tmp_path / "utterances.json"
        utterances.write_text(json.dumps(listing.utterances_in(folder)))
        out = tmp_path / "out"
        preprocess.convert(
            argparse.Namespace(
                folder=folder,
                utterances=utterances,
                preprocessing=name,
                tier=tier,
                expect=expect,
                spelling=None,
                out=out,
            )
        )
        audio, offsets = np.load(out / "audio.npy"), np.load(out / "offsets.npy")
        texts = json.loads((out / "transcripts.json").read_text())
        assert json.loads((out / "dataset.json").read_text())["count"] == len(texts) == len(offsets) - 1
        return list(zip(texts, np.split(audio, offsets[1:-1]), strict=True))

    return run


PREPARATION = "get-preprocessed-dataset-librispeech"


class TestListing:
    def test_a_tree_is_read_in_the_order_of_its_names(self, script_file, tmp_path):
        found = script_file("get-dataset-librispeech").utterances_in(librispeech(tmp_path, CHAPTERS))
        assert [one["transcript"] for one in found] == ["four", "too long", "five", "one one", "two", "three"]
        assert found[0]["audio"] == "LibriSpeech/dev-clean/174/2/174-2-0000.flac"
        assert [one["chapter"] for one in found] == ["174-2"] * 3 + ["84-1"] * 3

    def test_a_manifest_has_its_own_order(self, script_file, tmp_path):
        for name in ("b", "a"):
            write_wav(tmp_path / "dev" / f"{name}.wav", tone(1, 1))
        entries = [entry("dev/b.wav", 1, "b"), entry("/data/dev/a.wav", 1, "a")]
        (tmp_path / "dev-all-repack.json").write_text(json.dumps(entries))
        found = script_file("get-dataset-librispeech").utterances_in(tmp_path)
        assert [(one["audio"], one["transcript"], one["chapter"]) for one in found] == [
            ("dev/b.wav", "b", ""),
            ("dev/a.wav", "a", ""),
        ]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "neither .* nor a .json manifest"),
            ("{", "is not a manifest"),
            ('[{"files": []}]', "is not a manifest"),
            ('[{"transcript": "x"}]', "is not a manifest"),
            ("[]", "neither .* nor a .json manifest"),
            (json.dumps([entry("no.wav", 1, "x")]), "1 of 1 recordings .* the first is no.wav"),
        ],
    )
    def test_what_is_no_manifest(self, script_file, tmp_path, content, said):
        if content is not None:
            (tmp_path / "manifest.json").write_text(content)
        with pytest.raises(CMBenchError, match=said) as caught:
            script_file("get-dataset-librispeech").utterances_in(tmp_path)
        assert "--librispeech_path" in caught.value.hint

    def test_a_recording_that_is_not_there(self, script_file, tmp_path):
        librispeech(tmp_path, CHAPTERS)
        next(tmp_path.rglob("84-1-0001.flac")).unlink()
        with pytest.raises(CMBenchError, match="names 84-1-0001, but"):
            script_file("get-dataset-librispeech").utterances_in(tmp_path)

    def test_the_sentences_of_pocketsphinx(self, script_file, tmp_path):
        (tmp_path / "transcription").write_text("<s> he was not </s> (a-01)\n<s> had  he  </s> (a-02)\n")
        found = script_file("get-dataset-librispeech").pocketsphinx_in(tmp_path)
        assert [(one["audio"], one["transcript"]) for one in found] == [
            ("a-01.wav", "he was not"),
            ("a-02.wav", "had  he"),
        ]
        (tmp_path / "transcription").write_text("he was not\n")
        with pytest.raises(CMBenchError, match="not of the known form"):
            script_file("get-dataset-librispeech").pocketsphinx_in(tmp_path)

    def test_wrong_paths_are_told_before_anything_is_fetched(self, ours, tmp_path):
        for path, said in ((tmp_path / "none", "there is no such folder"), (tmp_path, "holds no recordings")):
            with pytest.raises(CMBenchError, match=said):
                ours.run(f"{ORIGINAL},_full", options={"librispeech_path": str(path)})
        assert ours.entries() == []


class TestPreparation:
    def test_whisper_joins_what_fits_into_30_s(self, prepared, tmp_path):
        """Half a second lies between; a recording of 31 s is left out; chapters are not mixed."""
        clips = prepared(librispeech(tmp_path / "data", CHAPTERS), "whisper")
        assert [text for text, _ in clips] == ["four five", "one one two", "three"]
        assert [len(samples) / RATE for _, samples in clips] == [18.5, 22.5, 8.0]
        samples = clips[1][1]
        assert samples[0] == samples[12 * RATE - 1] == 1
        assert not samples[12 * RATE : int(12.5 * RATE)].any()
        assert set(samples[int(12.5 * RATE) :].tolist()) == {2}

    def test_exactly_30_s_fit(self, prepared, tmp_path):
        clips = prepared(
            librispeech(tmp_path / "data", {"1-1": [(20, "A"), (9.5, "B"), (29.5, "C"), (0.1, "D")]}), "whisper"
        )
        assert [text for text, _ in clips] == ["a b", "c", "d"]

    def test_rnnt_takes_what_is_at_most_15_s(self, prepared, tmp_path):
        clips = prepared(librispeech(tmp_path / "data", CHAPTERS), "rnnt")
        assert [text for text, _ in clips] == ["five", "one one", "two", "three"]

    def test_clips_of_a_manifest_are_taken_as_they_are(self, prepared, tmp_path):
        data = tmp_path / "data"
        for k in range(3):
            write_wav(data / f"{k}.wav", tone(2, k))
        (data / "dev.json").write_text(json.dumps([entry(f"{k}.wav", 2, str(k)) for k in (2, 0, 1)]))
        clips = prepared(data, "whisper")
        assert [(text, samples[0]) for text, samples in clips] == [("2", 2), ("0", 0), ("1", 1)]

    def test_too_few(self, prepared, tmp_path):
        with pytest.raises(ValueError, match="gives 3 clips, 1633 are expected"):
            prepared(librispeech(tmp_path / "data", CHAPTERS), "whisper", expect=1633)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda path: write_wav(path, tone(1, 1), rate=8000), "1 channel.* at 8000 Hz"),
            (lambda path: write_wav(path, tone(1, 1), channels=2), "2 channel"),
            (lambda path: path.write_bytes(b"no sound"), "cannot be read"),
            (lambda path: path.write_bytes(b""), "cannot be read"),
        ],
    )
    def test_recordings_that_will_not_do(self, prepared, tmp_path, change, said):
        pytest.importorskip("soundfile")
        data = tmp_path / "data"
        write_wav(data / "a.wav", tone(1, 1))
        (data / "dev.json").write_text(json.dumps([entry("a.wav", 1, "a")]))
        change(data / "a.wav")
        with pytest.raises(ValueError, match=rf"a\.wav .*{said}"):
            prepared(data, "rnnt")
        assert not (tmp_path / "out").exists()

    def test_chain_of_synthetic_recordings(self, ours):
        pytest.importorskip("soundfile")
        report = ours.run(f"{PREPROCESSED},_rnnt,_size.3")
        env = report.outcome.new_env
        info = json.loads((Path(env["CM_DATASET_PREPROCESSED_PATH"]) / "dataset.json").read_text())
        assert (info["tier"], info["count"], env["CM_DATASET_SIZE"]) == ("synthetic", 3, "3")
        assert info["longest"] <= 15 * RATE
        assert ours.run(f"{PREPROCESSED},_rnnt,_size.3").made == ()


def ctranslate2(variables, aliases=(), version=6, specification="WhisperSpec"):
    """A model.bin in CTranslate2's format."""

    def text(value):
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    codes = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}
    data = struct.pack("<I", version) + text(specification) + struct.pack("<II", 3, len(variables))
    for name, array in variables.items():
        data += text(name) + struct.pack("<B", array.ndim) + struct.pack(f"<{array.ndim}I", *array.shape)
        data += struct.pack("<BI", codes[str(array.dtype)], array.nbytes) + array.tobytes()
    data += struct.pack("<I", len(aliases))
    return data + b"".join(text(alias) + text(name) for alias, name in aliases)


def whisper_variables(width=8, layers=2, vocabulary=12, mel=4):
    """Weights of a small Whisper under CTranslate2's names, each with its own values."""
    random = np.random.default_rng(0)
    found = {"decoder/num_heads": np.array(2, np.int16)}

    def add(name, *shape):
        found[name] = random.normal(size=shape).astype(np.float16)

    def linear(name, outputs, inputs):
        add(f"{name}/weight", outputs, inputs)
        add(f"{name}/bias", outputs)

    def norm(name):
        add(f"{name}/gamma", width)
        add(f"{name}/beta", width)

    for number, inputs in ((1, mel), (2, width)):
        add(f"encoder/conv{number}/weight", width, inputs, 3)
        add(f"encoder/conv{number}/bias", width)
    for side, positions in (("encoder", 20), ("decoder", 10)):
        add(f"{side}/position_encodings/encodings", positions, width)
        norm(f"{side}/layer_norm")
        for k in range(layers):
            place = f"{side}/layer_{k}"
            norm(f"{place}/self_attention/layer_norm")
            linear(f"{place}/self_attention/linear_0", 3 * width, width)
            linear(f"{place}/self_attention/linear_1", width, width)
            norm(f"{place}/ffn/layer_norm")
            linear(f"{place}/ffn/linear_0", 16, width)
            linear(f"{place}/ffn/linear_1", width, 16)
            if side == "decoder":
                norm(f"{place}/attention/layer_norm")
                linear(f"{place}/attention/linear_0", width, width)
                linear(f"{place}/attention/linear_1", 2 * width, width)
                linear(f"{place}/attention/linear_2", width, width)
    add("decoder/embeddings/weight", vocabulary, width)
    return found


class TestWhisperModel:
    @pytest.fixture
    def convert(self, script_file):
        pytest.importorskip("safetensors")
        return script_file("get-ml-model-whisper", "convert.py")

    @pytest.fixture
    def tokenizer(self, tmp_path):
        path = tmp_path / "tokenizer.json"
        added = [{"id": 10, "content": "<|endoftext|>"}, {"id": 11, "content": "<|startoftranscript|>"}]
        path.write_text(json.dumps({"added_tokens": added}))
        return path

    def parts(self, tmp_path, data):
        half = len(data) // 2
        (tmp_path / "part1").write_bytes(data[:half])
        (tmp_path / "part2").write_bytes(data[half:])
        return [tmp_path / "part1", tmp_path / "part2"]

    def test_every_weight_finds_its_place(self, convert, tokenizer, tmp_path):
        transformers, torch = pytest.importorskip("transformers"), pytest.importorskip("torch")
        variables = whisper_variables()
        aliases = [("decoder/projection/weight", "decoder/embeddings/weight")]
        convert.convert(self.parts(tmp_path, ctranslate2(variables, aliases)), tokenizer, tmp_path / "out")
        module, found = transformers.WhisperForConditionalGeneration.from_pretrained(
            tmp_path / "out", local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
        assert not any(found.values())
        config = module.config
        assert (config.d_model, config.encoder_layers, config.decoder_layers, config.num_mel_bins) == (8, 2, 2, 4)
        assert (config.decoder_attention_heads, config.eos_token_id, config.decoder_start_token_id) == (2, 10, 11)
        state = module.state_dict()
        keys = "model.decoder.layers.1.encoder_attn.k_proj.weight"
        expected = variables["decoder/layer_1/attention/linear_1/weight"][:8]
        np.testing.assert_array_equal(state[keys].numpy(), expected.astype(np.float32))
        values = variables["encoder/layer_0/self_attention/linear_0/bias"][16:]
        place = "model.encoder.layers.0.self_attn.v_proj.bias"
        np.testing.assert_array_equal(state[place].numpy(), values.astype(np.float32))
        assert torch.equal(state["proj_out.weight"], state["model.decoder.embed_tokens.weight"])

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (ctranslate2(whisper_variables(), version=5), "WhisperSpec version 5, expected WhisperSpec 6"),
            (ctranslate2({}, specification="TransformerSpec"), "is TransformerSpec"),
            (ctranslate2({}), "lacks the weight"),
            (ctranslate2(whisper_variables())[:-500], "cut off or damaged"),
            (ctranslate2(whisper_variables())[:60], "cut off or damaged"),
            (b"", "cut off or damaged"),
        ],
    )
    def test_files_that_will_not_do(self, convert, tokenizer, tmp_path, data, said):
        with pytest.raises(ValueError, match=said):
            convert.convert(self.parts(tmp_path, data), tokenizer, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_a_weight_that_is_missing(self, convert, tokenizer, tmp_path):
        variables = whisper_variables()
        del variables["decoder/layer_1/attention/linear_2/bias"]
        with pytest.raises(ValueError, match=r"lacks the weight .*layer_1/attention/linear_2/bias"):
            convert.convert(self.parts(tmp_path, ctranslate2(variables)), tokenizer, tmp_path / "out")

    def test_the_joined_file_is_compared(self, convert, tokenizer, tmp_path):
        parts = self.parts(tmp_path, ctranslate2(whisper_variables()))
        with pytest.raises(ValueError, match=r"sha256 .* expected 0000"):
            convert.convert(parts, tokenizer, tmp_path / "out", "0" * 64)

    def test_another_tokenizer(self, convert, tokenizer, tmp_path):
        tokenizer.write_text('{"added_tokens": []}')
        with pytest.raises(ValueError, match="lacks the token"):
            convert.convert(self.parts(tmp_path, ctranslate2(whisper_variables())), tokenizer, tmp_path / "out")

    def test_a_given_folder_is_looked_at_first(self, ours, tmp_path):
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(CMBenchError, match=r"tokenizer\.json, \*\.safetensors missing") as caught:
            ours.run("get,ml-model,whisper,_full", options={"model_path": str(tmp_path)})
        assert "--model_path" in caught.value.hint

    def test_a_given_folder_is_used(self, ours, tmp_path):
        for name in ("config.json", "tokenizer.json", "model.safetensors"):
            (tmp_path / name).write_text("{}")
        env = ours.run("get,ml-model,whisper,_full", options={"model_path": str(tmp_path)}).outcome.new_env
        assert env["CM_ML_MODEL_FILE_WITH_PATH"] == str(tmp_path)

    def test_synthetic_has_no_file(self, ours):
        env = ours.run("get,ml-model,whisper,_synthetic").outcome.new_env
        assert not env.get("CM_ML_MODEL_FILE_WITH_PATH")
        assert env["CM_ML_MODEL_ARCHITECTURE"] == "speech_recognition.models:build_whisper"


@pytest.mark.parametrize("model", ["whisper", "whisper-base", "rnnt"])
def test_every_model_has_an_embedded_default(ours, model):
    plan = ours.plan(f"get,mlperf,inference,task,_{model}")
    chosen = {step.script.alias: set(step.variations) for step in plan.steps()}
    assert "embedded" in chosen["get-ml-model-whisper"]
    assert "embedded" in chosen["get-preprocessed-dataset-librispeech"]


def test_official_rnnt_weights_only(ours, tmp_path):
    (tmp_path / "mine.pt").write_bytes(b"other weights")
    with pytest.raises(CMBenchError, match="checksum mismatch"):
        ours.run("get,ml-model,rnnt", options={"model_path": str(tmp_path / "mine.pt")})
