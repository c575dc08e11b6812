"""Make, complete or update the private environment. Called by environment.sh when its stamp does not match.

Standard library only: it runs on whatever Python was found, before anything is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# pip's own line about a download: file name of name-version-…, then the size, as in "(85 kB)".
DOWNLOAD = re.compile(r"^ *Downloading (?:\S*/)?([^-/\s]+)-([^-\s]+)\S* \(([\d.]+) ([kMG]?)B\)")
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
WORTH_A_LINE = 5_000_000  # bytes
PIP_FLAGS = ("--no-input", "--disable-pip-version-check", "--progress-bar=off")
# PyPI's torch for Linux brings 3 GB of CUDA libraries, of no use where there is no driver.
TORCH_FOR_CPUS = "https://download.pytorch.org/whl/cpu"
NVIDIA_DRIVER = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidiactl"))


class SetupError(Exception):
    """A set-up step failed; `cause` is for the first lines, `hint` is what to type next."""

    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.cause, self.hint = cause, hint


@dataclass(frozen=True)
class Setup:
    """One request: which packages, where to, and what the stamp shall say when all is done."""

    root: Path
    home: Path
    profile: str
    recipe: str
    cm_home: Path | None
    insist_on_python: bool

    @property
    def venv(self) -> Path:
        """The environment's folder."""
        return self.home / "venv"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.venv / "bin" / "python"

    @property
    def log(self) -> Path:
        """Everything that the latest set-up's commands printed."""
        return self.home / "setup.log"

    @property
    def stamp(self) -> Path:
        """Exists only while the profile is completely installed."""
        return self.home / f"ready-{self.profile}"

    @property
    def stamp_text(self) -> str:
        """The recipe, then the repository's path spelt as in cmind's repos.json."""
        return f"{self.recipe}\n{json.dumps(str(self.root))}\n"

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to install."""
        return self.python.exists() and self.stamp.exists() and self.stamp.read_text() == self.stamp_text


def main(argv: Sequence[str]) -> int:
    """Bring the environment up to date; returns the exit code."""
    setup = parse(argv)
    try:
        with only_one(setup.home) as lock:
            if not setup.is_done:
                build(setup, lock)
            if setup.cm_home:
                register(setup, setup.cm_home)
    except SetupError as error:
        return tell_failure(error.cause, error.hint)
    except OSError as error:
        hint = "set CM4BENCH_HOME to a folder that you may write to and that has room"
        return tell_failure(f"{error.strerror}: {error.filename}", hint)
    except KeyboardInterrupt:
        tell_failure("interrupted.", "the same command again; finished parts are kept")
        return 130
    return 0


def parse(argv: Sequence[str]) -> Setup:
    """Read the command line that environment.sh makes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="this repository")
    parser.add_argument("--home", type=Path, required=True, help="where the environment lives")
    parser.add_argument("--profile", required=True, choices=["base", "test"])
    parser.add_argument("--recipe", required=True, help="the stamp's first line")
    parser.add_argument("--cm-home", type=Path, help="register the repository there")
    parser.add_argument("--insist-on-python", action="store_true", help="replace an environment of another Python")
    return Setup(**vars(parser.parse_args(argv)))


def tell(text: str) -> None:
    """Print to standard error, so that `./cmr … --out=json` prints JSON and nothing else."""
    print(f"cm4bench: {text}", file=sys.stderr, flush=True)


def tell_failure(cause: str, hint: str) -> int:
    """Print a failure the way all of cm4bench does; returns the exit code."""
    print(f"cm4bench: {cause}\nnext: {hint}", file=sys.stderr, flush=True)
    return 1


