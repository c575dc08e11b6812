"""Fetch whisper-large-v3 at one revision from the Hugging Face hub, which resumes and compares checksums itself."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

REPOSITORY = "openai/whisper-large-v3"
FILES = ("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors")


def main() -> int:
    """Command line entry; 1 with one line on stderr when the hub cannot be read."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--revision", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(REPOSITORY, revision=options.revision, allow_patterns=FILES, local_dir=options.out)
    except Exception as error:  # its HTTP client's errors are many, and of a class of their own
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        print(f"cannot fetch {REPOSITORY}: {reason}; a copy at hand: --model_path=FOLDER", file=sys.stderr)
        return 1
    missing = [name for name in FILES if not (options.out / name).is_file()]
    if missing:
        print(f"{REPOSITORY} at {options.revision[:12]} lacks {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
