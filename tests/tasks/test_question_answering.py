"""SQuAD as token ids, spans and their texts, F1, and answer-sentence selection."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from tests.workbench import ROOT

from harness import supervise
from harness.config import ModelConfig
from harness.errors import HarnessError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
torch.set_num_threads(1)

from question_answering.answers import AnswerReader, Texts, best_span  # noqa: E402
from question_answering.models import build_bert, build_minilm  # noqa: E402
from question_answering.networks import SentenceSelector, SpanExtractor  # noqa: E402
from question_answering.selection import AnswerSentenceSelection  # noqa: E402
from question_answering.task import ABSENT, QuestionAnswering  # noqa: E402

PREPARE = ROOT / "script" / "get-preprocessed-dataset-squad" / "preprocess.py"
PIECES = """
    the cat dog sat on mat . , ? who where what run ##s ##ning ( ) cafe 19 ##45 -
    in and a red hat wore
""".split()  # noqa: SIM905
CONTEXT = "The cat sat on the mat. A dog, running in 1945, wore a red hat. The Café\u202fsat (in) a hat."


def question(number, text, *answers, context=CONTEXT):
    marks = [{"text": answer, "answer_start": context.index(answer)} for answer in answers]
    return {"id": f"q{number}", "question": text, "answers": marks}


def squad(*questions, context=CONTEXT):
    return {"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": context, "qas": list(questions)}]}]}


CAT = question(0, "Who sat on the mat?", "The cat", "cat")
HAT = question(1, "What wore a red hat in 1945?", "A dog")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Runs the script once for each set of options; gives the folder, or what it says when it fails."""
    base, made = tmp_path_factory.mktemp("squad"), {}
    vocabulary = base / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", *(f"[unused{n}]" for n in range(4)), "[UNK]", "[CLS]", "[SEP]", *PIECES]))

    def run(text, *options):
        if (text, options) not in made:
            source, out = base / f"dev{len(made)}.json", base / f"out{len(made)}"
            source.write_text(text)
            command = [sys.executable, str(PREPARE), *options, "--out", str(out)]
            command += ["--squad", str(source), "--vocabulary", str(vocabulary)]
            done = subprocess.run(command, capture_output=True, text=True)
            made[text, options] = done.stderr if done.returncode else out
        return made[text, options]

    return run


@pytest.fixture
def prepare(prepared, tmp_path):
    """A copy of a prepared folder, to be damaged at will."""

    def run(data=None, *options, form="spans", tier="full", fails=False):
        text = data if isinstance(data, str) else json.dumps(data or squad(CAT, HAT))
        found = prepared(text, "--form", form, "--tier", tier, *options)
        assert isinstance(found, str) is fails, found
        return found if fails else shutil.copytree(found, tmp_path / form, dirs_exist_ok=True)

    return run


def arrays(folder):
    with np.load(folder / "features.npz") as file:
        return dict(file)


def spans_task(configure, folder, **changes):
    fields = {"task": "question_answering.task:QuestionAnswering", "dataset": str(folder), "tier": "full"}
    return QuestionAnswering(configure(**(fields | changes)))


def write_log(folder, rows):
    folder.mkdir(exist_ok=True)
    log = [{"seq_id": n, "qsl_idx": n, "data": np.float32(row).tobytes().hex().upper()} for n, row in rows.items()]
    (folder / "mlperf_log_accuracy.json").write_text(json.dumps(log))
    return folder


def logits_for(task, row, first, last, height=9.0):
    """A response whose best span is that of the tokens `first` and `last` of the context window."""
    start = int(task._features["context_start"][row])
    response = np.zeros((task.columns[0].shape[0], 2), np.float32)
    response[start + first, 0] = response[start + last, 1] = height
    return response.reshape(-1)


