"""Compatibility, measured: scripts of MLCFlow through MLCFlow and through this engine.

    python benchmarks/compare_with_mlcflow.py --automations FOLDER [--only WORD …] [--oracle FILE] [--table FILE]

FOLDER is a checkout of mlcommons/mlperf-automations. The requests are in compare_with_mlcflow.yaml; side_by_side.py
says how they are run and what is compared. MLCFlow's answers are read in CM's names (`MLC_X` is `CM_X`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from side_by_side import ROOT, Bench, arguments, compare_all, engine_only, load_cases, private, temporary_folder

sys.path.insert(0, str(ROOT / "automation/script"))

from cm4bench.compat.dialect import MLCFLOW, to_cm

# MLCFlow names no dependencies in its answer
COMPARED = ("new_env", "new_state")
# what `mlcr` does with its arguments, and the answer in a file
_DRIVER = """
import json, sys
import mlc
from mlc import utils
given = utils.convert_args_to_dictionary(sys.argv[2:])["args_dict"]
answer = mlc.access({"action": "run", "target": "script", "quiet": True, **given})
json.dump(answer, open(sys.argv[1], "w"), default=str)
sys.exit(1 if answer["return"] else 0)
"""


def mlc_bench(folder: Path, repo: Path) -> Bench:
    """An environment with MLCFlow in which the repository is registered."""

    def command(argv: Sequence[str], out: Path) -> list[str]:
        return ["python", "-c", _DRIVER, str(out), *argv]

    bench = Bench(folder, command, to_cm, {"MLC_REPOS": str(folder / "CM/repos")}, COMPARED)
    bench.prepare([f"mlcflow=={MLCFLOW}"])
    bench.run(["mlc", "add", "repo", str(repo)], folder).check_returncode()
    return bench


def our_bench(folder: Path, repo: Path) -> Bench:
    """An environment with cmind and this engine, which gets MLCFlow's repository by its folder."""

    def command(argv: Sequence[str], out: Path) -> list[str]:
        return ["cmr", *argv, "--quiet", f"--save_to_json={out}"]

    variables = {"CM_REPOS": str(folder / "CM"), "CM4BENCH_REPOS": str(repo)}
    bench = Bench(folder, command, variables=variables, compared=COMPARED)
    bench.prepare(["cmind==4.2.0", "-r", str(ROOT / "requirements.txt")])
    bench.run(["cm", "add", "repo", f"--path={engine_only(folder / 'our-repo')}"], folder).check_returncode()
    return bench


def main() -> int:
    """0 if every difference is explained."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--automations", type=Path, required=True, metavar="FOLDER")
    options = parser.parse_args()
    with temporary_folder() as name:
        folder = Path(name)
        ours = our_bench(folder / "our", private(options.automations, folder / "our/scripts"))

        def theirs() -> Bench:
            return mlc_bench(folder / "mlc", private(options.automations, folder / "mlc/scripts"))

        return compare_all(load_cases(Path(__file__).with_suffix(".yaml"), options.only), theirs, ours, options)


if __name__ == "__main__":
    raise SystemExit(main())
