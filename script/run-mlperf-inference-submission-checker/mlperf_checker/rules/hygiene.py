"""Folders and names: what git, upstream's tools or people trip over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlperf_checker.context import Submission, Submitter
from mlperf_checker.folders import Folder
from mlperf_checker.layout import DIVISIONS, MAX_FILE_BYTES_PER_MB
from mlperf_checker.registry import Objection, rule

_ROOT_FOLDERS = (*DIVISIONS, ".git", ".github", "assets")
_ROOT_FILES = (".md", ".pdf")

_TROUBLES = {
    "link-broken": ("the link points to nothing", "put the file there, or remove the link"),
    "link-loop": ("the link leads back to a folder it lies in", "remove the link"),
    "link-outside": ("the link points outside the submission", "put the file itself there"),
    "not-a-file": ("this is no file (a pipe, socket or device)", "remove it"),
    "unreadable": ("this cannot be read", "chmod -R u+rX it"),
    "too-deep": ("folders are nested too deeply here", "move or remove them"),
}


@rule("no-submission", Submission)
def no_submission(submission: Submission) -> Iterable[Objection]:
    """There is a division with a submitter with results."""
    divisions = [submission.tree.folders[name] for name in DIVISIONS if name in submission.tree.folders]
    if not any(submitter.folders.get("results") for one in divisions for submitter in one.folders.values()):
        cause = "there are no results here: expected closed/, open/ or network/, in it SUBMITTER/results/"
        yield Objection(".", cause, "give the folder that holds closed/, open/ or network/")


@rule("division-name", Submission)
def division_name(submission: Submission) -> Iterable[Objection]:
    """Folders at the top are divisions."""
    for name in submission.tree.folders:
        if name not in _ROOT_FOLDERS:
            cause = "this folder is no division, what is in it is not looked at"
            yield Objection(
                name, cause, f"rename it to one of {', '.join(DIVISIONS)}, or remove it", spoils_results=False
            )


@rule("root-file", Submission)
def root_file(submission: Submission) -> Iterable[Objection]:
    """Files at the top are documents; anything else makes upstream look at nothing at all."""
    for name in submission.tree.files:
        if not name.endswith(_ROOT_FILES):
            yield Objection(name, "a file outside the divisions", "move it into a submitter's folder, or remove it")


@rule("division-file", Submission)
def division_file(submission: Submission) -> Iterable[Objection]:
    """A division holds submitters only."""
    for division in DIVISIONS:
        folder = submission.tree.folders.get(division)
        for name in folder.files if folder else ():
            cause = "a file outside the submitters' folders"
            yield Objection(f"{division}/{name}", cause, "move it into a submitter's folder", scope=(division,))


@rule("link", Submitter)
def link(submitter: Submitter) -> Iterable[Objection]:
    """Links lead to files of the submission, and everything can be read."""
    for folder in _below(submitter):
        if folder.own_trouble:
            cause, remedy = _TROUBLES[folder.own_trouble]
            yield Objection(folder.path, cause, remedy)
        for name, trouble in folder.troubles.items():
            cause, remedy = _TROUBLES[trouble]
            yield Objection(folder.name_of(name), cause, remedy)


@rule("file-size", Submitter)
def file_size(submitter: Submitter) -> Iterable[Objection]:
    """No file is larger than the round allows."""
    limit = submitter.submission.layout.max_file_bytes
    for folder in _below(submitter):
        for name, size in folder.files.items():
            if size > limit:
                megabytes, allowed = size / MAX_FILE_BYTES_PER_MB, limit // MAX_FILE_BYTES_PER_MB
                cause = f"the file has {megabytes:.1f} MB, {allowed} MB are allowed"
                yield Objection(folder.name_of(name), cause, "shorten or remove it")


@rule("name-hidden", Submitter)
def name_hidden(submitter: Submitter) -> Iterable[Objection]:
    """No name starts with a dot."""
    for path, name in _names(submitter):
        if name.startswith("."):
            yield Objection(path, "the name starts with a dot", "rename or remove it")


@rule("name-space", Submitter)
def name_space(submitter: Submitter) -> Iterable[Objection]:
    """No name holds a space."""
    for path, name in _names(submitter):
        if " " in name:
            yield Objection(path, "the name holds a space", f'mv "{name}" "{name.replace(" ", "_")}"')


@rule("name-characters", Submitter)
def name_characters(submitter: Submitter) -> Iterable[Objection]:
    """Names are printable UTF-8; git and other systems garble anything else."""
    for path, name in _names(submitter):
        if not name.isprintable() or any(0xD800 <= ord(one) < 0xE000 for one in name):
            yield Objection(path, "the name holds characters that cannot be printed", "rename it")


@rule("name-case", Submitter)
def name_case(submitter: Submitter) -> Iterable[Objection]:
    """No two names differ in upper and lower case only: some file systems keep one of them."""
    for folder in _below(submitter):
        seen: dict[str, str] = {}
        for name in (*folder.folders, *folder.files):
            other = seen.setdefault(name.lower(), name)
            if other != name:
                cause = f"it differs from {other!r} in upper and lower case only"
                yield Objection(folder.name_of(name), cause, "rename one of them", severity="warning")


@rule("pycache", Submitter)
def pycache(submitter: Submitter) -> Iterable[Objection]:
    """No compiled Python."""
    for folder in _below(submitter):
        if folder.path.endswith("__pycache__"):
            yield Objection(folder.path, "compiled Python files", f"rm -r {folder.path}")


@rule("empty-folder", Submitter)
def empty_folder(submitter: Submitter) -> Iterable[Objection]:
    """No folder is empty: git would drop it."""
    for folder in _below(submitter):
        if folder.is_empty:
            yield Objection(folder.path, "the folder is empty", f"rmdir {folder.path}, or put there what is missing")


def _below(submitter: Submitter) -> Iterator[Folder]:
    home = submitter.submission.tree.at(submitter.home)
    return home.below() if home else iter(())


def _names(submitter: Submitter) -> Iterator[tuple[str, str]]:
    """Path and name of every file and folder."""
    for folder in _below(submitter):
        for name in (*folder.folders, *folder.files, *folder.troubles):
            yield folder.name_of(name), name
