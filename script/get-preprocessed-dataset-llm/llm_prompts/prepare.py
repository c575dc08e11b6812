"""Turn a language data set into the folder that the text generation task reads, or make up prompts from a seed."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_prompts.formats import FORMATS, SHAPES, Shape
from llm_prompts.readers import Sample

_PUNKT = Path("tokenizers") / "punkt_tab" / "english"


@dataclass(frozen=True)
class Prepared:
    """What goes into the folder: the samples and the rest of dataset.json."""

    samples: Sequence[Sample]
    described: dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line entry; 1 with one line on stderr when an input cannot be used."""
    options = _arguments().parse_args(arguments)
    try:
        if options.format == "synthetic":
            prepared = synthetic(options.shape, options.samples or 256, options.seed)
        else:
            prepared = official(options.format, options.data, options.tokenizer, options.tier, options.samples)
        write(prepared, options.out, options.tokenizer, options.punkt)
    except (OSError, ValueError) as error:
        print(f"cannot prepare prompts: {error}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--format", choices=["synthetic", *FORMATS], required=True)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="smollm2")
    parser.add_argument("--tier", choices=["full", "embedded", "synthetic"], required=True)
    parser.add_argument("--data", type=_path)
    parser.add_argument("--tokenizer", type=_path)
    parser.add_argument("--punkt", type=_path)
    parser.add_argument("--samples", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    return parser


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def official(name: str, data: Path | None, tokenizer: Path | None, tier: str, samples: int) -> Prepared:
    """Read a data set; `samples` above 0 takes the first ones, which the official set does not allow."""
    known = FORMATS[name]
    if data is None:
        raise ValueError(f"the data set {name} was not given")
    if samples and tier == "full":
        raise ValueError(f"{samples} samples of {name} are not the official data set: leave --dataset_size away")
    read = known.read(data, _tokenizer(tokenizer))
    if tier == "full" and known.count not in (None, len(read)):
        raise ValueError(f"{data} has {len(read)} samples, the official data set has {known.count}")
    described = {
        "name": name,
        "tier": tier,
        "metric": known.metric,
        "max_new_tokens": known.longest,
        "min_new_tokens": known.shortest,
        "cut": known.cut,
    }
    return Prepared(read[: samples or None], described)


def synthetic(shape: str, samples: int, seed: int) -> Prepared:
    """Random tokens, prompt lengths spread evenly on a logarithmic scale."""
    import numpy as np

    size: Shape = SHAPES[shape]
    random = np.random.default_rng(seed)
    lengths = np.exp(random.uniform(np.log(size.shortest), np.log(size.longest), samples)).astype(int)
    made = [Sample(random.integers(3, size.vocabulary, length).tolist(), "") for length in lengths]
    described = {
        "name": f"random prompts for {shape}, seed {seed}",
        "tier": "synthetic",
        "metric": "none",
        "max_new_tokens": size.new_tokens,
    }
    return Prepared(made, described)


def write(prepared: Prepared, out: Path, tokenizer: Path | None, punkt: Path | None) -> None:
    """Write the folder `out`, which appears only when it is complete.

    Raises ValueError when there is no sample or a prompt is empty, OSError when something cannot be written.
    """
    import numpy as np

    samples = prepared.samples
    empty = [index for index, sample in enumerate(samples) if not len(sample.tokens)]
    if not samples or empty:
        raise ValueError(f"prompt {empty[0]} is empty" if empty else "the data set has no samples")
    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    np.save(staging / "tokens.npy", np.concatenate([np.asarray(one.tokens, dtype=np.int32) for one in samples]))
    np.save(staging / "offsets.npy", np.cumsum([0, *(len(one.tokens) for one in samples)], dtype=np.int64))
    lines = [json.dumps({"target": one.target, "kind": one.kind}, ensure_ascii=False) for one in samples]
    (staging / "references.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    described = {"schema": 1, "count": len(samples), **prepared.described}
    (staging / "dataset.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    if prepared.described["metric"] != "none":
        _tokenizer(tokenizer).save_pretrained(staging / "tokenizer")
        _copy_punkt(punkt, staging / "nltk" / _PUNKT)
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


def _copy_punkt(source: Path | None, target: Path) -> None:
    """The sentence model lies with the data, so that scoring needs nothing else."""
    if source is None or not (source / _PUNKT).is_dir():
        raise ValueError(f"no sentence model at {source}: it should hold {_PUNKT}")
    shutil.copytree(source / _PUNKT, target)


def _tokenizer(folder: Path | None) -> Any:
    from transformers import AutoTokenizer

    if folder is None or not folder.is_dir():
        raise ValueError(f"no tokenizer at {folder}: give the model's folder, --model_path=FOLDER")
    try:
        return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder} has no usable tokenizer: {str(error).splitlines()[0]}") from error


if __name__ == "__main__":
    sys.exit(main())
