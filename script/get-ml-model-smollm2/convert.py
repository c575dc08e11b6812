"""Turn the packaged GGUF file into a folder that transformers loads in a second: safetensors, config, tokenizer.

Reading GGUF takes most of a minute, since the vocabulary is parsed in Python; this is done once. The Q4_1 weights are
kept as what they stand for, in float32.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path


def main() -> int:
    """Command line entry; 1 with one line on stderr when the file cannot be converted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        convert(options.gguf, options.out)
    except (OSError, ValueError, KeyError) as error:
        print(f"cannot convert {options.gguf}: {error}", file=sys.stderr)
        return 1
    return 0


def convert(gguf: Path, out: Path) -> None:
    """Write the folder `out`, which appears only when it is complete. Raises OSError, ValueError or KeyError."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if not gguf.is_file():
        raise OSError("there is no such file")
    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    place = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name, "local_files_only": True}
    AutoTokenizer.from_pretrained(**place).save_pretrained(staging)
    read = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)
    # transformers marks what it read from GGUF as quantised and then refuses to save it
    if hasattr(read.config, "quantization_config"):
        del read.config.quantization_config
    plain = AutoModelForCausalLM.from_config(read.config, dtype=torch.float32)
    plain.load_state_dict(read.state_dict())
    plain.save_pretrained(staging)
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


if __name__ == "__main__":
    sys.exit(main())
