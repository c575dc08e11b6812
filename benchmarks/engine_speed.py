"""Engine speed, measured beside the original CM engine and MLCFlow in one run.

    python benchmarks/engine_speed.py [--cm4mlops FOLDER] [--mlcflow BIN --automations FOLDER] [--levels 6]

--cm4mlops is a checkout of mlcommons/cm4mlops; BIN is the `bin` folder of a virtual environment in which mlcflow is
installed, --automations a checkout of mlcommons/mlperf-automations. Each figure is CPU time (user + system) of whole
processes started as a user starts them, median and least of the repeats; all engines run the same scripts (for MLCFlow
under its own file names). Without these options only this repository is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
NOOP = ["cm", "run", "noop"]
# what the customize.py of nearly every script is made of
HOOKS = """def preprocess(i):
    i["env"]["CM_BENCH_HOOK"] = "yes"
    return {"return": 0}


def postprocess(i):
    return {"return": 0}
"""
CHAIN = 60


class Home(NamedTuple):
    """An engine under test, with some repositories registered; commands are given in CM's words."""

    name: str
    path: Path
    is_mlc: bool = False
    programs: Path = BIN

    def command(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in this home."""
        environment = {**os.environ, "CM_REPOS": str(self.path), "MLC_REPOS": str(self.path)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        program, *arguments = mlc_words(argv) if self.is_mlc else argv
        command = [str(self.programs / program), *arguments]
        return subprocess.run(command, env=environment, cwd=self.path, capture_output=True, text=True, check=False)


def mlc_words(argv: Sequence[str]) -> list[str]:
    """A command of CM as MLCFlow knows it. It takes no automations, so that its version is the nearest to a no-op."""
    if argv == NOOP:
        return ["mlc", "--version"]
    if argv[:3] == ["cm", "add", "repo"]:
        return ["mlc", "add", "repo", argv[3].removeprefix("--path=")]
    return ["mlcr", argv[1].replace(" ", ","), *argv[2:]]


def make_home(home: Home, repos: Sequence[Path]) -> Home:
    """Register repositories in a fresh home, in the given order."""
    home.path.mkdir()
    for repo in repos:
        done = home.command(["cm", "add", "repo", f"--path={repo}"])
        if done.returncode:
            raise SystemExit(f"{home.name}: {done.stdout}{done.stderr}")
    return home


def cpu_ms(home: Home, argv: Sequence[str], expect: int = 0) -> float:
    """CPU milliseconds of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = home.command(argv)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if (done.returncode != 0) != (expect != 0):
        raise SystemExit(f"{home.name}: {' '.join(argv)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def write_script(repo: Path, name: str, deps: Sequence[str] = (), hooks: str = "", **extra: object) -> None:
    """One script directory for both families; JSON, so that no engine pays for YAML where another does not."""
    folder = repo / "script" / name
    folder.mkdir(parents=True)
    uid = f"{abs(hash((str(repo), name))):016x}"[:16]
    manifest = {"alias": name, "uid": uid, "automation_alias": "script", "automation_uid": "5b4e0237da074764"}
    manifest |= {"tags": ["bench", name], "deps": [{"tags": f"bench,{dep}"} for dep in deps], **extra}
    for file in ("_cm.json", "meta.json"):
        (folder / file).write_text(json.dumps(manifest), encoding="utf-8")
    if hooks:
        (folder / "customize.py").write_text(hooks, encoding="utf-8")


def write_repo(repo: Path, alias: str, uid: str) -> Path:
    """An empty CM repository."""
    repo.mkdir(parents=True)
    for name in ("cmr.yaml", "meta.yaml"):
        (repo / name).write_text(f'alias: {alias}\nuid: "{uid}"\ngit: false\n', encoding="utf-8")
    return repo


def write_noop(repo: Path) -> None:
    """An automation whose only action does nothing: what cmind itself costs."""
    folder = repo / "automation" / "noop"
    folder.mkdir(parents=True)
    (folder / "_cm.yaml").write_text(
        'alias: noop\nuid: "0123456789abcde0"\nautomation_alias: automation\n'
        "automation_uid: bbeb15d8f0a944a4\ntags: [automation]\n",
        encoding="utf-8",
    )
    (folder / "module.py").write_text(
        "from cmind.automation import Automation\n\n\nclass CAutomation(Automation):\n"
        "    def __init__(self, cmind, automation_file):\n        super().__init__(cmind, __file__)\n\n"
        "    def run(self, i):\n        return {'return': 0}\n",
        encoding="utf-8",
    )


def small_repo(folder: Path, levels: int) -> Path:
    """Leaves, a cached leaf, chains without and with Python of their own, a diamond of two scripts per level."""
    repo = write_repo(folder / "small", "bench-small", "bbbbbbbbbbbbbbb1")
    write_noop(repo)
    write_script(repo, "leaf")
    write_script(repo, "kept", cache=True)
    for kind, hooks in (("link", ""), ("hook", HOOKS)):
        for number in range(CHAIN):
            write_script(repo, f"{kind}{number}", [f"{kind}{number + 1}"] if number < CHAIN - 1 else [], hooks)
    write_script(repo, "diamond", ["a1", "b1"])
    for level in range(1, levels + 1):
        below = [f"a{level + 1}", f"b{level + 1}"] if level < levels else []
        write_script(repo, f"a{level}", below)
        write_script(repo, f"b{level}", below)
    return repo


def large_repo(folder: Path, count: int) -> Path:
    """Thousands of scripts, to see what finding one of them costs."""
    repo = write_repo(folder / "large", "bench-large", "bbbbbbbbbbbbbbb2")
    for number in range(count):
        write_script(repo, f"tool{number}", tags=["bench", f"tool{number}", f"kind{number % 50}"])
    return repo


def cases(levels: int) -> Iterator[tuple[str, list[str], int]]:
    """What is measured: name, command, expected exit status."""
    yield "a command that does nothing (cmind's own start)", NOOP, 0
    yield "a leaf script", ["cmr", "bench leaf", "--quiet"], 0
    yield "a cached script, reused", ["cmr", "bench kept", "--quiet"], 0
    yield "detect os", ["cmr", "detect os", "--quiet"], 0
    yield "tags that nothing has", ["cmr", "bench nosuchthing", "--quiet"], 1
    yield f"chain of {CHAIN} empty scripts", ["cmr", "bench link0", "--quiet"], 0
    yield f"chain of {CHAIN} scripts with a customize.py", ["cmr", "bench hook0", "--quiet"], 0
    yield f"diamond of {2 * levels + 1} scripts", ["cmr", "bench diamond", "--quiet"], 0


def main() -> None:
    """Measure and print one table, Markdown."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cm4mlops", type=Path, help="checkout of mlcommons/cm4mlops")
    options.add_argument("--mlcflow", type=Path, metavar="BIN", help="where MLCFlow's commands are")
    options.add_argument("--automations", type=Path, help="checkout of mlcommons/mlperf-automations")
    options.add_argument("--repeats", type=int, default=7)
    options.add_argument("--levels", type=int, default=6, help="levels of the diamond; CM doubles with each")
    options.add_argument("--scripts", type=int, default=5000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = small_repo(folder, given.levels)
        homes = [make_home(Home("cm4bench", folder / "cm4bench"), [ROOT, small])]
        if given.cm4mlops:
            homes.append(make_home(Home("CM", folder / "CM"), [given.cm4mlops.resolve(), small]))
        if given.mlcflow:
            mlc = Home("MLCFlow", folder / "MLCFlow", is_mlc=True, programs=given.mlcflow.resolve())
            homes.append(make_home(mlc, [given.automations.resolve(), small]))
        _print_table(homes, given.repeats, given.levels)
        _print_catalogue(folder, homes[0], given.scripts, given.repeats)


def _print_table(homes: Sequence[Home], repeats: int, levels: int) -> None:
    """All commands in turn, round after round: these machines change their speed from one minute to the next."""
    figures: dict[tuple[str, str], list[float]] = {}
    for number in range(repeats + 1):
        for label, argv, expect in cases(levels):
            for home in homes:
                known = figures.setdefault((label, home.name), [])
                if not (number > _SLOW_ROUNDS and known[-1] > _SLOW_MS):
                    known.append(cpu_ms(home, argv, expect))
    print("| CPU ms: median (least) | " + " | ".join(home.name for home in homes) + " |")
    print("|---|" + "---|" * len(homes))
    for label, _, _ in cases(levels):
        cells = (_cell(figures[label, home.name][1:]) for home in homes)
        print(f"| {label} | " + " | ".join(cells) + " |")


_SLOW_ROUNDS = 2
_SLOW_MS = 1500


def _cell(figures: Sequence[float]) -> str:
    return f"{statistics.median(figures):,.0f} ({min(figures):,.0f})"


def _print_catalogue(folder: Path, home: Home, count: int, repeats: int) -> None:
    """The same lookup with thousands of scripts registered beside; cmind's own index grows as well."""
    crowded = Home("crowded", folder / "crowded")
    shutil.copytree(home.path, crowded.path)
    crowded.command(["cm", "add", "repo", f"--path={large_repo(folder, count)}"])
    plan = ["cmr", "bench leaf", "--quiet", "--plan"]
    costs: dict[str, list[float]] = {"few": [], "many": []}
    for _ in range(repeats + 1):
        for name, where in (("few", home), ("many", crowded)):
            costs[name].append(cpu_ms(where, plan) - cpu_ms(where, NOOP))
    few, many = (statistics.median(costs[name][1:]) for name in ("few", "many"))
    print(
        f"\nplan of a leaf, above a command that does nothing: {few:.0f} ms; with {count:,} more scripts {many:.0f} ms"
    )


if __name__ == "__main__":
    main()
