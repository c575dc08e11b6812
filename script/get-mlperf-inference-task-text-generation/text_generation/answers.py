"""Right or wrong: the answers that MLPerf's benchmarks look for in a model's text.

The rules are those of the reference evaluations (mlcommons/inference, language/*/evaluate-accuracy.py and
eval_accuracy.py), written from their behaviour; the tests compare with them on the same texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_NUMBER = re.compile(r"-?[\d,]*\.?\d+")
_UUID = re.compile(r"\w{8}-\w{4}-\w{4}-\w{4}-\w{12}")
_FINAL = re.compile(r"<\|channel\|>final[^<]*<\|message\|>(.*?)(?:<\|return\|>|$)", re.DOTALL)


def gsm8k(text: str, target: str) -> bool:
    """The number behind "The answer is", else the last one; a further question the model asked itself is cut off."""
    text = text.split("\nQ:")[0]
    behind = _NUMBER.findall(text.rsplit("The answer is", 1)[1]) if "The answer is" in text else []
    numbers = behind[:1] or _NUMBER.findall(text)[-1:]
    found, wanted = _as_float(numbers[0] if numbers else ""), _as_float(target)
    return found is not None and found == wanted


def _as_float(text: str) -> float | None:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def needle(text: str, target: str) -> float:
    """Percent for retrieved identifiers (RULER's needle in a haystack).

    The reference compares identifiers pairwise, character by character: the share of the target's characters that occur
    in the found one. We do as it does, so that the number is the same.
    """
    found, wanted = _UUID.findall(text), _UUID.findall(target)
    if not found:
        return 0.0
    shares = [
        sum(char.lower() in one.lower() for char in want) / len(want)
        for one, want in zip(found, wanted)  # noqa: B905
    ]
    return round(100.0 * sum(shares) / len(found), 2)


def question(text: str, target: str) -> float:
    """100 if the text behind the last "Answer: " is in the target or holds one of its alternatives, else 0."""
    answer = text.rsplit("Answer: ", 1)[-1]
    if answer in target:
        return 100.0
    squeezed = _squeeze(answer)
    return 100.0 if any(_squeeze(one) in squeezed for one in target.split("|")) else 0.0


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()


def choice(text: str, letters: str) -> str | None:
    """The letter behind the last "ANSWER" or "FINAL ANSWER"; with ten letters also the last lone one."""
    text = _without_list(text.strip()).replace(r"\n", "\n").replace(r"\'", "'")
    last = letters[-1]
    marked = rf"\b(?:ANSWER|FINAL\s*ANSWER)\b\s*[:=]?\s*\(?\s*([A-{last}])\s*\)?(?:\s*$|[^A-Za-z])"
    found = re.findall(marked, text, re.IGNORECASE)
    if not found and last == "J":
        found = re.findall(r"\b([A-J])\b", text, re.IGNORECASE)
    return found[-1].upper() if found else None


def _without_list(text: str) -> str:
    listed = text[:2] in ("['", '["') and text[-2:] in ("']", '"]')
    return text[2:-2].strip() if listed else text


def harmony_choice(text: str, letters: str) -> str | None:
    """The letter in the final channel of a gpt-oss answer: at its start, behind "Answer", else as `choice` finds it."""
    text = text.strip()
    final = _FINAL.search(text)
    section = re.sub(r"\*\*([^*]+)\*\*", r"\1", final.group(1).strip() if final else text)
    section = _without_list(section).replace(r"\n", "\n").replace(r"\'", "'")
    last = letters[-1]
    for pattern in (rf"\A[^a-zA-Z]*([A-{last}])(?:[^a-zA-Z]|$)", rf"\bAnswer\s*[:.]?\s*([A-{last}])\b"):
        if found := re.search(pattern, section.strip(), re.IGNORECASE):
            return found.group(1).upper()
    return choice(text, letters)


def whole_number(text: str) -> int | None:
    """An AIME answer, 0 to 999: in the last ``\\boxed{}``, else behind the last "Answer:"."""
    found = re.findall(r"\\boxed{\s*(\d+)\s*}", text)
    found = found or re.findall(r"Answer:\s*(\d+)(?!\.)\b", text, re.IGNORECASE)
    value = int(found[-1]) if found else -1
    return value if 0 <= value <= 999 else None


def boxed(text: str) -> str | None:
    """Contents of the last ``\\boxed{}``, braces inside it balanced."""
    start = text.rfind(r"\boxed{")
    depth = 0
    for place in range(start + 7, len(text) if start >= 0 else 0):
        if text[place] == "}" and depth == 0:
            return text[start + 7 : place].strip()
        depth += {"{": 1, "}": -1}.get(text[place], 0)
    return None


def is_choice(letters: str, find: Callable[[str, str], str | None]) -> Callable[[str, str], bool]:
    """A judge of multiple choice answers."""
    return lambda text, target: (found := find(text, letters)) is not None and found == target.upper()


def is_whole_number(text: str, target: str) -> bool:
    """A judge of AIME answers."""
    wanted = _as_float(target)
    return wanted is not None and whole_number(text) == int(wanted)
