"""Shell completion for `cm` and `cmr`, made from the catalogue: tags, variations, options.

The words lie in a table beside the index; at a press of TAB the shell reads it with awk, and no Python starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..catalog import Catalog
from ..errors import CMBenchError
from ..manifest import Script

__all__ = ["SHELLS", "shell_code", "write_table"]

SHELLS = ("bash", "zsh")
_PLAIN = re.compile(r"[\w.+:@%/-]+")
_ACTIONS = "completion diff doctor explain find lint plan run show"
_COMMON = (
    *("--accept=", "--adr.", "--debug", "--env.", "--explain=", "--help", "--jobs=", "--json", "--lock=", "--new"),
    *("--plan", "--plan=json", "--plan=mermaid", "--plan=tree", "--quiet", "--replay=", "--replay_anyway", "--verbose"),
    *("--version=", "--version_max=", "--version_min="),
)


def write_table(catalog: Catalog, folder: Path) -> Path:
    """One line per script: its tags, its variations, its options, each list joined by blanks, parted by tabs.

    Raises:
        CMBenchError: the folder cannot be written.
    """
    path = folder / "completion.tsv"
    lines = [f"\t\t{' '.join(_COMMON)}", *(_line(script) for script in catalog)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise CMBenchError(
            f"{path} cannot be written: {error.strerror}", hint="CM_REPOS names a folder you own"
        ) from None
    return path


def _line(script: Script) -> str:
    variations = [f"_{name[:-1] if name.endswith('.#') else name}" for name in script.variations if "," not in name]
    return "\t".join(" ".join(_safe(words)) for words in (script.tags, variations, list(_options(script))))


def _options(script: Script) -> Iterator[str]:
    for item in script.inputs:
        yield f"--{item.name}="
        yield from (f"--{item.name}={choice}" for choice in item.choices)


def _safe(words: tuple[str, ...] | list[str]) -> list[str]:
    """Words that a shell may see: manifests are data, and nothing in them may become a command."""
    return [word for word in words if _PLAIN.fullmatch(word.replace("=", ""))]


def shell_code(shell: str, table: Path) -> str:
    """What `eval` in the shell's start-up file needs.

    Raises:
        CMBenchError: a shell we do not know.
    """
    if shell not in SHELLS:
        raise CMBenchError(f"--shell={shell}: no such shell here", hint="--shell=bash or --shell=zsh")
    quoted = "'" + str(table).replace("'", "'\\''") + "'"
    code = _CORE.replace("@TABLE@", quoted).replace("@ACTIONS@", _ACTIONS)
    return code + (_BASH if shell == "bash" else _ZSH)


# words already typed + the beginning of the next → whole next words, one a line
_CORE = r"""
_cm4bench_words() {
    awk -F '\t' -v typed="$1" -v start="$2" '
    function offer(list,   words, n, k) {
        n = split(list, words, " ")
        for (k = 1; k <= n; k++)
            if (index(words[k], start) == 1 && !(words[k] in given) && !(words[k] in told)) {
                told[words[k]]
                print words[k]
            }
    }
    BEGIN {
        count = split(typed, parts, /[ ,]+/)
        for (k = 1; k <= count; k++) {
            if (parts[k] == "" || parts[k] ~ /^-/) continue
            given[parts[k]]
            if (parts[k] !~ /^_/) wanted[parts[k]]
        }
    }
    {
        split($1, tags, " "); delete has
        for (k in tags) has[tags[k]]
        for (tag in wanted) if (!(tag in has) && NR > 1) next
        if (start ~ /^-/) offer($3)
        else if (start ~ /^_/) offer($2)
        else { offer($1); if (start == "") offer($2) }
    }' @TABLE@ 2>/dev/null
}
_cm4bench_actions='@ACTIONS@'
""".lstrip()

_BASH = r"""
_cm4bench() {
    local line="${COMP_LINE:0:COMP_POINT}" command="${COMP_WORDS[0]##*/}" current start typed word
    local rest="${line#*[[:space:]]}"
    if [ "$command" = cm ]; then
        if [ "$COMP_CWORD" -eq 1 ]; then
            COMPREPLY=($(compgen -W "$_cm4bench_actions" -- "${COMP_WORDS[1]}")); return
        elif [ "$COMP_CWORD" -eq 2 ]; then
            COMPREPLY=($(compgen -W "script cache" -- "${COMP_WORDS[2]}")); return
        fi
        rest="${rest#*[[:space:]]}"; rest="${rest#*[[:space:]]}"
    fi
    rest="${rest//[\"\']/ }"
    start="${rest##*[ ,]}"
    typed="${rest%"$start"}"
    # readline replaces the word it knows, which may begin before (a,b) or after (--x=) what is to be completed
    current="$2"
    local prefix="${current%"$start"}" cut=""
    [ "$prefix" = "$current" ] && [ -n "$start" ] && cut="${start%"$current"}" && prefix=""
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$prefix${word#"$cut"}")
    done < <(_cm4bench_words "$typed" "$start")
    compopt -o nospace 2>/dev/null
}
complete -o default -F _cm4bench cm cmr ./cm ./cmr
"""

_ZSH = r"""
_cm4bench() {
    local rest start typed prefix
    local -a found
    if [[ ${words[1]:t} == cm ]]; then
        if (( CURRENT == 2 )); then compadd -- ${=_cm4bench_actions}; return; fi
        if (( CURRENT == 3 )); then compadd -- script cache; return; fi
        rest="${(j: :)words[4,CURRENT-1]} $PREFIX"
    else
        rest="${(j: :)words[2,CURRENT-1]} $PREFIX"
    fi
    rest="${rest//[\"\']/ }"
    start="${rest##*[ ,]}"
    typed="${rest%$start}"
    prefix="${PREFIX%$start}"
    found=("${(@f)$(_cm4bench_words "$typed" "$start")}")
    [[ -n ${found[1]} ]] || { _default; return }
    compadd -Q -S '' -p "$prefix" -- $found
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u }
compdef _cm4bench cm cmr
"""
