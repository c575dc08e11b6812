"""Why there is no quality figure, and how to get one from the log."""

from __future__ import annotations

from pathlib import Path

from harness.errors import HarnessError
from harness.logs import ACCURACY

TOOL = "text_to_image/tools/accuracy_coco.py"


def not_computed(log_dir: Path) -> HarnessError:
    """CLIP score and FID need two networks, and statistics of real pictures, that no package carries."""
    return HarnessError(
        "accuracy",
        "CLIP score and FID are not computed: they need the weights of OpenAI's CLIP ViT-B/32 and of the FID Inception "
        "network, and val2014.npz, none of which is here",
        f"the pictures are in the log; in https://github.com/mlcommons/inference run: python {TOOL} "
        f"--mlperf-accuracy-file {log_dir / ACCURACY} --caption-path captions_source.tsv",
    )
