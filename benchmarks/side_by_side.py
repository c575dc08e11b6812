"""What the comparisons with other engines share: cases, the folders in which they run, verdicts and tables.

Each engine gets its own home and its own virtual environment (scripts install Python packages), both made in a
temporary folder; package managers are replaced by commands that do nothing. Every case is run twice in a fresh folder,
so that the second run finds the first one's cache. Compared are the class of the exit code, `new_env`, `new_state` and
`deps`; paths, identifiers and times are made equal first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

__all__ = ["Answer", "Bench", "Case", "Comparison", "arguments", "compare_all", "engine_only", "load_cases", "private"]

ROOT = Path(__file__).resolve().parents[1]
COMPARED = ("new_env", "new_state", "deps")
SHIMS = ("sudo", "apt", "apt-get", "yum", "dnf", "docker", "brew")
TIMEOUT_S = 300


class Case(NamedTuple):
    """One request, and why its answers may differ on purpose.

    `tools` are commands that print a text, found in the case's own folder `bin` before all others.
    """

    script: str
    argv: tuple[str, ...]
    setup: str = ""
    tools: tuple[tuple[str, str], ...] = ()
    differs: str = ""

    @property
    def fingerprint(self) -> str:
        """Changes with what is asked; a recorded answer to another question is no answer."""
        return hashlib.sha256(repr((self.argv, self.setup, self.tools)).encode()).hexdigest()[:16]


class Answer(NamedTuple):
    """What a command gave: ok or failed, and the compared parts with paths and identifiers made equal."""

    ok: bool
    parts: dict[str, Any]
    error: str = ""


class Bench(NamedTuple):
    """One engine under test: the folder for its home, environment and work, and how a case becomes a command.

    `command` gets the case's arguments and the file for the answer; `rename` makes an answer's keys comparable.
    """

    folder: Path
    command: Callable[[Sequence[str], Path], Sequence[str]]
    rename: Callable[[Any], Any] = lambda answer: answer
    variables: Mapping[str, str] = {}
    compared: tuple[str, ...] = COMPARED

    def prepare(self, packages: Sequence[str]) -> None:
        """Make the environment with these pip arguments, and the commands that do nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(self.folder / "venv")], check=True)
        pip = [str(self.folder / "venv/bin/pip"), "install", "-q", *packages]
        subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
        for name in SHIMS:
            _make_tool(self.folder / "shims" / name, "")

    def run(self, argv: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a command as a user of this engine would, without anything of the caller's Python."""
        path = f"{cwd}/bin:{self.folder}/shims:{self.folder}/venv/bin:/usr/local/bin:/usr/bin:/bin"
        env = {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", **self.variables}
        env |= {k: v for k, v in os.environ.items() if k.lower().startswith(("pip_", "ssl_", "http", "no_proxy"))}
        try:
            return subprocess.run(
                argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(argv, 124, "", f"still running after {TIMEOUT_S} s")

    def answer(self, case: Case) -> list[Answer]:
        """A case, twice in one fresh folder."""
        work = self.folder / "work" / case.script
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        for name, text in case.tools:
            _make_tool(work / "bin" / name, text)
        if case.setup:
            self.run(["bash", "-c", case.setup], work).check_returncode()
        return [self._once(case, work) for _ in range(2)]

    def _once(self, case: Case, work: Path) -> Answer:
        out = work / "answer.json"
        out.unlink(missing_ok=True)
        argv = [arg.replace("@WORK@", str(work)) for arg in case.argv]
        done = self.run(self.command(argv, out), work)
        try:
            raw = json.loads(out.read_text())
        except (OSError, ValueError):
            raw = {"error": (done.stderr or done.stdout).strip()[-600:]}
        parts = {key: self._plain(self.rename(raw.get(key) or None)) for key in self.compared}
        return Answer(done.returncode == 0, parts, str(raw.get("error") or "").strip()[:600])

    def _plain(self, value: Any) -> Any:
        text = json.dumps(value, sort_keys=True, default=str).replace(str(self.folder), "@")
        text = re.sub(r"cache/([a-z][\w.-]*_)?[0-9a-f]{8,16}\b", "cache/ID", text)
        text = re.sub(r"\b[0-9a-f]{32}\b", "ID", text)
        text = re.sub(r"\d{4}-\d\d-\d\d[ T_]\d\d[:.]\d\d[:.]\d\d(\.\d+)?|\b20\d{6}[-_T]?\d{6}\b", "TIME", text)
        return json.loads(text)


class Comparison(NamedTuple):
    """A case, the verdict on it, and what was different."""

    case: Case
    verdict: str
    found: tuple[str, ...] = ()

    @property
    def really_ran(self) -> bool:
        return "both refuse" not in self.verdict


def differences(theirs: Answer, ours: Answer) -> Iterator[str]:
    """In words: what this engine answered differently."""
    if theirs.ok != ours.ok:
        error = theirs.error if ours.ok else ours.error
        yield f"the other {'succeeds' if theirs.ok else 'fails'}, we do not: {error[:300]}"
        return
    for part in ours.parts if theirs.ok else ():
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
    """The cases of a YAML file, one or several per script."""
    cases = []
    for name, spec in yaml.safe_load(path.read_text()).items():
        run = spec.get("run") or [f"--tags={spec['tags']}"]
        tools = tuple((str(k), str(v)) for k, v in (spec.get("tools") or {}).items())
        case = Case(name, tuple(str(a) for a in run), spec.get("setup", ""), tools, spec.get("differs", ""))
        if not only or any(word in name for word in only):
            cases.append(case)
    return cases


def judge(case: Case, theirs: list[Answer], ours: list[Answer]) -> Comparison:
    """The verdict of a case and its differences, first run and cached run."""
    pairs = zip(("first", "again"), theirs, ours, strict=True)
    found = tuple(f"{when}: {d}" for when, a, b in pairs for d in differences(a, b))
    if not found:
        return Comparison(case, "same" if theirs[0].ok else "same (both refuse)")
    return Comparison(case, f"differs on purpose: {case.differs}" if case.differs else "DIFFERS", found)


def arguments(text: str) -> argparse.ArgumentParser:
    """The options that all comparisons have."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], metavar="WORD")
    parser.add_argument("--oracle", type=Path, help="keep the other engine's answers in this file, and use them")
    parser.add_argument("--table", type=Path)
    return parser


def compare_all(cases: Sequence[Case], theirs: Callable[[], Bench], ours: Bench, options: argparse.Namespace) -> int:
    """Run all cases; `theirs` is made only if an answer is not in the oracle file. 1 if something is unexplained."""
    known = json.loads(options.oracle.read_text()) if options.oracle and options.oracle.exists() else {}
    other: Bench | None = None
    rows: list[Comparison] = []
    for case in cases:
        entry = known.get(case.script)
        if entry is None or entry["asked"] != case.fingerprint:
            other = other or theirs()
            entry = known[case.script] = {"asked": case.fingerprint, "answers": other.answer(case)}
            if options.oracle:
                options.oracle.write_text(json.dumps(known, indent=1))
        rows.append(judge(case, [Answer(*answer) for answer in entry["answers"]], ours.answer(case)))
        print(f"{case.script}: {rows[-1].verdict}", *rows[-1].found, sep="\n    ", flush=True)
    return report(rows, options.table)


def report(rows: Sequence[Comparison], table: Path | None) -> int:
    """Print the sum, write the table, and say by the exit code whether every difference is explained."""
    ran = [row for row in rows if row.really_ran]
    open_ones = sum(row.verdict == "DIFFERS" for row in rows)
    same = sum(row.verdict == "same" for row in rows)
    print(f"\n{len(rows)} requests, {len(ran)} of them run: {same} the same, {len(ran) - same - open_ones} different")
    print(f"on purpose, {open_ones} to explain; {len(rows) - len(ran)} refused by both")
    if table:
        lines = [f"| {r.case.script} | `{' '.join(r.case.argv)}` | {r.verdict} |" for r in rows]
        table.write_text("\n".join(["| script | request | verdict |", "|---|---|---|", *lines]) + "\n")
    return 1 if open_ones else 0


def engine_only(folder: Path) -> Path:
    """This repository's automations without its scripts, so that both engines find the same scripts."""
    repo = folder / "engine-only"
    repo.mkdir(parents=True)
    shutil.copy(ROOT / "cmr.yaml", repo)
    shutil.copytree(ROOT / "automation", repo / "automation", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return repo


def private(checkout: Path, target: Path) -> Path:
    """A copy of a checkout: some scripts write into their own repository."""
    shutil.copytree(checkout, target, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    return target


def _make_tool(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ncat <<'TEXT'\n{text}\nTEXT\n" if text else "#!/bin/sh\nexit 0\n")
    path.chmod(0o755)


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Where a whole comparison lives."""
    return tempfile.TemporaryDirectory(prefix="compare-")