class TestSpanFeatures:
    def test_question_and_context_between_special_tokens(self, prepare):
        features = arrays(prepare(None, "--sequence", "64", "--question", "16"))
        ids, start = features["input_ids"], features["context_start"]
        assert ids.shape == (2, 64)
        assert ids[0, 0] == 6
        assert ids[0, start[0] - 1] == 7
        length = start + features["window_length"] + 1
        assert (ids[np.arange(2), length - 1] == 7).all()
        assert (ids[0, length[0] :] == 0).all()
        words = json.loads((prepare(None, "--sequence", "64", "--question", "16") / "text.json").read_text())[
            "paragraphs"
        ][0]
        assert words[:3] == ["The", "cat", "sat"]
        assert "Café" in words  # the narrow no-break space separates words
        assert features["word_of_token"][6] == words.index("mat.")  # the full stop belongs to the word it follows

    def test_windows_overlap_and_each_token_is_clearest_once(self, prepare):
        features = arrays(prepare(squad(CAT), "--sequence", "24", "--question", "8", "--stride", "4"))
        assert len(features["input_ids"]) > 2
        assert np.diff(features["window_start"]).tolist() == [4] * (len(features["input_ids"]) - 1)
        seen = np.zeros(features["paragraph_offsets"][1], int)
        rows = zip(features["context_start"], features["window_start"], features["window_length"], strict=True)
        for row, (context, begin, length) in enumerate(rows):
            seen[begin : begin + length] += features["clearest"][row, context : context + length]
        assert (seen == 1).all()
        assert seen.size == features["window_start"][-1] + features["window_length"][-1]

    def test_long_questions_are_cut(self, prepare):
        features = arrays(prepare(squad(question(0, "cat " * 30, "cat")), "--sequence", "64", "--question", "16"))
        assert features["context_start"].tolist() == [18]

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            ("{", "not a SQuAD file"),
            ({"data": []}, "no question"),
            ({"data": [{"paragraphs": [{"context": "a"}]}]}, "qas"),
            (squad({"id": "q", "question": "?", "answers": []}), "no answer"),
        ],
    )
    def test_what_is_no_squad_is_said_in_one_line(self, prepare, data, said):
        message = prepare(data, fails=True)
        assert message.startswith("cannot preprocess: ")
        assert said in message
        assert message.count("\n") == 1

    def test_more_questions_than_there_are(self, prepare):
        assert "has 2 questions, 3 were asked for" in prepare(None, "--size", "3", fails=True)

    def test_no_room_for_a_paragraph(self, prepare):
        assert "no room" in prepare(None, "--sequence", "20", "--question", "18", fails=True)

    def test_synthetic_lengths_are_squads(self, prepare):
        folder = prepare(None, "--size", "500", tier="synthetic")
        features = arrays(folder)
        lengths = features["context_start"] + features["window_length"] + 1
        assert lengths.min() >= 41
        assert lengths.max() <= 384
        assert 150 < np.median(lengths) < 180
        assert json.loads((folder / "dataset.json").read_text())["tier"] == "synthetic"


class TestSpanTask:
    def test_columns_have_what_bert_wants(self, prepare, configure):
        task = spans_task(configure, prepare(None, "--sequence", "64", "--question", "16"))
        ids, mask, types = task.load([1, 0])
        assert task.count == 2
        assert [column.join for column in task.columns] == ["trim"] * 3
        assert {array.dtype for array in (ids, mask, types)} == {np.dtype("int64")}
        assert mask.sum(axis=1).tolist() == task.lengths([1, 0])
        assert ((types == 1) <= (mask == 1)).all()
        assert (types[:, 0] == 0).all()
        assert task.sample_bytes == sum(array.nbytes for array in (ids, mask, types)) // 2

    def test_what_was_cut_off_is_padded(self, prepare, configure):
        task = spans_task(configure, prepare(None, "--sequence", "64", "--question", "16"))
        encoded = task.encode((np.ones((2, 40, 2), np.float32),), [0, 1])
        assert encoded.shape == (2, task.response_width) == (2, 128)
        assert (encoded[:, :80] == 1).all()
        assert (encoded[:, 80:] == ABSENT).all()

    def test_two_outputs_are_start_and_end(self, prepare, configure):
        task = spans_task(configure, prepare(None, "--sequence", "64", "--question", "16"))
        encoded = task.encode((np.full((1, 64), 1.0), np.full((1, 64), 2.0)), [0])
        assert encoded[0, :4].tolist() == [1, 2, 1, 2]

    def test_another_number_of_outputs(self, prepare, configure):
        task = spans_task(configure, prepare(None, "--sequence", "64", "--question", "16"))
        with pytest.raises(HarnessError, match="1 outputs for a batch of 2"):
            task.encode((np.ones((1, 64, 2)),), [0, 1])

    @pytest.mark.parametrize(
        ("break_it", "said"),
        [
            (lambda d: (d / "features.npz").unlink(), "cannot read"),
            (lambda d: (d / "features.npz").write_bytes((d / "features.npz").read_bytes()[:900]), "not a usable .npz"),
            (lambda d: (d / "dataset.json").unlink(), "cannot read"),
            (lambda d: (d / "dataset.json").write_text("{}"), "missing required field"),
            (lambda d: rewrite(d, count=9), "dataset.json says"),
            (lambda d: rewrite(d, count=0), "count 0"),
            (lambda d: rewrite(d, form="sentences"), "prepared for sentences"),
            (lambda d: rewrite(d, tier="embedded"), "claims 'full'"),
            (lambda d: shorten(d, "context_start"), "context_start has not 2 rows"),
            (lambda d: enlarge(d, "window_length"), "1 to 64 are possible"),
            (lambda d: drop(d, "window_start"), "lacks window_start"),
        ],
    )
    def test_damaged_data_are_refused(self, prepare, configure, break_it, said):
        folder = prepare(None, "--sequence", "64", "--question", "16")
        break_it(folder)
        with pytest.raises(HarnessError, match=said) as caught:
            spans_task(configure, folder)
        assert caught.value.kind == "dataset"
        if "claims" not in said:
            assert caught.value.hint == 'prepare the questions again: cmr "get tokenized squad _spans _full" --new'


