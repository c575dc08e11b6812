"""Compatibility, measured: the same upstream scripts through the original CM engine and through this one.

    python benchmarks/compare_with_cm.py --cm4mlops FOLDER [--only WORD …] [--oracle FILE] [--table FILE]

FOLDER is a checkout of mlcommons/cm4mlops. The requests are in compare_with_cm.yaml; side_by_side.py says how they are
run and what is compared. `--oracle` keeps CM's answers: a later run with the same file only runs this engine, but for
requests that have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from side_by_side import ROOT, Bench, arguments, compare_all, engine_only, load_cases, private, temporary_folder

PACKAGES = ("cmind==4.2.0", "-r", str(ROOT / "requirements.txt"))


def cm_bench(folder: Path, repos: Sequence[Path]) -> Bench:
    """An environment with cmind in which the repositories are registered in this order."""
    bench = Bench(folder, _command, variables={"CM_REPOS": str(folder / "CM")})
    bench.prepare(PACKAGES)
    for repo in repos:
        bench.run(["cm", "add", "repo", f"--path={repo}"], folder).check_returncode()
    return bench


def _command(argv: Sequence[str], out: Path) -> list[str]:
    return ["cmr", *argv, "--quiet", f"--save_to_json={out}"]


def main() -> int:
    """0 if every difference is explained."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--cm4mlops", type=Path, required=True, metavar="FOLDER")
    options = parser.parse_args()
    with temporary_folder() as name:
        folder = Path(name)
        ours = cm_bench(folder / "our", [engine_only(folder), private(options.cm4mlops, folder / "our-scripts")])

        def theirs() -> Bench:
            return cm_bench(folder / "cm", [private(options.cm4mlops, folder / "cm-scripts")])

        return compare_all(load_cases(Path(__file__).with_suffix(".yaml"), options.only), theirs, ours, options)


if __name__ == "__main__":
    raise SystemExit(main())
