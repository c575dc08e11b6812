"""Generation: every way of batching gives what one prompt at a time gives, and says it in the right order."""

import random
import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

import pytest
from tests.harness.tiny_llm import ENDINGS, VOCABULARY, tiny

from harness.config import ModelConfig
from harness.engines.base import GenerationModel
from harness.engines.null import NullEngine
from harness.engines.vllm import VllmEngine
from harness.engines.warmup import answer, shortened
from harness.errors import HarnessError
from harness.tasks.base import Prompt

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
torch.set_num_threads(1)

from harness.engines.continuous import ContinuousBatch  # noqa: E402
from harness.engines.pytorch import PytorchEngine  # noqa: E402
from harness.engines.transformers import TransformersEngine  # noqa: E402

KINDS = {
    "llama": {},
    "mixtral": {"num_local_experts": 4},
    "gpt_oss": {
        "num_local_experts": 4,
        "head_dim": 8,
        "sliding_window": 8,
        "layer_types": ["sliding_attention", "full_attention"],
    },
    "deepseek_v3": {
        "num_key_value_heads": 4,
        "moe_intermediate_size": 16,
        "n_routed_experts": 4,
        "n_group": 1,
        "topk_group": 1,
        "num_experts_per_tok": 2,
        "first_k_dense_replace": 1,
        "q_lora_rank": 16,
        "kv_lora_rank": 16,
        "qk_rope_head_dim": 8,
        "qk_nope_head_dim": 8,
        "v_head_dim": 8,
    },
    "mistral": {"sliding_window": 8},
}


def prompts(count=9, seed=1, shortest=1, **limits):
    draw = random.Random(seed)
    return [
        Prompt(
            tokens=tuple(draw.randrange(3, VOCABULARY) for _ in range(draw.randrange(2, 30))),
            max_new_tokens=limits.get("max_new_tokens") or draw.randrange(3, 20),
            min_new_tokens=draw.choice([1, shortest]),
        )
        for _ in range(count)
    ]


def one_by_one(model, asked, **options):
    """transformers' own answer to each prompt alone."""
    answers = []
    for prompt in asked:
        found = model.generate(
            input_ids=torch.tensor([prompt.tokens]),
            max_new_tokens=prompt.max_new_tokens,
            min_new_tokens=prompt.min_new_tokens,
            do_sample=False,
            eos_token_id=sorted(ENDINGS),
            pad_token_id=0,
            **options,
        )
        answers.append(found[0, len(prompt.tokens) :].tolist())
    return answers


def batch(model, slots, **settings):
    wrapped = GenerationModel(module=model, eos_ids=ENDINGS, pad_id=0, **settings)
    return ContinuousBatch(wrapped, torch.device("cpu"), slots, seed=0)


@pytest.fixture
def engine(configure):
    """A loaded engine over the tiny model."""

    def make(kind=PytorchEngine, build="build", **changes):
        model = ModelConfig(name="tiny", architecture=f"tests.harness.tiny_llm:{build}")
        made = kind(configure(model=model, **({"batch_size": 4} | changes)))
        made.load()
        return made

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_batched_answers_are_those_of_single_prompts(kind):
    """Mixed lengths in one batch, requests that leave early, answers held open until min_new_tokens."""
    model, asked = tiny(kind, **KINDS[kind]), prompts(shortest=3)
    expected = one_by_one(model, asked)
    assert answer(batch(model, 4), asked) == expected
    assert len({len(one) for one in expected}) > 3


def test_one_slot_is_enough():
    model, asked = tiny(), prompts(4)
    assert answer(batch(model, 1), asked) == one_by_one(model, asked)


def test_long_answers_outgrow_the_first_rows(monkeypatch):
    monkeypatch.setattr("harness.engines.slots._STEP", 8)
    model, asked = tiny(eos_token_id=None), prompts(5, max_new_tokens=60)
    assert answer(batch(model, 3), asked) == one_by_one(model, asked)


def test_an_answer_ends_with_its_ending_and_never_before_the_shortest_length():
    model, asked = tiny(), prompts(40, seed=5, shortest=6, max_new_tokens=12)
    answers = answer(batch(model, 8), asked)
    for prompt, tokens in zip(asked, answers, strict=True):
        assert prompt.min_new_tokens <= len(tokens) - (tokens[-1] in ENDINGS)
        assert not ENDINGS & set(tokens[:-1])
        assert tokens[-1] in ENDINGS or len(tokens) == prompt.max_new_tokens


def test_first_events_carry_first_tokens_and_last_ones_the_whole_answer():
    running, asked = batch(tiny(), 4), prompts(4)
    for key, prompt in enumerate(asked):
        running.add(key, prompt)
    assert running.room == 0
    seen: dict[int, list[int]] = {}
    done = set()
    while len(done) < 4:
        for event in running.step():
            assert event.key not in done
            assert event.tokens[: len(seen.get(event.key, []))] == seen.get(event.key, [])
            assert event.key in seen or len(event.tokens) == 1
            seen[event.key] = list(event.tokens)
            done |= {event.key} if event.done else set()
    assert running.room == 4
    assert running.step() == []


def test_a_new_prompt_is_read_before_running_requests_go_on():
    running = batch(tiny(eos_token_id=None), 2)
    running.add(0, Prompt(tokens=(20, 30), max_new_tokens=9))
    running.step()
    running.add(1, Prompt(tokens=(40, 50, 60), max_new_tokens=9))
    assert [event.key for event in running.step()] == [1]
    assert [event.key for event in running.step()] == [0, 1]


