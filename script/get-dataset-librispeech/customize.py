"""List the recordings with their transcripts in one file, whatever form they came in."""

import json
import re
from pathlib import Path

from cm4bench.errors import CMBenchError

AUDIO_SUFFIXES = (".flac", ".wav")
POCKETSPHINX = Path("usr/share/pocketsphinx/test/data/librivox")
HINT = (
    "give --librispeech_path=FOLDER with LibriSpeech's .flac files and *.trans.txt, or with MLPerf's .json manifest; "
    "or use _embedded instead of _full"
)


def preprocess(i):
    env = i["env"]
    env["CM_DATASET_LIBRISPEECH_REQUIRE_CLEAN"] = env["CM_DATASET_LIBRISPEECH_REQUIRE_OTHER"] = "no"
    if env["CM_DATASET_TIER"] != "full":
        return {"return": 0}
    if given := _given(env):
        if not given.is_dir():
            raise CMBenchError(f"no LibriSpeech at {given}: there is no such folder", hint=HINT)
        utterances_in(given)
    else:
        for part in env["CM_DATASET_LIBRISPEECH_PARTS"].split():
            env[f"CM_DATASET_LIBRISPEECH_REQUIRE_{part.upper()}"] = "yes"
    return {"return": 0}


def postprocess(i):
    env = i["env"]
    folder = _folder(env)
    found = pocketsphinx_in(folder) if env["CM_DATASET_TIER"] == "embedded" else utterances_in(folder)
    path = Path.cwd() / "utterances.json"
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for part in ("CLEAN", "OTHER"):
        if archive := env.get(f"CM_DATASET_LIBRISPEECH_{part}_ARCHIVE"):
            Path(archive).unlink(missing_ok=True)  # it is unpacked now
    env["CM_DATASET_PATH"] = env["CM_DATASET_LIBRISPEECH_PATH"] = str(folder)
    env["CM_DATASET_LIBRISPEECH_UTTERANCES"] = str(path)
    env["CM_DATASET_SIZE"] = str(len(found))
    return {"return": 0}


def utterances_in(folder):
    """[{audio, transcript, chapter}, …] of a LibriSpeech tree or of MLPerf's manifest; an error when there is neither.

    A tree is read in the order of its names. A manifest has its own order, and its recordings are taken as they are.
    """
    trees = sorted(folder.rglob("*.trans.txt"))
    if trees:
        found = [utterance for tree in trees for utterance in _of_chapter(tree, folder)]
    else:
        manifests = sorted(path for path in folder.glob("*.json") if path.is_file())
        if len(manifests) > 1:
            names = ", ".join(path.name for path in manifests[:4])
            raise CMBenchError(
                f"{folder} holds {len(manifests)} .json files ({names}): which is the manifest?", hint=HINT
            )
        found = of_manifest(manifests[0], folder) if manifests else []
    if not found:
        raise CMBenchError(f"{folder} holds no recordings: neither *.trans.txt nor a .json manifest", hint=HINT)
    return found


def _of_chapter(listing, folder):
    for line in listing.read_text(encoding="utf-8").splitlines():
        name, _, text = line.partition(" ")
        audio = next((path for s in AUDIO_SUFFIXES if (path := listing.parent / f"{name}{s}").is_file()), None)
        if audio is None:
            raise CMBenchError(f"{listing} names {name}, but {listing.parent} has no {name}.flac", hint=HINT)
        chapter = "-".join(name.split("-")[:2])
        yield {"audio": str(audio.relative_to(folder)), "transcript": text.strip().lower(), "chapter": chapter}


def of_manifest(path, folder):
    """The recordings of one of MLPerf's manifests (dev-clean-wav.json, dev-all-repack.json)."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        listed = [(_normal_speed(entry), entry["transcript"]) for entry in entries]
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise CMBenchError(f"{path} is not a manifest of MLPerf: {error!r}"[:300], hint=HINT) from None
    found = [{"audio": _beside(name, path, folder), "transcript": text, "chapter": ""} for name, text in listed]
    missing = [utterance["audio"] for utterance in found if not (folder / utterance["audio"]).is_file()]
    if missing:
        cause = (
            f"{len(missing)} of {len(found)} recordings of {path.name} are not in {folder}; the first is {missing[0]}"
        )
        raise CMBenchError(cause, hint=HINT)
    return found


def _normal_speed(entry):
    return next(file["fname"] for file in entry["files"] if file["speed"] == 1)


def _beside(name, manifest, folder):
    """Manifests written on another machine name absolute paths: their last two parts are looked for here."""
    if not Path(name).is_absolute():
        return name
    return next((s for s in ("/".join(Path(name).parts[-2:]), Path(name).name) if (folder / s).is_file()), name)


def pocketsphinx_in(folder):
    """The sentences of PocketSphinx's test data: lines of `<s> words </s> (name)`."""
    lines = (folder / "transcription").read_text(encoding="utf-8").splitlines()
    matches = [re.fullmatch(r"<s>\s*(.*?)\s*</s>\s*\((.+)\)", line.strip()) for line in lines if line.strip()]
    if not matches or None in matches:
        raise CMBenchError(f"{folder}/transcription is not of the known form", hint="fetch it again: --new")
    return [{"audio": f"{m[2]}.wav", "transcript": m[1], "chapter": "sense-and-sensibility"} for m in matches]


def _given(env):
    given = str(env.get("CM_DATASET_LIBRISPEECH_GIVEN_PATH") or "").strip()
    return Path(given).expanduser().absolute() if given else None


def _folder(env):
    if env["CM_DATASET_TIER"] == "embedded":
        return Path(env["CM_DEBIAN_ARTIFACT_PATH"]) / POCKETSPHINX
    if env["CM_DATASET_TIER"] == "synthetic":
        return Path.cwd() / "synthetic"
    return _given(env) or Path.cwd()
