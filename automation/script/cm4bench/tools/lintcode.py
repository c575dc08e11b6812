"""Rules about a script's code: it compiles, it does something."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .lintunit import Finding, Unit

__all__ = ["RULES"]

_HOOKS = ("preprocess", "postprocess", "detect_version", "predeps")


def python(unit: Unit) -> Iterator[Finding]:
    """customize.py: does it compile, and does any hook do anything?"""
    path = unit.folder / "customize.py"
    if not path.is_file():
        return
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        yield Finding(
            "error", "syntax", path, line, f"does not compile: {error.args[0]}", f"python3 -m py_compile {path}"
        )
        return
    hooks = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in _HOOKS]
    if not hooks:
        names = ", ".join(_HOOKS)
        yield Finding(
            "warning", "no-hook", path, 1, "defines no hook: it is never called", f"define one of {names}, or remove it"
        )
    elif all(_does_nothing(node.body) for node in hooks):
        names = " and ".join(node.name for node in hooks)
        yield Finding(
            "advice",
            "dead-code",
            path,
            hooks[0].lineno,
            f"{names} do{'es' * (len(hooks) == 1)} nothing",
            "remove customize.py",
        )


def _does_nothing(body: list[ast.stmt]) -> bool:
    return all(_is_idle(statement) for statement in body)


def _is_idle(statement: ast.stmt) -> bool:
    """Does the statement leave no trace once the function has returned success?"""
    if isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    ):
        return True
    if isinstance(statement, ast.Return):
        return statement.value is None or ast.unparse(statement.value).replace('"', "'") == "{'return': 0}"
    if isinstance(statement, ast.If):
        return _only_looks(statement.test) and _does_nothing([*statement.body, *statement.orelse])
    if isinstance(statement, ast.Assign):
        return all(isinstance(target, ast.Name) for target in statement.targets) and _only_looks(statement.value)
    return isinstance(statement, (ast.Import, ast.ImportFrom))


def _only_looks(value: ast.expr) -> bool:
    """Calls may do anything, but for those that everybody uses to look into a dictionary or join a path."""
    calls = [node.func for node in ast.walk(value) if isinstance(node, ast.Call)]
    return all(
        isinstance(call, ast.Attribute) and call.attr in ("get", "join", "lower", "strip", "startswith")
        for call in calls
    )


def shell(unit: Unit) -> Iterator[Finding]:
    """Native scripts: does bash read them?"""
    bash = shutil.which("bash")
    for path in sorted(unit.folder.glob("*.sh")) if bash else ():
        done = subprocess.run(
            [str(bash), "-n", str(path)], capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode:
            line, text = _first_complaint(path, done.stderr)
            yield Finding("error", "syntax", path, line, f"bash cannot read it: {text}", f"bash -n {path}")


def _first_complaint(path: Path, errors: str) -> tuple[int, str]:
    """`run.sh: line 3: syntax error …` → 3 and the rest."""
    first = next((line for line in errors.splitlines() if ": line " in line), errors.strip())
    number, _, text = first.rpartition(": line ")[2].partition(":")
    return (int(number), text.strip()) if number.strip().isdigit() else (1, first or str(path))


RULES = (python, shell)