def test_scores_that_are_no_numbers_end_the_run(engine):
    with pytest.raises(HarnessError, match="not finite numbers") as caught:
        engine(build="build_broken").warm_up(prompts(1)[0])
    assert caught.value.kind == "nan"


def test_beams_are_those_of_transformers(engine):
    made, asked = engine(build="build_beams"), prompts(6, shortest=3, max_new_tokens=8)
    expected = one_by_one(tiny(), asked, num_beams=3, early_stopping=True)
    ended = [one[: next((k for k, t in enumerate(one) if t in ENDINGS), len(one)) + 1] for one in expected]
    assert answer(made, asked) == ended
    assert "3 beams" in made.execution().executed


def test_drawn_tokens_repeat_with_the_seed(engine):
    asked = prompts(3, max_new_tokens=8)
    first, again = (answer(engine(build="build_sampled"), asked) for _ in range(2))
    assert first == again != answer(engine(), asked)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_what_executed_is_read_from_the_model(engine, precision):
    made = engine(precision=precision)
    made.warm_up(prompts(1)[0])
    execution = made.execution()
    assert (execution.used, execution.precision) == ("cpu", precision)
    assert "continuous batching" in execution.executed


def test_warming_up_takes_few_tokens():
    short = shortened(Prompt(tokens=(1,), max_new_tokens=1000, min_new_tokens=30), 2)
    assert [(one.min_new_tokens, one.max_new_tokens) for one in short] == [(4, 4)] * 2


def test_transformers_own_batching_agrees(engine):
    made, asked = engine(TransformersEngine), prompts(5)
    made.warm_up(asked[0])
    assert answer(made, asked) == one_by_one(tiny(), asked)
    assert made.room == 4
    assert "transformers" in made.execution().executed


@pytest.mark.parametrize("limit", [2, 30])
def test_transformers_own_batching_refuses_what_it_cannot_promise(engine, limit):
    made = engine(TransformersEngine)
    with pytest.raises(HarnessError, match=f"at least {limit} new tokens"):
        made.add(0, Prompt(tokens=(20,), max_new_tokens=40, min_new_tokens=limit))


def test_transformers_own_batching_has_no_beams(engine):
    with pytest.raises(HarnessError, match="no beam search"):
        engine(TransformersEngine, "build_beams")


def test_the_null_engine_answers_at_once_with_two_tokens(configure):
    made = NullEngine(configure(batch_size=3))
    made.load()
    for key in range(3):
        made.add(key, Prompt(tokens=(1,), max_new_tokens=9))
    assert made.room == 0
    events = made.step()
    assert [(event.key, len(event.tokens), event.done) for event in events[:1] + events[-1:]] == [
        (0, 1, False),
        (2, 2, True),
    ]


@dataclass
class FakeSamplingParams:
    temperature: float
    max_tokens: int
    min_tokens: int
    seed: int


class FakeVllm:
    """Counts up from the prompt's last token, one token per step."""

    def __init__(self):
        self.running = {}

    def add_request(self, key, prompt, limits):
        self.running[key] = (prompt["prompt_token_ids"][-1], [], limits)

    def step(self):
        outputs = []
        for key, (last, tokens, limits) in list(self.running.items()):
            tokens.append(last + len(tokens) + 1)
            finished = len(tokens) >= limits.max_tokens
            outputs.append(
                SimpleNamespace(request_id=key, outputs=[SimpleNamespace(token_ids=tokens)], finished=finished)
            )
            if finished:
                del self.running[key]
        return outputs


@pytest.fixture
def fake_vllm(monkeypatch):
    module = ModuleType("vllm")
    module.__version__ = "0"
    module.EngineArgs = lambda **arguments: arguments
    module.SamplingParams = FakeSamplingParams
    module.TokensPrompt = dict
    module.LLMEngine = SimpleNamespace(from_engine_args=lambda arguments: FakeVllm())
    monkeypatch.setitem(sys.modules, "vllm", module)
    return module


def _for_vllm(configure, build="build", **changes):
    model = ModelConfig(name="tiny", architecture=f"tests.harness.tiny_llm:{build}", weights="checkpoint")
    return VllmEngine(configure(model=model, batch_size=2, **changes))


def test_vllm_is_stepped_by_the_harness(configure, fake_vllm):
    made = _for_vllm(configure)
    made.load()
    asked = [Prompt(tokens=(10 * key,), max_new_tokens=key + 2) for key in range(4)]
    assert answer(made, asked) == [[1, 2], [11, 12, 13], [21, 22, 23, 24], [31, 32, 33, 34, 35]]
    assert made.room == 2
    assert made.execution().executed == "vllm 0"


def test_vllm_that_cannot_load_says_why(configure, fake_vllm):
    def refuse(arguments):
        raise ValueError("no such file")

    fake_vllm.LLMEngine = SimpleNamespace(from_engine_args=refuse)
    with pytest.raises(HarnessError, match="cannot load checkpoint: no such file"):
        _for_vllm(configure).load()


def test_vllm_that_is_not_installed_says_so(configure, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(HarnessError, match="vLLM is not installed"):
        _for_vllm(configure).load()
