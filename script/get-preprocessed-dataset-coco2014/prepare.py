"""Write tokens.npy, latents.npy, captions.json and dataset.json for SDXL; see the task's text_to_image/task.py.

The official latents are 4 x 128 x 128 normal numbers of torch's generator with seed 0; where latents.pt is not at hand,
they are drawn again (the difference is below 3e-7).
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
from pathlib import Path
from typing import Any

LENGTH, VOCABULARY, END = 77, 1000, 2
OFFICIAL_LATENTS = (4, 128, 128)
SYNTHETIC_LATENTS = (4, 16, 16)


def main() -> int:
    """Command line entry; 1 with one line on stderr when an input cannot be used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--captions", type=Path)
    parser.add_argument("--checkpoint", type=Path, help="folder with tokenizer and tokenizer_2, or checkpoint_pipe")
    parser.add_argument("--latents", type=Path)
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.count < 1:
        parser.error(f"--count must be at least 1, not {options.count}")
    try:
        if options.captions:
            official(options.captions, options.checkpoint, options.latents, options.out)
        else:
            synthetic(options.count, options.seed, options.out)
    except (OSError, ValueError, LookupError) as error:
        print(f"cannot prepare the captions: {error}", file=sys.stderr)
        return 1
    return 0


def official(captions: Path, checkpoint: Path, latents: Path | None, out: Path) -> None:
    """From the official files. Raises OSError, ValueError or LookupError."""
    import numpy as np

    with captions.open(encoding="utf-8", newline="") as file:
        texts = [row["caption"] for row in csv.DictReader(file, delimiter="\t")]
    place = checkpoint / "checkpoint_pipe"
    place = place if place.is_dir() else checkpoint
    tokens = np.stack([tokenize(texts, place / name) for name in ("tokenizer", "tokenizer_2")])
    write(out, "full", "coco2014 captions", tokens, read_latents(latents), texts)


def tokenize(texts: list[str], tokenizer: Path) -> Any:
    """int64 (n, 77). Raises OSError when the folder holds no CLIP tokenizer."""
    import numpy as np
    from transformers import CLIPTokenizer

    loaded = CLIPTokenizer.from_pretrained(str(tokenizer), local_files_only=True)
    encoded = loaded(texts, padding="max_length", max_length=LENGTH, truncation=True)
    return np.asarray(encoded["input_ids"], dtype=np.int64)


def read_latents(path: Path | None) -> Any:
    """The official latents, (4, 128, 128). Raises ValueError naming a file that holds others."""
    import torch

    if path is None:
        return torch.randn((1, *OFFICIAL_LATENTS), generator=torch.Generator().manual_seed(0))[0].numpy()
    try:
        latents = torch.load(path, map_location="cpu", weights_only=True).float().numpy()
    except Exception as error:
        raise ValueError(f"{path} cannot be read: {str(error).splitlines()[0][:200]}") from None
    if latents.shape != (1, *OFFICIAL_LATENTS):
        raise ValueError(f"{path} has shape {latents.shape}, (1, 4, 128, 128) was expected")
    return latents[0]


def synthetic(count: int, seed: int, out: Path) -> None:
    """Random tokens for the small network; each prompt ends with the end token."""
    import numpy as np

    random = np.random.default_rng(seed)
    tokens = random.integers(3, VOCABULARY, (2, count, LENGTH))
    tokens[..., -1] = END
    latents = random.standard_normal(SYNTHETIC_LATENTS, dtype=np.float32)
    write(out, "synthetic", "random tokens", tokens, latents, [f"caption {number}" for number in range(count)])


def write(out: Path, tier: str, name: str, tokens: Any, latents: Any, texts: list[str]) -> None:
    """The four files, in a folder that appears in one step."""
    import numpy as np

    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    np.save(staging / "tokens.npy", tokens)
    np.save(staging / "latents.npy", latents)
    (staging / "captions.json").write_text(json.dumps(texts, indent=0) + "\n", encoding="utf-8")
    described = {"schema": 1, "name": name, "tier": tier, "count": len(texts)}
    (staging / "dataset.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


if __name__ == "__main__":
    sys.exit(main())
