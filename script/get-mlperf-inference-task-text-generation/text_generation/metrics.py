"""One function per benchmark's metric: answers in, named figures out, rounded as the reference scripts print them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.errors import HarnessError
from text_generation import answers as judge
from text_generation import rouge
from text_generation.prompts import Reference

# How often each question of gpt-oss's set is asked; a question weighs the same however often that is.
_REPEATS = {"aime25": 8, "gpqa_diamond": 5, "livecodebench_v6": 3}

_JUDGES: dict[str, Callable[[str, str], bool]] = {
    "gpqa": judge.is_choice("ABCD", judge.choice),
    "mmlu_pro": judge.is_choice("ABCDEFGHIJ", judge.choice),
    "aime": judge.is_whole_number,
}
_HARMONY_JUDGES = {"gpqa": judge.is_choice("ABCD", judge.harmony_choice), "aime": judge.is_whole_number}


@dataclass(frozen=True)
class Answers:
    """Texts of all answers, their lengths in tokens, and what they are compared with, in the same order."""

    texts: list[str]
    lengths: list[int]
    references: list[Reference]


@dataclass(frozen=True)
class Figures:
    """Named figures in the order in which the reference prints them.

    `not_computed` names parts that would need generated programs to be executed; they are never guessed.
    """

    headline: str
    values: dict[str, float]
    correct: int | None = None
    not_computed: tuple[str, ...] = field(default=())

    def printed(self) -> str:
        """The line that the submission checker looks for."""
        line = str(self.values)
        return line + (f"\nnot computed: {', '.join(self.not_computed)}" if self.not_computed else "")


def _generated(answers: Answers, characters: int) -> dict[str, float]:
    total = sum(answers.lengths)
    return {
        "gen_len": characters,
        "gen_num": len(answers.texts),
        "gen_tok_len": total,
        "tokens_per_sample": round(total / len(answers.texts), 1),
    }


def summaries(answers: Answers) -> Figures:
    """ROUGE over all answers (GPT-J, Llama 2, Llama 3.1-8B, and the packaged default)."""
    texts = [rouge.by_sentence(text) for text in answers.texts]
    wanted = [rouge.by_sentence(one.target) for one in answers.references]
    found = {name: round(value, 4) for name, value in rouge.scores(texts, wanted).items()}
    return Figures("rouge1", {**found, **_generated(answers, sum(map(len, texts)))})


def mixtral(answers: Answers) -> Figures:
    """ROUGE of OpenOrca's share, right answers of GSM8K's; MBXP's code would have to be run, and is not."""
    shares = _by_kind(answers)
    orca, maths = shares.get("OpenOrca", []), shares.get("GSM8K", [])
    if not orca or not maths:
        raise HarnessError("accuracy", f"the data set has no {'OpenOrca' if not orca else 'GSM8K'} samples")
    texts = [rouge.by_sentence(text) for text, _ in orca]
    found = rouge.scores(texts, [rouge.by_sentence(target) for _, target in orca])
    correct = sum(judge.gsm8k(text, target) for text, target in maths)
    values = {name: round(value, 4) for name, value in found.items()} | {"gsm8k": 100.0 * correct / len(maths)}
    code = ("mbxp",) if len(orca) + len(maths) < len(answers.texts) else ()
    return Figures("rouge1", {**values, **_generated(answers, sum(map(len, texts)))}, not_computed=code)


def long_context(answers: Answers) -> Figures:
    """Llama 3.1-405B: each sample names its metric; means are over the samples that have it."""
    found: dict[str, list[float]] = {}
    texts = [rouge.by_sentence(text) for text in answers.texts]
    for text, reference in zip(texts, answers.references, strict=True):
        target = rouge.by_sentence(reference.target)
        if reference.kind == "rouge":
            found.setdefault("rougeL", []).append(rouge.scores([text], [target], ["rougeL"])["rougeL"])
        elif reference.kind in ("niah_em", "qa_em"):
            method = judge.needle if reference.kind == "niah_em" else judge.question
            found.setdefault("exact_match", []).append(method(text, target))
        else:
            raise HarnessError("accuracy", f"the data set names a metric that is not known: {reference.kind!r}")
    values = {name: sum(parts) / len(parts) for name, parts in found.items()}
    headline = "rougeL" if "rougeL" in values else "exact_match"
    return Figures(headline, {**values, **_generated(answers, sum(map(len, texts)))})


def reasoning(answers: Answers) -> Figures:
    """DeepSeek-R1: share of right answers."""
    judged = _judged(answers, _JUDGES)
    rows = [right for rights in judged.values() for right in rights]
    return _exact_match(answers, 100.0 * sum(rows) / max(1, len(rows)), sum(rows), _unknown(answers, _JUDGES))


def reasoning_repeated(answers: Answers) -> Figures:
    """gpt-oss: share of right answers, where repeated questions count once."""
    judged = _judged(answers, _HARMONY_JUDGES)
    got = sum(sum(rights) / _REPEATS.get(kind, 1) for kind, rights in judged.items())
    most = sum(len(rights) / _REPEATS.get(kind, 1) for kind, rights in judged.items())
    correct = sum(sum(rights) for rights in judged.values())
    missing = _unknown(answers, _HARMONY_JUDGES)
    return _exact_match(answers, round(100.0 * got / most, 3) if most else 0.0, correct, missing)


def _exact_match(answers: Answers, share: float, correct: int, missing: tuple[str, ...]) -> Figures:
    """Under its official name only when nothing is missing from it."""
    name = "exact_match_of_computed" if missing else "exact_match"
    mean = sum(answers.lengths) / len(answers.texts)
    values = {name: share, "tokens_per_sample": mean, "num-samples": len(answers.texts)}
    return Figures(name, values, correct=correct, not_computed=missing)


def _by_kind(answers: Answers) -> dict[str, list[tuple[str, str]]]:
    shares: dict[str, list[tuple[str, str]]] = {}
    for text, reference in zip(answers.texts, answers.references, strict=True):
        shares.setdefault(reference.kind, []).append((text, reference.target))
    return shares


def _judge_of(kind: str, judges: dict[str, Callable[[str, str], bool]]) -> Callable[[str, str], bool] | None:
    return next((one for name, one in judges.items() if name in kind.lower()), None)


def _judged(answers: Answers, judges: dict[str, Callable[[str, str], bool]]) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {}
    for kind, pairs in _by_kind(answers).items():
        if right := _judge_of(kind, judges):
            found[kind.lower()] = [right(text, target) for text, target in pairs]
    return found


def _unknown(answers: Answers, judges: dict[str, Callable[[str, str], bool]]) -> tuple[str, ...]:
    kinds = {reference.kind for reference in answers.references}
    return tuple(sorted(kind for kind in kinds if not _judge_of(kind, judges)))
