# shellcheck shell=sh
# Sourced by ./cmr and ./test, with $root = this repository. POSIX sh only.
# A start with nothing to do must stay cheap: one `cksum`, no Python. Everything slow is in environment.py.

home=${CM4BENCH_HOME:-$root/.cm4bench}
case $home in /*) ;; *) home=$PWD/$home ;; esac
venv_python=$home/venv/bin/python

# PROFILE [CM_HOME]: have all packages of the profile (base or test) installed, and this repository first in that CM home.
ensure_environment() {
    recipe=$(recipe_of "$1")
    if is_ready "$1" && { [ -z "${2:-}" ] || is_first_repository "$2"; }; then return; fi
    find_python
    "$python" -I "$root/launcher/environment.py" --root "$root" --home "$home" --profile "$1" --recipe "$recipe" \
        ${2:+--cm-home "$2"} ${CM4BENCH_PYTHON:+--insist-on-python} || exit
}

# What an environment depends on, in one line: when it differs from the stamp, the environment is brought up to date.
recipe_of() {
    cd "$root" || exit
    case $1 in
        base) set -- cmr.yaml automation/*/_cm.* ;;
        *) set -- "requirements-$1.txt" ;;
    esac
    # Unquoted on purpose: joins the lines.
    # shellcheck disable=SC2046
    echo $(cksum constraints.txt requirements.txt launcher/*.py "$@") "$root" "${CM4BENCH_PYTHON:-}"
}

# The stamp's first line is the recipe, its second the repository's path as JSON spells it.
is_ready() {
    { IFS= read -r done_recipe && IFS= read -r json_root; } 2>/dev/null <"$home/ready-$1" || return 1
    [ "$done_recipe" = "$recipe" ] && [ -x "$venv_python" ]
}

# cmind lets the first repository that brings an automation win, so we look at the first entry only.
is_first_repository() {
    { read -r _ && read -r first; } 2>/dev/null <"$1/repos.json" || return 1
    [ "${first%,}" = "$json_root" ]
}

# Set $python to the first candidate that can make environments.
find_python() {
    if [ -n "${CM4BENCH_PYTHON:-}" ]; then
        set -- "$CM4BENCH_PYTHON"
    else
        set -- python3.13 python3.12 python3.11 python3.10 python3
    fi
    lacks_venv=
    for python in "$@"; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || continue
        if "$python" -c 'import ensurepip, venv' 2>/dev/null; then return; fi
        lacks_venv=${lacks_venv:-$python}
    done
    if [ -n "$lacks_venv" ]; then
        fail "$lacks_venv cannot make virtual environments: its modules venv and ensurepip are not installed." \
            "sudo apt install ${lacks_venv##*/}-venv    (Debian, Ubuntu), then the same command again"
    fi
    fail "no Python 3.10 or newer found (tried: $*)." \
        "sudo apt install python3 python3-venv    (Debian, Ubuntu), or set CM4BENCH_PYTHON to a newer Python"
}

fail() {  # CAUSE NEXT
    printf 'cm4bench: %s\nnext: %s\n' "$1" "$2" >&2
    exit 1
}
