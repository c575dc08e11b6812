"""`--help` of one script, made from its manifest."""

from __future__ import annotations

from collections.abc import Iterator

from .manifest import Input, Script

__all__ = ["help_lines"]


def help_lines(script: Script) -> Iterator[str]:
    """What it is, how to call it, its options, variations and outputs."""
    yield f"{script.alias}: {script.raw.get('name') or script.raw.get('desc') or 'a script'}"
    yield f'  cmr "{" ".join(script.tags)}"'
    if script.inputs:
        yield "\noptions:"
        once = {item.name: item for item in reversed(script.inputs)}
        yield from (f"  --{item.name}={_values(item)}  {item.help}".rstrip() for item in reversed(once.values()))
    if script.variations:
        yield "\nvariations:"
        yield from _variations(script)
    if script.outputs:
        yield "\noutputs:"
        yield from (f"  {o.key} ({o.type})  {o.help}".rstrip() for o in script.outputs)


def _values(item: Input) -> str:
    shown = "|".join(item.choices) if item.choices else item.type.upper()
    return f"{shown} (default {item.default})" if item.default is not None else shown


def _variations(script: Script) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for name, body in script.variations.items():
        if "," in name:
            continue
        body = body or {}
        mark = "*" if "default" in body else ""
        groups.setdefault(str(body.get("group") or ""), []).append(f"_{name}{mark}")
    for group, names in groups.items():
        yield f"  {group + ': ' if group else ''}{' '.join(names)}"
    if any("*" in name for names in groups.values() for name in names):
        yield "  (* default of its group)"
