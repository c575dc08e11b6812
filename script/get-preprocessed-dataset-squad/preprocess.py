"""Turn questions into arrays of token ids: `features.npz`, `dataset.json`, and for span extraction `text.json`.

The folder appears only when all of them are complete.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import sentences
import spans
from squad import numbered, read_squad
from synthetic import random_features
from wordpiece import WordPiece


def main() -> int:
    """Command line entry; 1 with one line on stderr when an input cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--form", choices=("spans", "sentences"), required=True)
    parser.add_argument("--tier", choices=("full", "embedded", "synthetic"), required=True)
    parser.add_argument("--squad", type=Path)
    parser.add_argument("--vocabulary", type=Path)
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--sequence", type=int, default=384)
    parser.add_argument("--question", type=int, default=64)
    parser.add_argument("--stride", type=int, default=128)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        print(convert(options), "samples")
    except (OSError, ValueError) as error:
        print(f"cannot preprocess: {error}", file=sys.stderr)
        return 1
    return 0


def convert(options: argparse.Namespace) -> int:
    """Write the folder and return its number of samples. Raises OSError or ValueError."""
    limits = spans.Limits(options.sequence, options.question, options.stride)
    if limits.sequence < limits.question + 4 or min(limits.question, limits.stride) < 1:
        raise ValueError(f"{limits} leaves no room for a paragraph beside the question")
    if options.tier == "synthetic":
        arrays, texts = random_features(options.size or 1024, limits.sequence), dict[str, Any]()
    else:
        arrays, texts = _real(options, limits)
    count, longest = arrays["input_ids"].shape
    facts = {"name": f"squad-v1.1-dev {options.form}", "form": options.form, "tier": options.tier}
    facts |= {"count": count, "sequence": longest} | {key: texts.pop(key) for key in ("chance",) if key in texts}
    _write(options.out, arrays, texts, {"schema": 1, **facts})
    return int(count)


def _real(options: argparse.Namespace, limits: spans.Limits) -> tuple[dict[str, Any], dict[str, Any]]:
    paragraphs, encoder = read_squad(options.squad), WordPiece(options.vocabulary)
    questions = numbered(paragraphs)
    if options.size > len(questions):
        raise ValueError(f"{options.squad} has {len(questions)} questions, {options.size} were asked for")
    if options.form == "sentences":
        return sentences.samples(paragraphs, sentences.chosen(questions, options.size), encoder)
    arrays, texts = spans.features(paragraphs, questions[: options.size or None], encoder, limits)
    return arrays, {**texts, "vocabulary": options.vocabulary.read_text(encoding="utf-8").splitlines()}


def _write(out: Path, arrays: dict[str, Any], texts: dict[str, Any], facts: dict[str, Any]) -> None:
    import numpy as np

    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    np.savez(staging / "features.npz", **arrays)
    if texts:
        (staging / "text.json").write_text(json.dumps(texts), encoding="utf-8")
    (staging / "dataset.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


if __name__ == "__main__":
    sys.exit(main())
