"""`--help` of one script."""

from pathlib import Path

from cm4bench.helptext import help_lines
from cm4bench.manifest import Repo, Script

MANIFEST = {
    "alias": "get-x",
    "name": "Gets x",
    "tags": ["get", "x"],
    "inputs": {
        "device": {"env": "CM_D", "type": "choice", "choices": ["cpu", "cuda"], "default": "cpu", "help": "where"},
        "count": {"env": "CM_N", "type": "int"},
    },
    "input_mapping": {"path": "CM_P"},
    "variations": {"a": {"group": "g", "default": True}, "b": {"group": "g"}, "free": None, "a,free": {}, "v.#": {}},
    "outputs": {"CM_X": {"type": "file", "help": "the x"}},
}
TEXT = """\
get-x: Gets x
  cmr "get x"

options:
  --device=cpu|cuda (default cpu)  where
  --count=INT
  --path=STR

variations:
  g: _a* _b
  _free _v.#
  (* default of its group)

outputs:
  CM_X (file)  the x"""


def text(**manifest) -> str:
    return "\n".join(help_lines(Script(Path("/r/script/s"), Repo("r", Path("/r")), manifest)))


def test_everything():
    assert text(**MANIFEST) == TEXT


def test_next_to_nothing():
    assert text(tags=["a"]) == 's: a script\n  cmr "a"'