@contextlib.contextmanager
def only_one(home: Path) -> Iterator[int]:
    """Hold the set-up lock; yields its file descriptor, which children are to inherit.

    A launcher that is killed leaves its pip running; as that child keeps the lock, the next launcher waits for it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(f"another launcher is at work in {home}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def build(setup: Setup, lock: int) -> None:
    """Install what the profile needs, on top of what an earlier or interrupted set-up left, then stamp it."""
    started = time.monotonic()
    setup.stamp.unlink(missing_ok=True)
    setup.log.write_text("")
    if reusable(setup):
        tell(f"bringing the private environment up to date: {setup.venv}")
    else:
        tell(f"making a private environment (once): {setup.venv}, Python {sys.version.split()[0]}")
        run(setup, lock, [sys.executable, "-I", "-m", "venv", "--clear", str(setup.venv)])
    forget_half_installed(setup.venv)
    for arguments in pip_steps(setup):
        run(setup, lock, [str(setup.python), "-I", "-m", "pip", "install", *PIP_FLAGS, *arguments])
    publish(setup.stamp, setup.stamp_text)
    size = f"{size_of(setup.venv) / 1e6:.0f} MB on disk"
    tell(f"environment ready in {time.monotonic() - started:.0f} s: {downloaded(setup.log)}, {size}")


def reusable(setup: Setup) -> bool:
    """Whether the folder holds a working environment of an acceptable Python (packages may still be missing)."""
    probe = "import sys, pip; print(sys.version_info >= (3, 10), sys._base_executable)"
    try:
        found = subprocess.run([setup.python, "-I", "-c", probe], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    recent, base = found.strip().split(maxsplit=1)
    same = os.path.realpath(base) == os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    return recent == "True" and (same or not setup.insist_on_python)


def forget_half_installed(venv: Path) -> None:
    """Make pip reinstall packages whose unpacking was cut off: pip writes INSTALLER after all other files."""
    for info in venv.glob("lib/python*/site-packages/*.dist-info"):
        if not (info / "INSTALLER").exists():
            tell(f"the installation of {info.stem} was cut off; doing it again")
            shutil.rmtree(info)


def pip_steps(setup: Setup) -> list[list[str]]:
    """What to hand to `pip install`, one list after the other."""
    pins = ["-c", str(setup.root / "constraints.txt")]
    base = [*pins, "-r", str(setup.root / "requirements.txt")]
    if setup.profile == "base":
        return [base]
    everything = [*base, "-r", str(setup.root / "requirements-test.txt")]
    if any(path.exists() for path in NVIDIA_DRIVER):
        return [everything]
    # First and alone, because pip asks a further index for every package of a command.
    return [[*pins, "--extra-index-url", TORCH_FOR_CPUS, "torch"], everything]


def run(setup: Setup, lock: int, command: Sequence[str]) -> None:
    """Run one set-up command into the log, telling of large downloads as they begin.

    Raises: SetupError with the command's own last words.
    """
    # A user-wide `pip config set install.user true` would make every install in an environment fail.
    environment = {**os.environ, "PIP_USER": "0", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
        pass_fds=[lock],
    )
    assert process.stdout is not None
    with setup.log.open("a") as log:
        for line in process.stdout:
            log.write(line)
            if (download := DOWNLOAD.match(line)) and bytes_of(download) >= WORTH_A_LINE:
                tell("  downloading {} {} ({} {}B)".format(*download.groups()))
    if process.wait() != 0:
        hint = f"the same command again (finished parts are kept); whole log: {setup.log}"
        raise SetupError(cause_in(setup.log, command), hint)


def bytes_of(download: re.Match[str]) -> float:
    """The size that a DOWNLOAD line states."""
    return float(download[3]) * UNITS[download[4]]


def downloaded(log: Path) -> str:
    """How much pip fetched, in words."""
    sizes = [bytes_of(found) for line in log.read_text().splitlines() if (found := DOWNLOAD.match(line))]
    return f"{len(sizes)} packages downloaded ({sum(sizes) / 1e6:.1f} MB)" if sizes else "nothing downloaded"


def cause_in(log: Path, command: Sequence[str]) -> str:
    """The few lines of a failed set-up's log that say why."""
    text = log.read_text(errors="replace")
    errors = [line for line in text.splitlines() if line.lower().startswith(("error", "fatal"))][-4:]
    if "connection broken by" in text:
        errors.append("The package index could not be reached (see the warnings in the log): check network and proxy.")
    return "\n  ".join(["setting up failed:", *(errors or [" ".join(command)[-100:], *text.splitlines()[-4:]])])


def publish(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    staging = path.with_name(f"{path.name}.new")
    staging.write_text(text)
    staging.replace(path)


def size_of(folder: Path) -> int:
    """Bytes in all files below `folder`."""
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def register(setup: Setup, cm_home: Path) -> None:
    """Have the repository first in the CM home's list, so that its automations win over those of other repositories.

    In our own CM home, another copy of this repository (it was moved or copied) gives way; in the user's it does not.
    Raises: SetupError when another copy is in the way.
    """
    script = Path(__file__).with_name("register.py")
    command = [str(setup.python), "-I", str(script), str(setup.root), str(cm_home)]
    command += ["--replace-twins"] * cm_home.is_relative_to(setup.home)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SetupError(
            f"cannot register {setup.root} in the CM home {cm_home}:\n  {(done.stdout + done.stderr).strip()}",
            "unset CM_REPOS, to use a private CM home    (or take the other copy out of it: cm rm repo cm4bench -f)",
        )
    tell(f"registered this repository with cmind in {cm_home}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
