"""Official prompt files, prepared prompts, models, answers and their scores."""

import json
import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.workbench import ROOT

from harness import supervise
from harness.config import ModelConfig
from harness.errors import HarnessError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("rouge_score")
pytest.importorskip("nltk")
torch.set_num_threads(1)

from llm_prompts.prepare import main  # noqa: E402
from tests.harness.tiny_llm import tiny  # noqa: E402
from text_generation import answers, metrics, rouge, scoring  # noqa: E402
from text_generation.benchmarks import EXPECTED, expected_of  # noqa: E402
from text_generation.metrics import Answers, Figures  # noqa: E402
from text_generation.models import build, build_beam4  # noqa: E402
from text_generation.prompts import PromptFolder, PromptsInfo, Reference  # noqa: E402
from text_generation.shapes import SHAPES, config_of  # noqa: E402
from text_generation.task import TextGeneration, until  # noqa: E402

TASK = ROOT / "script" / "get-mlperf-inference-task-text-generation"
WORDS = [f"w{number}" for number in range(80)] + ["Summarize", "this", "article", "in", "one", "sentence", ":", "."]
PUNKT_FILES = ("abbrev_types.txt", "collocations.tab", "ortho_context.tab", "sent_starters.txt")


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A tiny model with a tokenizer of 97 words, as a folder of transformers."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("model") / "tiny"
    specials = ["[PAD]", "[UNK]", "[START]", "[END]", "<|channel|>", "<|message|>", "<|return|>", "[A]", "[B]"]
    vocabulary = {word: number for number, word in enumerate([*specials, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", eos_token="[END]")
    fast.chat_template = "[START] {% for m in messages %}{{ m['content'] }}{% endfor %} [A]"
    fast.save_pretrained(folder)
    tiny(eos_token_id=3).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def punkt(tmp_path_factory):
    """A sentence model that knows one abbreviation, in NLTK's files."""
    folder = tmp_path_factory.mktemp("nltk")
    english = folder / "tokenizers" / "punkt_tab" / "english"
    english.mkdir(parents=True)
    for name in PUNKT_FILES:
        (english / name).write_text("dr\n" if name == "abbrev_types.txt" else "")
    return folder


@pytest.fixture
def prepare(tmp_path, checkpoint, punkt, capsys):
    """Prepares a data file as the script does; gives the folder, or what it says when it fails."""

    def run(form, data, *options, tier="embedded", fails=False):
        out = tmp_path / f"out-{form}"
        arguments = ["--format", form, "--tier", tier, "--out", out, "--data", data]
        arguments += ["--tokenizer", checkpoint, "--punkt", punkt, *options]
        code = main([str(one) for one in arguments])
        said = capsys.readouterr().err
        assert bool(code) is fails, said
        return said if fails else PromptFolder(out)

    return run


def write_json(path, data):
    path.write_text(json.dumps(data))
    return path


def table(path, **columns):
    """A pandas frame, pickled (.pkl, .pkl.gz) or as Parquet."""
    frame = pytest.importorskip("pandas").DataFrame(columns)
    if path.suffix == ".parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    else:
        frame.to_pickle(path)
    return path


def write_prompts(folder, prompts=((20, 21, 22), (30, 31)), targets=("w1", "w2"), kinds=("", ""), **changes):
    """A folder as the script writes it, without tokenizer; `changes` go into dataset.json."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "tokens.npy", np.concatenate([np.array(one, dtype=np.int32) for one in prompts]))
    np.save(folder / "offsets.npy", np.cumsum([0, *map(len, prompts)], dtype=np.int64))
    lines = [json.dumps({"target": target, "kind": kind}) for target, kind in zip(targets, kinds)]
    (folder / "references.jsonl").write_text("\n".join(lines) + "\n")
    info = {"schema": 1, "name": "test", "tier": "embedded", "count": len(prompts), "metric": "none"}
    (folder / "dataset.json").write_text(json.dumps(info | {"max_new_tokens": 8} | changes))
    return folder


TOKENS = [[10, 11, 12], [13, 14]]
OFFICIAL = {
    "cnndm-llama3": lambda p: write_json(
        p / "cnn_eval.json",
        [{"instruction": {}, "input": "a", "tok_input": one, "output": "w1 ."} for one in TOKENS],
    ),
    "openorca": lambda p: table(p / "open_orca.pkl.gz", tok_input=TOKENS, output=["w1 .", "w2 ."], input=["a", "b"]),
    "mixtral": lambda p: table(
        p / "mixtral.pkl", tok_input=TOKENS, gt_output=["w1 .", "7"], dataset=["OpenOrca", "GSM8K"], id=["a", "b"]
    ),
    "llama3.1-405b": lambda p: table(
        p / "405b.pkl", tok_input=TOKENS, tok_input_len=[3, 2], gt_output=["w1", "w2"], metric=["rouge", "qa_em"]
    ),
    "gpt-oss": lambda p: table(
        p / "acc_eval_inputs.parquet", input_tokens=TOKENS, ground_truth=["A", "7"], dataset=["gpqa_diamond", "aime25"]
    ),
    "gpt-oss-performance": lambda p: table(p / "perf.pkl", tok_input=[np.array(one) for one in TOKENS]),
}


@pytest.mark.parametrize("form", OFFICIAL)
def test_official_files_with_tokens(prepare, tmp_path, form):
    folder = prepare(form, OFFICIAL[form](tmp_path))
    assert [folder.prompt(index) for index in range(2)] == [tuple(one) for one in TOKENS]
    assert folder.lengths([1, 0]) == [2, 3]
    assert len(folder.references()) == 2


def test_official_files_name_what_answers_belong_to(prepare, tmp_path):
    folder = prepare("mixtral", OFFICIAL["mixtral"](tmp_path))
    assert folder.references() == [Reference("w1 .", "OpenOrca"), Reference("7", "GSM8K")]
    assert (folder.info.min_new_tokens, folder.info.cut) == (2, {"MBXP": [13, 13940, 28832, 13]})


def test_gptj_prompts_have_the_form_it_was_trained_with(prepare, tmp_path, checkpoint):
    from transformers import AutoTokenizer

    data = write_json(tmp_path / "cnn_eval.json", [{"instruction": "w1", "input": "w2 " * 3000, "output": "w3"}])
    folder = prepare("cnndm-gptj", data)
    text = AutoTokenizer.from_pretrained(checkpoint).decode(folder.prompt(0))
    assert len(folder.prompt(0)) == 1919
    assert "w1" in text.split() and text.endswith("w2")
    assert (folder.info.min_new_tokens, folder.info.max_new_tokens) == (30, 128)


def test_deepseek_prompts_are_a_users_turn(prepare, tmp_path):
    data = table(tmp_path / "ds.pkl", text_input=["w0 w1"], ground_truth=["B"], dataset=["gpqa"])
    assert prepare("deepseek-r1", data).prompt(0) == (2, 9, 10, 7)


def test_packaged_articles_of_middle_length_are_taken(prepare, tmp_path):
    articles = ["w1 " * 100, "w1 " * 200, "w2 " * 300, "w3 " * 500]
    data = write_json(tmp_path / "task.json", {"examples": [{"input": one, "target": "w9 ."} for one in articles]})
    assert prepare("xsum", data).info.count == 2
    assert prepare("xsum", data, "--samples", "1").info.count == 1


def test_random_prompts_repeat_with_the_seed(tmp_path):
    made = []
    for name in ("a", "b"):
        options = ["--format", "synthetic", "--tier", "synthetic", "--samples", "5"]
        assert main([*options, "--out", str(tmp_path / name)]) == 0
        made.append(PromptFolder(tmp_path / name))
    assert made[0].prompt(4) == made[1].prompt(4)
    assert made[0].info.metric == "none"
    assert all(100 <= length <= 400 for length in made[0].lengths(list(range(5))))


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("touched"),)


def evil(path):
    path.write_bytes(pickle.dumps(Evil()))
    return path


def truncated(path):
    table(path, tok_input=TOKENS, output=["a", "b"])
    path.write_bytes(path.read_bytes()[:-40])
    return path


WRONG = {
    "missing": ("openorca", lambda p: p / "nothing.pkl", "cannot read .*nothing.pkl"),
    "truncated": ("openorca", lambda p: truncated(p / "x.pkl"), "x.pkl is not a pickled or Parquet table"),
    "evil": (
        "openorca",
        lambda p: evil(p / "x.pkl"),
        "it wants pathlib.*, which no table needs",
    ),
    "other table": ("openorca", lambda p: table(p / "x.pkl", text=["a"]), "no column tok_input, output; it has text"),
    "no table": ("openorca", lambda p: _pickled(p / "x.pkl", [1]), "holds a list, not a table"),
    "empty": ("openorca", lambda p: table(p / "x.pkl", tok_input=[], output=[]), "has no rows"),
    "empty prompt": ("openorca", lambda p: table(p / "x.pkl", tok_input=[[]], output=["a"]), "prompt 0 is empty"),
    "no json": ("cnndm-llama3", lambda p: _text(p / "x.json", "{"), "x.json is not a JSON file"),
    "other json": ("cnndm-llama3", lambda p: write_json(p / "x.json", [{"a": 1}]), "has no 'tok_input'"),
    "no entries": ("cnndm-llama3", lambda p: write_json(p / "x.json", []), "has no samples"),
}


def _text(path, text):
    path.write_text(text)
    return path


def _pickled(path, value):
    path.write_bytes(pickle.dumps(value))
    return path


@pytest.mark.parametrize("case", WRONG)
def test_files_that_are_not_what_they_should_be(prepare, tmp_path, case):
    form, make, message = WRONG[case]
    said = prepare(form, make(tmp_path), fails=True)
    assert re.search(message, said)
    assert not Path("touched").exists()


def test_the_official_set_is_whole(prepare, tmp_path):
    data = OFFICIAL["openorca"](tmp_path)
    assert "has 2 samples, the official data set has 24576" in prepare("openorca", data, tier="full", fails=True)
    assert "are not the official data set" in prepare("openorca", data, "--samples", "1", tier="full", fails=True)


def test_prepared_text_needs_a_sentence_model(prepare, tmp_path):
    said = prepare("openorca", OFFICIAL["openorca"](tmp_path), "--punkt", str(tmp_path), fails=True)
    assert "no sentence model at" in said


FAULTS = {
    "no folder": (lambda p: None, "cannot read .*dataset.json"),
    "no tokens": (lambda p: (p / "tokens.npy").unlink(), "cannot read .*tokens.npy"),
    "truncated tokens": (lambda p: (p / "tokens.npy").write_bytes(b"\x93NUMPY"), "not a usable .npy"),
    "float tokens": (lambda p: np.save(p / "tokens.npy", np.zeros(5)), "holds float64"),
    "tokens left over": (lambda p: np.save(p / "tokens.npy", np.zeros(9, np.int32)), "does not divide the 9 tokens"),
    "wrong count": (lambda p: np.save(p / "offsets.npy", np.array([0, 5])), "has 1 prompts, dataset.json says 2"),
    "bad schema": (lambda p: (p / "dataset.json").write_text("{}"), "missing required field"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_prepared_prompts_that_do_not_fit_together(tmp_path, case):
    spoil, message = FAULTS[case]
    folder = tmp_path / "p"
    if case != "no folder":
        write_prompts(folder)
        spoil(folder)
    with pytest.raises(HarnessError, match=message) as caught:
        PromptFolder(folder)
    assert caught.value.kind == "dataset"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 0}, "count 0"),
        ({"min_new_tokens": 9}, "asks for 9 to 8 new tokens"),
        ({"metric": "x"}, "Invalid enum"),
    ],
)
def test_descriptions_that_cannot_be(tmp_path, changes, message):
    with pytest.raises(HarnessError, match=message):
        PromptFolder(write_prompts(tmp_path / "p", **changes))


@pytest.fixture
def config(configure, checkpoint, tmp_path):
    """A run of the tiny model over two prompts."""

    def make(data=None, **changes):
        fields = {
            "model": ModelConfig(name="tiny", architecture="text_generation.models:build", weights=str(checkpoint)),
            "dataset": str(data or write_prompts(tmp_path / "p")),
            "task": "text_generation.task:TextGeneration",
            "task_path": (str(TASK),),
            "backend": "pytorch",
            "tier": "embedded",
            "benchmark": "llama3_1-8b",
            "batch_size": 4,
            "min_query_count": None,
        }
        return configure(**(fields | changes))

    return make


def test_the_task_hands_out_prompts(config):
    task = TextGeneration(config())
    assert task.count == 2
    assert task.prompt(1).tokens == (30, 31)
    assert task.prompt(1).max_new_tokens == 8
    assert task.encode_tokens([1, 2, 3], 0).tolist() == [1, 2, 3]
    assert task.facts()["mean_prompt_tokens"] == 2.5


def test_code_answers_are_cut_behind_their_block(config, tmp_path):
    data = write_prompts(tmp_path / "c", kinds=("MBXP", "GSM8K"), cut={"MBXP": [7, 8]})
    task = TextGeneration(config(data))
    assert [task.encode_tokens([5, 7, 8, 9], index).tolist() for index in range(2)] == [[5, 7, 8], [5, 7, 8, 9]]
    assert until([1, 2], [3]) == [1, 2]


def test_prompts_of_another_tokenizer_are_refused(config, tmp_path):
    with pytest.raises(HarnessError, match=r"has token 500, the model .* knows 97"):
        TextGeneration(config(write_prompts(tmp_path / "c", prompts=((500,), (1,)))))


def test_a_run_claims_no_more_than_its_data(config, tmp_path):
    with pytest.raises(HarnessError, match="tier 'synthetic'"):
        TextGeneration(config(write_prompts(tmp_path / "c", tier="synthetic")))


def model_of(folder):
    return ModelConfig(name="tiny", architecture="text_generation.models:build", weights=str(folder))


def test_a_checkpoint_is_loaded_with_its_endings(checkpoint):
    model = build(model_of(checkpoint))
    assert model.eos_ids == {3}
    assert build_beam4(model_of(checkpoint)).beams == 4


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: (p / "config.json").unlink(), "it has no config.json"),
        (lambda p: (p / "model.safetensors").unlink(), "cannot be loaded"),
        (lambda p: (p / "model.safetensors").write_bytes((p / "model.safetensors").read_bytes()[:-99]), "be loaded"),
        (lambda p: _lose_a_tensor(p / "model.safetensors"), "lacks 1 tensors of its model, the first is model.norm"),
    ],
)
def test_checkpoints_that_are_not_whole(checkpoint, tmp_path, spoil, message):
    folder = tmp_path / "model"
    shutil.copytree(checkpoint, folder)
    spoil(folder)
    with pytest.raises(HarnessError, match=message) as caught:
        build(model_of(folder))
    assert caught.value.kind == "weights"


def _lose_a_tensor(path):
    from safetensors.torch import load_file, save_file

    tensors = load_file(path)
    del tensors["model.norm.weight"]
    save_file(tensors, path, metadata={"format": "pt"})


@pytest.mark.parametrize("name", [*SHAPES, "llama2-70b-interactive-99.9", "gptj-99"])
def test_shapes_are_known_by_the_benchmarks_names(name):
    assert config_of(name).vocab_size > 1000


def test_a_shape_that_is_not_known(configure):
    with pytest.raises(HarnessError, match="no shape for 'gpt-9' is known"):
        config_of("gpt-9")


def answers_of(*rows):
    """Rows of text, target, kind; ten tokens each."""
    texts, targets, kinds = zip(*rows)
    references = [Reference(target, kind) for target, kind in zip(targets, kinds)]
    return Answers(list(texts), [10] * len(rows), references)


def test_rouge_of_summaries(punkt):
    rouge.use_sentence_model(punkt)
    rows = [("The cats sat. Dr. No slept.", "The cat sat. Dr. No left.", ""), ("apples", "pears", "")]
    figures = metrics.summaries(answers_of(*rows))
    assert rouge.by_sentence(rows[0][0]) == "The cats sat.\nDr. No slept."
    assert figures.values["rouge1"] == pytest.approx(100 * (5 / 6) / 2, abs=1e-3)  # cats is cat by its stem
    assert figures.values["gen_len"] == len("The cats sat.\nDr. No slept.") + len("apples")
    assert figures.printed().startswith("{'rouge1': 41.6667, 'rouge2': ")


def test_rouge_of_many_texts_is_computed_in_parallel(monkeypatch):
    monkeypatch.setattr(rouge, "_CHUNK", 2)
    texts = [f"w{number} x" for number in range(5)]
    assert rouge.scores(texts, [*texts[:4], "y"])["rouge1"] == pytest.approx(80.0)


def test_a_missing_sentence_model_is_told(monkeypatch):
    import nltk

    def no_data(text):
        raise LookupError("punkt_tab")

    monkeypatch.setattr(nltk, "sent_tokenize", no_data)
    with pytest.raises(HarnessError, match="punkt_tab is neither"):
        rouge.by_sentence("a. b.")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("So.\nThe answer is 1,234. Not 5", True),
        ("5 and then 1234", True),
        ("The answer is none of 12", False),
        ("1234\nQ: next?\nThe answer is 9", True),
        ("", False),
    ],
)
def test_numbers_of_gsm8k(text, right):
    assert answers.gsm8k(text, "1234") is right


def test_identifiers_are_compared_as_the_reference_does():
    one = "12345678-1234-1234-1234-123456789abc"
    assert answers.needle(f"It is {one}.", one) == 100.0
    assert answers.needle("It is lost.", one) == 0.0


@pytest.mark.parametrize(("text", "score"), [("Answer: paris it is", 100.0), ("Answer: Rome", 0.0), ("Paris", 100.0)])
def test_questions_on_long_texts(text, score):
    assert answers.question(text, "Paris|City of Light") == score


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("ANSWER: B", "B"),
        ("answer (c). FINAL ANSWER: D", "D"),
        ("['ANSWER: A']", "A"),
        ("ANSWER: Better", None),
        ("I think B", None),
    ],
)
def test_letters_of_multiple_choice(text, letter):
    assert answers.choice(text, "ABCD") == letter
    assert answers.choice("surely J", "ABCDEFGHIJ") == "J"


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("<|channel|>analysis<|message|>ANSWER: A<|channel|>final<|message|>**B**<|return|>", "B"),
        ("<|channel|>final x<|message|>so **Answer: C** it is", "C"),
        ("ANSWER: D", "D"),
    ],
)
def test_letters_in_the_final_channel(text, letter):
    assert answers.harmony_choice(text, "ABCD") == letter


@pytest.mark.parametrize(
    ("text", "number"),
    [(r"\boxed{1} or \boxed{ 42 }", 42), ("Answer: 7", 7), ("Answer: 3.5", None), (r"\boxed{1000}", None), ("7", None)],
)
def test_whole_numbers_of_aime(text, number):
    assert answers.whole_number(text) == number


def test_boxes_with_braces_inside():
    assert answers.boxed(r"so \boxed{\frac{1}{2}}.") == r"\frac{1}{2}"
    assert answers.boxed("none") is None
    assert answers.boxed(r"\boxed{open") is None


def test_mixtral_leaves_out_what_would_have_to_be_run(punkt):
    rouge.use_sentence_model(punkt)
    rows = [("a b", "a b", "OpenOrca"), ("The answer is 7", "7", "GSM8K"), ("def f(): pass", "", "MBXP")]
    figures = metrics.mixtral(answers_of(*rows))
    assert (figures.values["rouge1"], figures.values["gsm8k"], figures.values["tokens_per_sample"]) == (
        100.0,
        100.0,
        10,
    )
    assert figures.not_computed == ("mbxp",)
    assert scoring.verdict(figures, EXPECTED["mixtral-8x7b"], None, 3).passed is False
    assert "not computed: mbxp" in figures.printed()


def test_long_context_samples_name_their_metric(punkt):
    rouge.use_sentence_model(punkt)
    rows = [("a b", "a b", "rouge"), ("Answer: x", "x", "qa_em"), ("none", "y", "qa_em")]
    assert metrics.long_context(answers_of(*rows)).values["exact_match"] == 50.0
    with pytest.raises(HarnessError, match="not known: 'bleu'"):
        metrics.long_context(answers_of(("a", "b", "bleu")))


def test_reasoning_keeps_the_official_name_for_the_whole_metric():
    whole = metrics.reasoning(answers_of(("ANSWER: A", "A", "gpqa"), (r"\boxed{7}", "007", "aime1983")))
    part = metrics.reasoning(answers_of(("ANSWER: A", "A", "gpqa"), ("```python```", "q", "livecodebench")))
    assert (whole.headline, whole.values["exact_match"]) == ("exact_match", 100.0)
    assert (part.headline, part.not_computed) == ("exact_match_of_computed", ("livecodebench",))


def test_repeated_questions_count_once():
    rows = [("1", "1", "aime25")] * 8 + [("B", "B", "gpqa_diamond")] * 4 + [("C", "B", "gpqa_diamond")]
    rows = [(rf"\boxed{{{text}}}" if kind == "aime25" else text, target, kind) for text, target, kind in rows]
    figures = metrics.reasoning_repeated(answers_of(*rows))
    assert figures.values["exact_match"] == 90.0  # (8/8 + 4/5) of (8/8 + 5/5)
    assert figures.correct == 12


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, True),
        ({"rouge2": 10.0}, False),
        ({"tokens_per_sample": 100.0}, False),
        ({"tokens_per_sample": 400.0}, False),
    ],
)
def test_an_official_result_passes_when_all_limits_hold(changes, passed):
    values = {"rouge1": 44.5, "rouge2": 22.1, "rougeL": 28.7, "tokens_per_sample": 294.0} | changes
    quality = scoring.verdict(Figures("rouge1", values), EXPECTED["llama2-70b-99.9"], None, 24576)
    assert quality.passed is passed
    assert quality.target == pytest.approx(44.4312 * 0.999)


@pytest.mark.parametrize(("target", "passed"), [(None, None), (40.0, True), (45.0, False)])
def test_other_results_are_held_against_the_given_target(target, passed):
    assert scoring.verdict(Figures("rouge1", {"rouge1": 44.0}), None, target, 2).passed is passed


@pytest.mark.parametrize(
    ("model", "name", "tier", "count", "headline"),
    [
        ("llama2-70b-interactive-99", "openorca", "full", 24576, 44.4312 * 0.99),
        ("llama3.1-8b", "xsum", "embedded", 64, 21.0),
        ("llama3.1-8b", "xsum", "embedded", 8, None),
        ("mine", "openorca", "full", 24576, None),
    ],
)
def test_targets_belong_to_a_model_and_its_data(model, name, tier, count, headline):
    data = PromptsInfo(schema=1, name=name, tier=tier, count=count, metric="rouge", max_new_tokens=8)
    expected = expected_of(model, data)
    assert (expected and expected.at_least["rouge1"]) == (headline and pytest.approx(headline))


@pytest.fixture
def scored(prepare, tmp_path):
    """Prompts with two references, and a log with the given answers as tokens."""
    folder = prepare("openorca", OFFICIAL["openorca"](tmp_path))

    def write(*tokens):
        rows = [
            {"seq_id": index, "qsl_idx": index, "data": np.array(one, np.int32).tobytes().hex().upper()}
            for index, one in enumerate(tokens)
        ]
        write_json(tmp_path / "mlperf_log_accuracy.json", rows)
        return folder, tmp_path

    return write


def test_a_log_becomes_the_line_that_the_checker_greps(scored, config):
    folder, log_dir = scored([10, 96, 3], [10, 3])
    quality = scoring.score(folder, log_dir, config(folder.folder, quality_target=40.0), "int32")
    assert (quality.metric, quality.value, quality.passed, quality.total) == ("rouge1", 50.0, True, 2)
    line = (log_dir / "accuracy.txt").read_text()
    for name in ("rouge1", "rouge2", "rougeL", "rougeLsum", "gen_len", "tokens_per_sample"):
        assert re.search(rf".*'{name}':\s'?([\d.]+)'?.*", line)


def test_logs_that_lack_answers(scored, config):
    folder, log_dir = scored([10])
    with pytest.raises(HarnessError, match="answers 1 of 2 samples"):
        scoring.score(folder, log_dir, config(folder.folder), "int32")


def test_an_answer_that_is_no_token(scored, config):
    folder, log_dir = scored([10, -5], [11])
    with pytest.raises(HarnessError, match="cannot be turned into text"):
        scoring.score(folder, log_dir, config(folder.folder), "int32")


@pytest.mark.parametrize("scenario", ["Offline", "Server"])
def test_a_whole_run_with_the_real_loadgen(config, prepare, tmp_path, scenario):
    pytest.importorskip("mlperf_loadgen")
    data = prepare("openorca", OFFICIAL["openorca"](tmp_path)).folder
    changes = {"dataset": str(data), "mode": "accuracy", "scenario": scenario, "hang_timeout_s": 120.0}
    info = json.loads((data / "dataset.json").read_text())
    (data / "dataset.json").write_text(json.dumps(info | {"max_new_tokens": 6}))
    outcome = supervise.run(config(**changes, **({"target_qps": 50.0} if scenario == "Server" else {})))
    assert outcome.failure is None
    assert outcome.quality.metric == "rouge1"
    assert outcome.loadgen.num_errors == 0
    rows = json.loads((tmp_path / "run" / "mlperf_log_accuracy.json").read_text())
    assert {row["qsl_idx"] for row in rows} == {0, 1}
    assert all(2 <= row["token_count"] <= 6 for row in rows)
