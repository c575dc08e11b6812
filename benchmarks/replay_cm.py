"""Recorded answers of the original CM engine, asked again of this one.

    python benchmarks/replay_cm.py FOLDER [--only WORD …] [--cm4mlops FOLDER] [--table FILE]

FOLDER holds `repo/`, a CM repository of small scripts, and `cases/*.json`: for each command line its exit code,
`new_env`, `new_state`, `deps` and the tags of the cache entries afterwards. A file `tag-queries.json` beside them lists
which scripts of mlcommons/cm4mlops CM finds for which tags; it is asked when `--cm4mlops` names a checkout.
Differences that are meant to be are explained in replay_cm.yaml; any other makes the exit code 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[1]
REASONS = Path(__file__).with_suffix(".yaml")
COMPARED = ("new_env", "new_state", "deps")
# the folders in which the cases were recorded; `work` holds one folder per case
HERE = "@ROOT@"


class Reason(NamedTuple):
    """Why differences that fit a pattern are meant to be, in the cases (`micro-leaf 3`) that fit another one."""

    why: str
    cases: str
    difference: str

    def explains(self, case: str, difference: str) -> bool:
        return bool(re.fullmatch(self.cases, case) and re.search(self.difference, difference))


class Finding(NamedTuple):
    """What one step of a case answered differently, key by key, and why that is meant to be ("" if it is not)."""

    case: str
    command: str
    differences: tuple[str, ...]
    reasons: tuple[str, ...] = ()

    @property
    def is_explained(self) -> bool:
        return all(self.reasons)

    @property
    def verdict(self) -> str:
        return f"differs on purpose: {'; '.join(dict.fromkeys(self.reasons))}" if self.is_explained else "DIFFERS"


class Home(NamedTuple):
    """A fresh CM home with this repository's automations and the recorded repository, as the recording had it."""

    folder: Path

    @property
    def cache(self) -> Path:
        return self.folder / "CM/repos/local/cache"

    def prepare(self, ours: Path, recorded: Path) -> None:
        shutil.copytree(recorded, self.folder / "micro/repo")
        (self.folder / "home").mkdir()
        for repo in (ours, self.folder / "micro/repo"):
            self.command(["cm", "add", "repo", f"--path={repo}"], self.folder).check_returncode()

    def command(self, argv: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
        tools = f"{cwd}/b1:{cwd}/b2:{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = {**os.environ, "PATH": tools, "CM_REPOS": str(self.folder / "CM"), "HOME": str(self.folder / "home")}
        return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def plain(self, value: Any) -> Any:
        """A recorded or a fresh answer with folders and identifiers made equal."""
        text = json.dumps(value, sort_keys=True, default=str).replace(str(self.folder), HERE)
        return json.loads(re.sub(r"cache/[0-9a-f]{16}", "cache/ID", text))


def snapshot(folder: Path) -> Path:
    """This repository as it stands, so that an edit made meanwhile does not get between."""
    repo = folder / "cm4bench"
    for name in ("automation", "script"):
        shutil.copytree(ROOT / name, repo / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    shutil.copy(ROOT / "cmr.yaml", repo)
    return repo


def replay(home: Home, case: Mapping[str, Any], reasons: Sequence[Reason]) -> Iterator[Finding]:
    """All steps of one case, one after the other in one home."""
    folder = home.folder
    work = folder / "w" / case["id"]
    work.mkdir(parents=True)
    for name, text in (case.get("files") or {}).items():
        (work / name).write_text(text)
    if case.get("setup"):
        home.command(["bash", "-c", case["setup"]], work).check_returncode()
    for number, step in enumerate(case["steps"]):
        if step.get("pre"):
            home.command(["bash", "-c", step["pre"]], work).check_returncode()
        argv = [arg.replace(HERE, str(folder)) for arg in step["argv"]]
        found = tuple(differences(home, step, ask(home, argv, work)))
        name = f"{case['id']} {number}"
        yield _judged(name, " ".join(step["argv"]), found, reasons)


def _judged(name: str, command: str, found: tuple[str, ...], reasons: Sequence[Reason]) -> Finding:
    why = (next((r.why for r in reasons if r.explains(name, difference)), "") for difference in found)
    return Finding(name, command, found, tuple(why))


def ask(home: Home, argv: Sequence[str], work: Path) -> dict[str, Any]:
    """Run a command line: exit code, CM's answer, tags of the cache entries afterwards."""
    out = home.folder / "answer.json"
    out.unlink(missing_ok=True)
    done = home.command([*argv, f"--save_to_json={out}"], work)
    try:
        answer = json.loads(out.read_text())
    except (OSError, ValueError):
        answer = {"error": (done.stderr or done.stdout).strip()[-600:]}
    entries = (json.loads(path.read_text()) for path in sorted(home.cache.glob("*/_cm.json")))
    return {**answer, "rc": done.returncode, "cache": [{"tags": entry["tags"]} for entry in entries]}


def differences(home: Home, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    """In words: what this engine answered differently."""
    if (theirs["rc"] == 0) != (ours["rc"] == 0):
        yield f"exit code {theirs['rc']} / {ours['rc']}: {(ours if ours['rc'] else theirs).get('error', '')[:300]}"
        return
    for part in COMPARED if theirs["rc"] == 0 else ():
        a, b = (home.plain(answer.get(part) or None) for answer in (theirs, ours))
        if part == "deps":
            a, b = ([str(tags).strip(",") for tags in deps or ()] for deps in (a, b))
        yield from (f"{part} {change}" for change in _changes(a, b))
    a, b = (_entry_tags(answer["cache"]) for answer in (theirs, ours))
    if a != b:
        yield f"cache {a} / {b}"


def _changes(theirs: Any, ours: Any) -> Iterator[str]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        keys = sorted(k for k in {*theirs, *ours} if theirs.get(k) != ours.get(k))
        yield from (f"{k}: {theirs.get(k)!r} / {ours.get(k)!r}" for k in keys)
    elif theirs != ours:
        yield f"{theirs} / {ours}"


def _entry_tags(entries: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Tags of whole entries. CM leaves one with the tag `tmp` where a run failed; here there is none."""
    return sorted(sorted(entry["tags"]) for entry in entries if "tmp" not in entry["tags"])


def replay_queries(file: Path, checkout: Path, folder: Path, reasons: Sequence[Reason]) -> list[Finding]:
    """Which scripts a query finds, in any order."""
    sys.path.insert(0, str(ROOT / "automation/script"))
    from cm4bench import CMBenchError, Engine, Repo
    from cm4bench.query import parse_tags

    catalog = Engine([Repo("cm4mlops", checkout)], folder).catalog
    findings = []
    for case in json.loads(file.read_text()):
        try:
            found = sorted(script.alias for script in catalog.find(parse_tags(case["tags"])))
        except CMBenchError:
            found = []
        different = () if found == sorted(case["list"]) else (f"{case['list']} / {found}",)
        findings.append(_judged("tag-queries", case["tags"], different, reasons))
    return findings


def main() -> int:
    """0 if every difference is explained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--cm4mlops", type=Path, metavar="FOLDER")
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    reasons = [Reason(r["why"], r["cases"], r["difference"]) for r in yaml.safe_load(REASONS.read_text())]
    findings: list[Finding] = []
    files = sorted((options.folder / "cases").glob("*.json"))
    with tempfile.TemporaryDirectory(prefix="replay-") as everything:
        ours = snapshot(Path(everything))
        for file in (f for f in files if not options.only or any(word in f.stem for word in options.only)):
            home = Home(Path(everything, file.stem))
            home.prepare(ours, options.folder / "repo")
            findings += replay(home, json.loads(file.read_text()), reasons)
    if options.cm4mlops:
        with tempfile.TemporaryDirectory(prefix="replay-") as folder:
            findings += replay_queries(options.folder / "tag-queries.json", options.cm4mlops, Path(folder), reasons)
    return report(findings, options.table)


def report(findings: Sequence[Finding], table: Path | None) -> int:
    """Print what differs, write the table, and say by the exit code whether all is explained."""
    different = [f for f in findings if f.differences]
    for finding in different:
        print(f"{finding.case}: {finding.verdict}", finding.command, *finding.differences, sep="\n    ")
    meant, agreed = sum(f.is_explained for f in different), len(findings) - len(different)
    print(f"\n{len(findings)} steps and queries: {agreed} agree, {meant} differ on purpose, ", end="")
    print(f"{len(different) - meant} to explain")
    if table:
        rows = [f"| {case} | {why} |" for case, why in _by_reason(different).items()]
        table.write_text("\n".join(["| steps | why |", "|---|---|", *rows]) + "\n")
    return 1 if len(different) > meant else 0


def _by_reason(different: Sequence[Finding]) -> dict[str, str]:
    cases: dict[str, list[str]] = {}
    for finding in different:
        cases.setdefault("; ".join(dict.fromkeys(finding.reasons)), []).append(finding.case)
    return {", ".join(steps): why for why, steps in cases.items()}


if __name__ == "__main__":
    raise SystemExit(main())
