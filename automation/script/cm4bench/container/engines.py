"""Docker, Podman and Apptainer behind one small interface: is it usable, build an image, run a request in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import CMBenchError
from .context import DEFINITION, DOCKERFILE

__all__ = ["ENGINES", "Apptainer", "ContainerEngine", "Docker", "Launch", "Mount", "Podman", "find_engine"]

_INSTALL = {
    "docker": "sudo apt install docker.io, then: sudo systemctl start docker, and be in its group",
    "podman": "sudo apt install podman",
    "apptainer": "the package of https://apptainer.org/docs/admin/main/installation.html (running needs no root)",
}


@dataclass(frozen=True)
class Mount:
    """A folder or file of the host, at the same path inside."""

    path: Path
    writable: bool = False


@dataclass(frozen=True)
class Launch:
    """One run in an image: arguments for `cmr`, what it sees of the host, `env` values (secrets never)."""

    image: str
    arguments: tuple[str, ...]
    mounts: tuple[Mount, ...]
    workdir: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cuda: bool = False
    flags: tuple[str, ...] = ()


class ContainerEngine(ABC):
    """One engine. `place` is where images that are files are kept; others keep theirs themselves."""

    name = ""

    def __init__(self, program: str, place: Path) -> None:
        self.program = program
        self.place = place

    @abstractmethod
    def probe(self) -> list[str]:
        """A command that succeeds only where containers can be run."""

    @abstractmethod
    def image(self, alias: str, digest: str) -> str:
        """The name of the image made from a build folder with that digest."""

    @abstractmethod
    def has_image(self, image: str) -> bool:
        """Was it built before?"""

    @abstractmethod
    def build_command(self, folder: Path, image: str) -> list[str]:
        """Builds the image from the folder, to be run in the folder."""

    @abstractmethod
    def run_command(self, launch: Launch) -> list[str]:
        """Runs the request."""


class Docker(ContainerEngine):
    """Docker; Podman takes the same commands."""

    name = "docker"
    gpu_flags: tuple[str, ...] = ("--gpus=all",)

    def probe(self) -> list[str]:
        return [self.program, "version", "--format", "{{.Server.Version}}"]

    def image(self, alias: str, digest: str) -> str:
        return f"localhost/cm4bench/{alias.lower()}:{digest[:16]}"

    def has_image(self, image: str) -> bool:
        return subprocess.run([self.program, "image", "inspect", image], capture_output=True).returncode == 0

    def build_command(self, folder: Path, image: str) -> list[str]:
        return [self.program, "build", "--tag", image, "--file", DOCKERFILE, "."]

    def run_command(self, launch: Launch) -> list[str]:
        command = [self.program, "run", "--rm", *self.user_flags(), "--workdir", str(launch.workdir)]
        command += [f"--env={name}={value}" for name, value in sorted(launch.env.items())]
        for mount in launch.mounts:
            path = _plain(mount.path, ',"')
            command += ["--mount", f"type=bind,source={path},target={path}" + ("" if mount.writable else ",readonly")]
        command += self.gpu_flags if launch.cuda else ()
        return [*command, *launch.flags, launch.image, *launch.arguments]

    def user_flags(self) -> list[str]:
        """What is written to the host's folders belongs to the caller."""
        return ["--user", f"{os.getuid()}:{os.getgid()}"]


class Podman(Docker):
    """Podman, with root or without."""

    name = "podman"
    gpu_flags = ("--device=nvidia.com/gpu=all",)

    def probe(self) -> list[str]:
        return [self.program, "info", "--format", "{{.Version.Version}}"]

    def user_flags(self) -> list[str]:
        return [*super().user_flags(), *(["--userns=keep-id"] if os.getuid() else [])]


class Apptainer(ContainerEngine):
    """Apptainer, whose images are files."""

    name = "apptainer"

    def probe(self) -> list[str]:
        return [self.program, "--version"]

    def image(self, alias: str, digest: str) -> str:
        return str(self.place / f"{alias}-{digest[:16]}.sif")

    def has_image(self, image: str) -> bool:
        return Path(image).is_file()

    def build_command(self, folder: Path, image: str) -> list[str]:
        self.place.mkdir(parents=True, exist_ok=True)
        return [self.program, "build", *([] if os.getuid() == 0 else ["--fakeroot"]), image, DEFINITION]

    def run_command(self, launch: Launch) -> list[str]:
        # of the host nothing but what is asked for; --writable-tmpfs: the launcher's lock lies in the image
        command = [self.program, "run", "--contain", "--cleanenv", "--writable-tmpfs", "--pwd", str(launch.workdir)]
        command += [f"--env={name}={value}" for name, value in sorted(launch.env.items())]
        for mount in launch.mounts:
            path = _plain(mount.path, ",:")
            command += ["--bind", f"{path}:{path}:{'rw' if mount.writable else 'ro'}"]
        command += ["--nv"] if launch.cuda else []
        return [*command, *launch.flags, launch.image, *launch.arguments]


ENGINES: Mapping[str, type[ContainerEngine]] = {kind.name: kind for kind in (Docker, Podman, Apptainer)}


def _plain(path: Path, forbidden: str) -> str:
    text = str(path)
    if any(character in text for character in forbidden):
        raise CMBenchError(f"container engines cannot mount a path with one of {forbidden}: {text}", hint="rename it")
    return text


def find_engine(name: str, place: Path, which: Callable[[str], str | None] = shutil.which) -> ContainerEngine:
    """The engine of that name, tried out. Never another one instead, and never the bare host.

    Raises:
        CMBenchError: unknown, not installed, or installed but unable to run containers; says what was found.
    """
    if name not in ENGINES:
        raise CMBenchError(f"--container={name}: no such engine", hint=f"one of {', '.join(ENGINES)}")
    program = which(name)
    if not program:
        others = [other for other in ENGINES if which(other)]
        found = f"found on PATH: {', '.join(others)}" if others else "no other container engine is on PATH either"
        raise CMBenchError(f"{name} is not installed; {found}", hint=_instead(name, others))
    engine = ENGINES[name](program, place)
    problem = _problem(engine.probe())
    if problem:
        raise CMBenchError(f"{program} cannot run containers here: {problem}", hint=_INSTALL[name])
    return engine


def _instead(name: str, others: Sequence[str]) -> str:
    return " or ".join([_INSTALL[name], *(f"--container={other}" for other in others)])


def _problem(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return "" if done.returncode == 0 else (lines[-1].strip() if lines else f"exit code {done.returncode}")