def rewrite(folder, **changes):
    facts = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(facts | changes))


def change(folder, name, value):
    features = arrays(folder)
    np.savez(folder / "features.npz", **{k: v for k, v in (features | {name: value}).items() if v is not None})


def shorten(folder, name):
    change(folder, name, arrays(folder)[name][:-1])


def enlarge(folder, name):
    change(folder, name, arrays(folder)[name] + 60)


def drop(folder, name):
    change(folder, name, None)


class TestAnswers:
    @pytest.fixture
    def task(self, prepare, configure):
        return spans_task(configure, prepare(None, "--sequence", "64", "--question", "16"), quality_target=90.0)

    def test_perfect_answers(self, task, tmp_path):
        rows = {0: logits_for(task, 0, 0, 1), 1: logits_for(task, 1, 7, 8)}
        quality = task.quality(write_log(tmp_path / "log", rows))
        assert (quality.metric, quality.value, quality.passed, quality.total) == ("F1", 100.0, True, 2)
        assert quality.more[0].value == 100.0
        line = (tmp_path / "log" / "accuracy.txt").read_text()
        assert json.loads(line) == {"exact_match": 100.0, "f1": 100.0}
        assert line.startswith('{"exact_match": ')

    def test_half_right_is_measured_in_words(self, task, tmp_path):
        # "cat sat" against the gold answer "cat": precision 1/2, recall 1
        rows = {0: logits_for(task, 0, 1, 2), 1: logits_for(task, 1, 4, 5)}
        quality = task.quality(write_log(tmp_path / "log", rows))
        assert quality.value == pytest.approx(100 * (2 / 3) / 2, abs=1e-4)
        assert (quality.more[0].value, quality.passed) == (0.0, False)

    def test_answers_keep_the_paragraphs_spelling(self, task, prepare):
        texts = task._features.read_json("text.json", Texts)
        reader = AnswerReader(task._features, texts)
        assert reader.original("cafe", "Café") == "Café"
        assert reader.original("1945", "1945,") == "1945"
        assert reader.original("in", "(in)") == "in"
        assert reader.original("mouse", "the cat") == "the cat"
        assert reader.answer(0, []) == "empty"

    def test_spans_that_are_no_answer_are_passed_over(self, task):
        features, start = task._features, int(task._features["context_start"][0])
        logits = np.zeros((64, 2), np.float32)
        logits[1, 0] = logits[2, 1] = 50  # inside the question
        logits[start + 5, 0], logits[start + 4, 1] = 9, 9  # ends before it starts
        logits[start + 5, 1] = 5
        span = best_span(features, 0, logits)
        assert (span.first, span.last) == (start + 5, start + 5)

    def test_too_long_spans_are_passed_over(self, prepare, configure):
        context = "cat " * 50 + "."
        task = spans_task(configure, prepare(squad(question(0, "who ?", "cat", context=context), context=context)))
        start = int(task._features["context_start"][0])
        logits = np.zeros((384, 2), np.float32)
        logits[start, 0] = logits[start + 30, 1] = 9
        logits[start + 29, 1] = 8
        assert best_span(task._features, 0, logits).last == start + 29

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            (lambda task: {0: logits_for(task, 0, 0, 1)}, "answers 1 of 2 samples"),
            (lambda task: {0: np.zeros(5), 1: np.zeros(128)}, "response 0 has 20 bytes"),
            (lambda task: {0: np.zeros(128), 1: np.full(128, np.nan)}, "response 1 holds NaN"),
        ],
    )
    def test_bad_logs(self, task, tmp_path, rows, said):
        with pytest.raises(HarnessError, match=said) as caught:
            task.quality(write_log(tmp_path / "log", rows(task)))
        assert caught.value.kind == "accuracy"

    def test_missing_texts(self, task, tmp_path):
        (task._features.folder / "text.json").unlink()
        with pytest.raises(HarnessError, match=r"text\.json"):
            task.quality(write_log(tmp_path / "log", dict.fromkeys(range(2), np.zeros(128))))

    def test_synthetic_data_have_no_answers(self, prepare, configure, tmp_path):
        folder = prepare(None, "--size", "3", tier="synthetic")
        assert spans_task(configure, folder, tier="synthetic").quality(tmp_path) is None


