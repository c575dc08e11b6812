"""Native scripts: choosing the file for this host, handing over the environment, taking back what it wrote.

CM's protocol: `tmp-run.sh` exports the environment and sources the script; the script may leave `tmp-run-env.out`
(KEY=value lines) and `tmp-run-state.json`.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from .confidential import Censor, holds_secret, secrets_of
from .errors import StepFailed
from .redact import without_values

__all__ = ["NativeRun", "choose_script", "export_lines", "parse_env_out"]

# Anything but `$NAME` and `${NAME}` can run a command: `$(…)`, backquotes, and the arithmetic of `${a[…]}` and `$[…]`.
# A backslash that hides a dollar or itself is CM's way to say so and stays.
_UNSAFE = r'(?a)\\[\\$]|(\\|["`]|\$(?=[(\[])|\$(?=\{)(?!\{[A-Za-z_]\w*\}))'
_NAME = r"(?a)[A-Za-z_]\w*"
_TAIL_LINES = 12


def choose_script(names: frozenset[str], name: str, env: Mapping[str, Any]) -> str:
    """The most specific of `<name>-<flavor>-<version>-<platform>.sh` … `<name>.sh` that exists; empty if none does."""
    flavor, version, platform = (
        str(env.get(f"CM_HOST_{key}") or "") for key in ("OS_FLAVOR", "OS_VERSION", "PLATFORM_FLAVOR")
    )
    suffixes = [(flavor, version, platform), (flavor, platform), (flavor, version), (flavor,), (platform,), ()]
    for parts in suffixes:
        candidate = "-".join([name, *parts]) + ".sh"
        if all(parts) and candidate in names:
            return candidate
    return ""


def export_lines(env: Mapping[str, Any]) -> Iterator[str]:
    """`export` lines in key order. `$VAR` still expands, as CM scripts rely on it; quotes and commands do not.

    Keys that are no names of the shell are left out.
    """
    for key in sorted(env):
        value = env[key]
        if key.startswith("+"):
            name, separator = _list_key(key)
            items = [str(v) for v in (value if isinstance(value, list) else [value])]
            if re.fullmatch(_NAME, name):
                yield f'export {name}="{_quoted(separator.join([*items, ""]))}${{{name}}}"'
        elif re.fullmatch(_NAME, key):
            yield f'export {key}="{_quoted(str(value))}"'


def _list_key(key: str) -> tuple[str, str]:
    """`+PATH` is joined by the path separator; `+ CFLAGS` and `+;X` name their own."""
    rest = key[1:]
    return (rest, os.pathsep) if rest[:1].isalnum() or rest[:1] in ("_", "") else (rest[1:], rest[0])


def _quoted(text: str) -> str:
    """What stands between double quotes of the shell; it ends no quote and starts no command."""
    return re.sub(_UNSAFE, lambda found: f"\\{found[1]}" if found[1] else found[0], text.replace("\0", ""))


def parse_env_out(text: str) -> dict[str, str]:
    """`KEY=value` lines; the value is everything after the first `=`, stripped."""
    pairs = (line.partition("=") for line in text.splitlines())
    return {key.strip(): value.strip() for key, sign, value in pairs if sign and key.strip()}


class NativeRun:
    """One execution of a native script in a folder, its output kept in a log file."""

    def __init__(self, folder: Path, log: Path, *, show: bool, keep_command: bool = False) -> None:
        self.folder = folder
        self.log = log
        self.show = show
        self.keep_command = keep_command

    def __call__(self, script: Path, env: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Run the script; updates to `env` and `state` are read back with `read_back`.

        Raises:
            StepFailed: it ended with a non-zero status or by a signal; the log's last lines are attached.
        """
        secrets = secrets_of(env)
        hidden = {k: str(v) for k, v in env.items() if re.fullmatch(_NAME, k) and holds_secret(k, v, secrets)}
        self._write_inputs(
            script, {k: v for k, v in env.items() if k not in hidden}, without_values(state, set(secrets))
        )
        status = self._execute(["bash", "-c", ". ./tmp-run.sh"], hidden, Censor(secrets))
        if status:
            raise self._failure(script, status)

    def read_back(self, env: dict[str, Any], state: dict[str, Any]) -> None:
        """Merge `tmp-run-env.out` and `tmp-run-state.json`, if the script left them."""
        out = self.folder / "tmp-run-env.out"
        if out.is_file():
            env.update(parse_env_out(out.read_text(encoding="utf-8", errors="replace")))
        states = self.folder / "tmp-run-state.json"
        if states.is_file():
            from .frame import merge_values

            for key, value in json.loads(states.read_text(encoding="utf-8")).items():
                state[key] = merge_values(state.get(key), value)

    def _write_inputs(self, script: Path, env: Mapping[str, Any], state: Any) -> None:
        import shlex

        for name in ("tmp-run-env.out", "tmp-run-state.json", "tmp-ver.out"):
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / "tmp-state.json").write_text(json.dumps(dict(state), indent=1, default=str), encoding="utf-8")
        prefix: Sequence[str] = state.get("script_prefix") or ()
        lines = ["#!/bin/bash", *prefix, *export_lines(env), "", f". {shlex.quote(str(script))}"]
        for name in ("tmp-run.sh", "tmp-run-without-cm.sh") if self.keep_command else ("tmp-run.sh",):
            (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        if self.keep_command:
            print(f"to run it without cm: bash {self.folder / name}", file=sys.stderr)

    def _execute(self, command: Sequence[str], hidden: Mapping[str, str], censor: Censor) -> int:
        """Run a command; what it may know but nobody may read in a file (`hidden`) is in its environment only."""
        import subprocess

        from .ending import end_tree, told_to_stop

        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            try:
                child = subprocess.Popen(
                    command,
                    cwd=self.folder,
                    env={**os.environ, **{k: v.replace("\0", "") for k, v in hidden.items()}},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                )
            except FileNotFoundError:
                raise StepFailed(f"{command[0]} is not installed", hint="install it: native scripts need it") from None
            assert child.stdout is not None
            try:
                with told_to_stop():
                    self._pump(child.stdout, log, censor)
                    return child.wait()
            except BaseException:
                end_tree(child)
                raise

    def _pump(self, source: Any, log: BinaryIO, censor: Censor) -> None:
        while piece := source.read1(1 << 16):
            self._pass_on(censor.feed(piece), log)
        self._pass_on(censor.rest(), log)

    def _pass_on(self, piece: bytes, log: BinaryIO) -> None:
        log.write(piece)
        log.flush()
        if self.show:
            sys.stdout.buffer.write(piece)
            sys.stdout.flush()

    def _failure(self, script: Path, status: int) -> StepFailed:
        how = f"was ended by signal {-status}" if status < 0 else f"ended with exit code {status}"
        if status > 128:
            how += f" (signal {status - 128})"
        error = StepFailed(f"{script.parent.name}/{script.name} {how}", code=2)
        error.log = self.log
        tail = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        error.log_tail = [line[:300] for line in tail if line.strip()][-_TAIL_LINES:]
        return error
