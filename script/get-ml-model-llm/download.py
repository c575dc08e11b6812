"""Fetch a checkpoint from Hugging Face: safetensors, configuration and tokenizer, no other copies of the weights."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> int:
    """Command line entry; 1 with one line on stderr when it cannot be fetched."""
    from huggingface_hub import snapshot_download

    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--revision", default="main")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    wanted = ["*.json", "*.safetensors", "*.jinja", "tokenizer*", "*.model"]
    try:
        snapshot_download(options.model, revision=options.revision, local_dir=options.out, allow_patterns=wanted)
    except Exception as error:  # the library has a class of its own for every refusal
        print(f"cannot fetch {options.model}: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