class TestSelection:
    @pytest.fixture
    def task(self, prepare, configure):
        folder = prepare(form="sentences", tier="embedded")
        fields = {"task": "question_answering.selection:AnswerSentenceSelection", "dataset": str(folder)}
        return AnswerSentenceSelection(configure(**fields, tier="embedded", quality_target=50.0))

    def test_a_sample_holds_the_question_and_every_sentence(self, task):
        ids, segments, positions = task.load([0, 1])
        assert task.count == 2
        assert task.response_width == 3
        assert segments.max(axis=1).tolist() == [4, 4]
        assert ((positions == 0) & (segments > 0)).sum(axis=1).tolist() == [4, 4]
        assert (ids[(positions == 0) & (segments > 0)] == 6).all()
        assert task.lengths([0, 1]) == (segments > 0).sum(axis=1).tolist()

    def test_right_is_what_contains_an_answer(self, task, tmp_path):
        # the questions come in a fixed random order; the cat is in sentence 0, the dog in sentence 1
        right = task._features["correct"].argmax(axis=1)
        rows = {row: np.eye(3)[right[row]] for row in range(2)}
        quality = task.quality(write_log(tmp_path / "log", rows))
        assert (quality.metric, quality.correct, quality.value) == ("answer-sentence accuracy", 2, 100.0)
        assert (tmp_path / "log" / "accuracy.txt").read_text() == "accuracy=100.000%, good=2, total=2\n"
        rows[0] = np.eye(3)[2]
        assert task.quality(write_log(tmp_path / "log", rows)).correct == 1

    def test_bad_logs(self, task, tmp_path):
        with pytest.raises(HarnessError, match="response 1 is not 3 float32"):
            task.quality(write_log(tmp_path / "log", {0: np.zeros(3), 1: np.zeros(2)}))
        with pytest.raises(HarnessError, match="NaN"):
            task.quality(write_log(tmp_path / "log", {0: np.zeros(3), 1: np.full(3, np.nan)}))

    def test_it_is_not_called_f1(self, task):
        assert "not F1" in task.facts()["metric"]
        assert 0 < task.facts()["chance"] < 1


def small_bert(**changes):
    from transformers import BertConfig

    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return BertConfig(vocab_size=60, **(sizes | changes))


