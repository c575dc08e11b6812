"""Compatibility, measured: the same upstream scripts through the original CM engine and through this one.

    python benchmarks/compare_with_cm.py --cm4mlops FOLDER [--only WORD …] [--oracle FILE] [--table FILE]

FOLDER is a checkout of mlcommons/cm4mlops. Each engine gets its own CM home and its own virtual environment (scripts
install Python packages), both made in a temporary folder; package managers are replaced by commands that do nothing.
Every case of compare_with_cm.yaml is run twice in a fresh folder, so that the second run finds the first one's cache.
Compared are the class of the exit code, `new_env`, `new_state` and `deps`; paths, identifiers and times are made
equal first. `--oracle` keeps CM's answers: a later run with the same file only runs this engine.
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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[1]
CASES = Path(__file__).with_suffix(".yaml")
COMPARED = ("new_env", "new_state", "deps")
SHIMS = ("sudo", "apt", "apt-get", "yum", "dnf", "docker", "brew")
TIMEOUT_S = 300


class Case(NamedTuple):
    """One request, and why its answers may differ on purpose (by key; `*` for all of it)."""

    script: str
    argv: tuple[str, ...]
    setup: str = ""
    differs: str = ""


class Answer(NamedTuple):
    """What a command gave: ok or failed, and the compared parts with paths and identifiers made equal."""

    ok: bool
    parts: dict[str, Any]
    error: str = ""


class Bench(NamedTuple):
    """One engine under test: a CM home, a virtual environment, and the folder in which commands run."""

    name: str
    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "CM"

    def prepare(self, repos: Sequence[Path]) -> None:
        """Make environment and home, register the repositories in order."""
        self.folder.mkdir(parents=True)
        subprocess.run([sys.executable, "-m", "venv", str(self.folder / "venv")], check=True)
        wanted = ["cmind==4.2.0", "-r", str(ROOT / "requirements.txt")]
        subprocess.run(
            [str(self.folder / "venv/bin/pip"), "install", "-q", *wanted], check=True, stderr=subprocess.DEVNULL
        )
        shims = self.folder / "shims"
        shims.mkdir()
        for name in SHIMS:
            (shims / name).write_text("#!/bin/sh\nexit 0\n")
            (shims / name).chmod(0o755)
        for repo in repos:
            self.command(["cm", "add", "repo", f"--path={repo}"], self.folder).check_returncode()

    def command(self, argv: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a command as a user of this engine would, without anything of the caller's Python."""
        path = f"{self.folder}/shims:{self.folder}/venv/bin:/usr/local/bin:/usr/bin:/bin"
        env = {"PATH": path, "HOME": str(self.folder), "CM_REPOS": str(self.home), "LANG": "C.UTF-8"}
        env |= {k: v for k, v in os.environ.items() if k.lower().startswith(("pip_", "ssl_", "http", "no_proxy"))}
        try:
            return subprocess.run(
                argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(argv, 124, "", f"still running after {TIMEOUT_S} s")

    def run(self, case: Case) -> list[Answer]:
        """A case, twice in one fresh folder."""
        work = self.folder / "work" / case.script
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        if case.setup:
            self.command(["bash", "-c", case.setup], work).check_returncode()
        return [self._once(case, work) for _ in range(2)]

    def _once(self, case: Case, work: Path) -> Answer:
        out = work / "answer.json"
        out.unlink(missing_ok=True)
        argv = [arg.replace("@WORK@", str(work)) for arg in case.argv]
        done = self.command(["cmr", *argv, "--quiet", f"--save_to_json={out}"], work)
        try:
            raw = json.loads(out.read_text())
        except (OSError, ValueError):
            raw = {"error": (done.stderr or done.stdout).strip()[-600:]}
        parts = {key: self._plain(raw.get(key) or None) for key in COMPARED}
        return Answer(done.returncode == 0, parts, str(raw.get("error") or "").strip()[:600])

    def _plain(self, value: Any) -> Any:
        text = json.dumps(value, sort_keys=True, default=str).replace(str(self.folder), "@")
        text = re.sub(r"cache/[0-9a-f]{16}", "cache/ID", text)
        text = re.sub(r"\b[0-9a-f]{32}\b", "ID", text)
        text = re.sub(r"\d{4}-\d\d-\d\d[ T_]\d\d[:.]\d\d[:.]\d\d(\.\d+)?|\b20\d{6}[-_T]?\d{6}\b", "TIME", text)
        return json.loads(text)


def differences(theirs: Answer, ours: Answer) -> Iterator[str]:
    """In words: what this engine answered differently."""
    if theirs.ok != ours.ok:
        yield f"CM {'succeeds' if theirs.ok else 'fails'}, we do not: {(theirs.error if ours.ok else ours.error)[:300]}"
        return
    for part in COMPARED if theirs.ok else ():
        a, b = theirs.parts.get(part), ours.parts.get(part)
        if part == "deps":
            a, b = ([str(tags).strip(",") for tags in deps or ()] for deps in (a, b))
        if part == "deps" or not (isinstance(a, dict) and isinstance(b, dict)):
            if a != b:
                yield f"{part}: {a} / {b}"
            continue
        for key in sorted({*a, *b}):
            if a.get(key) != b.get(key):
                yield f"{part} {key}: {a.get(key)!r} / {b.get(key)!r}"


def load_cases(path: Path, only: Sequence[str]) -> list[Case]:
    """The cases of the YAML file, one or several per script."""
    cases = []
    for name, spec in yaml.safe_load(path.read_text()).items():
        run = spec.get("run") or [f"--tags={spec['tags']}"]
        case = Case(name, tuple(str(a) for a in run), spec.get("setup", ""), spec.get("differs", ""))
        if not only or any(word in name for word in only):
            cases.append(case)
    return cases


def compare(case: Case, theirs: list[Answer], ours: list[Answer]) -> tuple[str, list[str]]:
    """The verdict of a case and its differences, first run and cached run."""
    found = [
        f"{when}: {d}" for when, a, b in zip(("first", "again"), theirs, ours, strict=True) for d in differences(a, b)
    ]
    if not found:
        return ("same" if theirs[0].ok else "same (both refuse)"), []
    return (f"differs on purpose: {case.differs}" if case.differs else "DIFFERS"), found


def our_repo(folder: Path) -> Path:
    """This repository's automations without its scripts, so that both engines find the same scripts."""
    repo = folder / "engine-only"
    repo.mkdir()
    shutil.copy(ROOT / "cmr.yaml", repo)
    shutil.copytree(ROOT / "automation", repo / "automation", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return repo


def main() -> int:
    """0 if every difference is explained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cm4mlops", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--oracle", type=Path)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--cases", type=Path, default=CASES)
    options = parser.parse_args()
    cases = load_cases(options.cases, options.only)
    known: dict[str, Any] = json.loads(options.oracle.read_text()) if options.oracle and options.oracle.exists() else {}
    rows: list[tuple[Case, str]] = []
    with tempfile.TemporaryDirectory(prefix="compare-") as temporary:
        folder = Path(temporary)
        cm, ours = Bench("cm", folder / "cm"), Bench("ours", folder / "our")
        if any(case.script not in known for case in cases):
            cm.prepare([_private(options.cm4mlops, folder / "cm-scripts")])
        ours.prepare([our_repo(folder), _private(options.cm4mlops, folder / "our-scripts")])
        for case in cases:
            if case.script not in known:
                known[case.script] = cm.run(case)
                if options.oracle:
                    options.oracle.write_text(json.dumps(known, indent=1))
            theirs = [Answer(*answer) for answer in known[case.script]]
            verdict, found = compare(case, theirs, ours.run(case))
            rows.append((case, verdict))
            print(f"{case.script}: {verdict}", *found, sep="\n    ", flush=True)
    same = sum(verdict.startswith("same") for _, verdict in rows)
    print(f"\n{len(rows)} scripts, {same} the same, {sum(v == 'DIFFERS' for _, v in rows)} to explain")
    if options.table:
        lines = [f"| {c.script} | `{' '.join(c.argv)}` | {v} |" for c, v in rows]
        options.table.write_text("\n".join(["| script | request | beside CM |", "|---|---|---|", *lines]) + "\n")
    return 1 if any(verdict == "DIFFERS" for _, verdict in rows) else 0


def _private(checkout: Path, target: Path) -> Path:
    """A copy of a checkout: some scripts write into their own repository."""
    shutil.copytree(checkout, target, ignore=shutil.ignore_patterns(".git"))
    return target


if __name__ == "__main__":
    raise SystemExit(main())