class TestNetworks:
    def test_packed_sentences_score_as_if_alone(self):
        torch.manual_seed(0)
        model = SentenceSelector.from_config(small_bert()).eval()
        texts = [[6, 9, 10, 7], [6, 11, 7], [6, 12, 13, 14, 7]]
        ids = torch.tensor([[*(token for text in texts for token in text), 0, 0]])
        segments = torch.tensor([[1] * 4 + [2] * 3 + [3] * 5 + [0, 0]])
        positions = torch.tensor([[0, 1, 2, 3, 0, 1, 2, 0, 1, 2, 3, 4, 0, 0]])
        with torch.inference_mode():
            scores = model(ids, segments, positions)[0]
            alone = [model.network(torch.tensor([text])).last_hidden_state.mean(1)[0] for text in texts]
        expected = [torch.cosine_similarity(alone[0], one, dim=0) for one in alone[1:]]
        assert torch.allclose(scores[:2], torch.stack(expected), atol=1e-6)
        assert (scores[2:] == -2).all()

    def test_padding_changes_no_logit(self):
        from transformers import BertForQuestionAnswering

        torch.manual_seed(0)
        model = SpanExtractor(BertForQuestionAnswering(small_bert())).eval()
        ids, types = torch.tensor([[6, 9, 7, 10, 11, 7]]), torch.tensor([[0, 0, 0, 1, 1, 1]])
        padded = torch.nn.functional.pad(ids, (0, 3))
        mask = (padded > 0).long()
        with torch.inference_mode():
            short = model(ids, torch.ones_like(ids), types)
            long = model(padded, mask, torch.nn.functional.pad(types, (0, 3)))
        assert short.shape == (1, 6, 2)
        assert torch.allclose(short, long[:, :6], atol=1e-6)

    def test_minilm_is_loaded_from_a_folder(self, tmp_path):
        from safetensors.torch import save_file

        config = small_bert()
        config.save_pretrained(tmp_path)
        network = SentenceSelector.from_config(config).network
        extra = {"pooler.dense.weight": torch.zeros(16, 16), "embeddings.position_ids": torch.arange(512)[None]}
        save_file({**network.state_dict(), **extra}, tmp_path / "model.safetensors")
        weights = str(tmp_path / "model.safetensors")
        loaded = build_minilm(ModelConfig(name="minilm", architecture="x", weights=weights))
        assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), network.parameters(), strict=True))

    @pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
    def test_minilm_without_one_of_its_files(self, tmp_path, name):
        from safetensors.torch import save_file

        config = small_bert()
        config.save_pretrained(tmp_path)
        save_file(SentenceSelector.from_config(config).network.state_dict(), tmp_path / "model.safetensors")
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:40])
        with pytest.raises(HarnessError, match=name) as caught:
            build_minilm(ModelConfig(name="m", architecture="x", weights=str(tmp_path / "model.safetensors")))
        assert caught.value.kind == "weights"

    def test_minilm_needs_weights(self):
        with pytest.raises(HarnessError, match="no synthetic form"):
            build_minilm(ModelConfig(name="m", architecture="x"))

    def test_official_weights_are_taken_by_old_names_too(self, tmp_path, monkeypatch):
        from transformers import BertForQuestionAnswering

        small = SpanExtractor(BertForQuestionAnswering(small_bert()))
        state = {
            k.replace("LayerNorm.weight", "LayerNorm.gamma"): v.clone() for k, v in small.network.state_dict().items()
        }
        state |= {"bert.pooler.dense.bias": torch.zeros(16), "bert.embeddings.position_ids": torch.arange(512)[None]}
        torch.save(state, tmp_path / "model.pytorch")
        fresh = SpanExtractor(BertForQuestionAnswering(small_bert()))
        monkeypatch.setattr(SpanExtractor, "bert_large", lambda: fresh)
        build_bert(ModelConfig(name="b", architecture="x", weights=str(tmp_path / "model.pytorch")))
        assert all(torch.equal(a, b) for a, b in zip(fresh.parameters(), small.parameters(), strict=True))

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            (lambda s: {k: v for k, v in s.items() if k != "qa_outputs.bias"}, "1 missing"),
            (lambda s: s | {"qa_outputs.weight": torch.zeros(3, 16)}, "of another shape"),
            (lambda s: s | {"classifier.weight": torch.zeros(2)}, "1 unexpected"),
        ],
    )
    def test_other_weights_are_refused(self, tmp_path, monkeypatch, state, said):
        from transformers import BertForQuestionAnswering

        fresh = SpanExtractor(BertForQuestionAnswering(small_bert()))
        monkeypatch.setattr(SpanExtractor, "bert_large", lambda: fresh)
        torch.save(state(dict(fresh.network.state_dict())), tmp_path / "w.pth")
        with pytest.raises(HarnessError, match=said):
            build_bert(ModelConfig(name="b", architecture="x", weights=str(tmp_path / "w.pth")))
        (tmp_path / "w.pth").write_bytes((tmp_path / "w.pth").read_bytes()[:500])
        with pytest.raises(HarnessError, match="cannot be read"):
            build_bert(ModelConfig(name="b", architecture="x", weights=str(tmp_path / "w.pth")))


class TestRun:
    @pytest.mark.parametrize("scenario", ["Offline", "Server"])
    def test_every_sample_keeps_its_answer(self, prepare, configure, tmp_path, scenario):
        """Real loadgen, batches of different lengths, several loaded sets."""
        pytest.importorskip("mlperf_loadgen")
        words = ["mat", "dog", "red", "wore", "cat"]
        asked = [question(n, "who " * (1 + n % 7) + words[n % 5], words[n % 5]) for n in range(40)]
        folder = prepare(squad(*asked), "--sequence", "96", "--question", "16")
        changes = {"target_qps": 200.0} if scenario == "Server" else {}
        outcome = supervise.run(
            configure(
                scenario=scenario,
                mode="accuracy",
                task="question_answering.task:QuestionAnswering",
                task_path=(str(ROOT / "script" / "get-mlperf-inference-task-question-answering"),),
                backend="pytorch",
                model=ModelConfig(
                    name="o", architecture="tests.tasks.oracles:spans", weights=str(folder / "dataset.json")
                ),
                dataset=str(folder),
                tier="full",
                batch_size=7,
                performance_sample_count=16,
                quality_target=99.0,
                **changes,
            )
        )
        assert outcome.failure is None
        assert (outcome.quality.value, outcome.quality.total, outcome.quality.passed) == (100.0, 40, True)
        assert json.loads((tmp_path / "run" / "accuracy.txt").read_text())["f1"] == 100.0
