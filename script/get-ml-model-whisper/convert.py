"""Turn a CTranslate2 Whisper model into what transformers reads: config.json, model.safetensors, tokenizer.json.

CTranslate2 keeps query, key and value of one attention in one matrix, calls a layer norm's weight gamma, and leaves out
what it can tie. The numbers themselves are not changed: float16 stays float16.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
else:
    Array = Any

VERSION, SPECIFICATION = 6, "WhisperSpec"
_DTYPES = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}
END_OF_TEXT, START_OF_TRANSCRIPT = "<|endoftext|>", "<|startoftranscript|>"


def main() -> int:
    """Command line entry; 1 with one line on stderr when the files are not what is expected."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", type=Path, nargs="+", required=True, help="pieces of model.bin, in order")
    parser.add_argument("--sha256", default="", help="of the joined model.bin")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        convert(options.parts, options.tokenizer, options.out, options.sha256)
    except (OSError, ValueError) as error:
        print(f"cannot convert the Whisper model: {error}", file=sys.stderr)
        return 1
    return 0


def convert(parts: list[Path], tokenizer: Path, out: Path, sha256: str = "") -> None:
    """Write the folder `out`, which appears only when it is complete.

    Raises ValueError or OSError when a part is missing, cut off, or of another kind.
    """
    from safetensors.numpy import save_file

    data = b"".join(part.read_bytes() for part in parts)
    if sha256 and (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise ValueError(f"the joined parts have sha256 {found[:16]}…, expected {sha256[:16]}…")
    variables = read_variables(data)
    shape = WhisperShape.of(variables)
    staging = out.with_name(f".{out.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    save_file(dict(renamed(variables, shape)), staging / "model.safetensors", metadata={"format": "pt"})
    (staging / "config.json").write_text(json.dumps(configuration(shape, tokenizer), indent=1) + "\n")
    shutil.copyfile(tokenizer, staging / "tokenizer.json")
    shutil.rmtree(out, ignore_errors=True)
    staging.replace(out)


@dataclass(frozen=True)
class WhisperShape:
    """Sizes of a Whisper network, read off its weights."""

    mel_bins: int
    width: int
    feed_forward: int
    encoder_layers: int
    decoder_layers: int
    heads: int
    vocabulary: int
    source_positions: int
    target_positions: int

    @classmethod
    def of(cls, variables: dict[str, Array]) -> WhisperShape:
        """Read the sizes; raises ValueError when an expected weight is not there."""
        try:
            width, mel_bins, _ = variables["encoder/conv1/weight"].shape
            return cls(
                mel_bins=mel_bins,
                width=width,
                feed_forward=variables["encoder/layer_0/ffn/linear_0/weight"].shape[0],
                encoder_layers=_layers(variables, "encoder"),
                decoder_layers=_layers(variables, "decoder"),
                heads=int(variables["decoder/num_heads"]),
                vocabulary=variables["decoder/embeddings/weight"].shape[0],
                source_positions=variables["encoder/position_encodings/encodings"].shape[0],
                target_positions=variables["decoder/position_encodings/encodings"].shape[0],
            )
        except KeyError as error:
            raise _lacking(error) from None


def _lacking(error: KeyError) -> ValueError:
    return ValueError(f"model.bin lacks the weight {error}: not a whole Whisper model")


def _layers(variables: dict[str, Array], side: str) -> int:
    return len({found[1] for name in variables if (found := re.match(rf"{side}/layer_(\d+)/", name))})


def read_variables(data: bytes) -> dict[str, Array]:
    """The named arrays of a CTranslate2 model.bin; raises ValueError when it is cut off or of another kind."""
    try:
        return _Reader(data).variables()
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"model.bin is cut off or damaged ({error})") from None


class _Reader:
    """Sequential reader of the little-endian format; strings are length-prefixed and end with a zero byte."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def variables(self) -> dict[str, Array]:
        version, specification = self._number("I"), self._text()
        if (version, specification) != (VERSION, SPECIFICATION):
            raise ValueError(f"model.bin is {specification} version {version}, expected {SPECIFICATION} {VERSION}")
        self._number("I")  # revision of the specification
        found = dict(self._variable() for _ in range(self._number("I")))
        for _ in range(self._number("I")):
            alias, name = self._text(), self._text()
            found[alias] = found[name]
        return found

    def _variable(self) -> tuple[str, Array]:
        import numpy as np

        name = self._text()
        shape = [self._number("I") for _ in range(self._number("B"))]
        dtype = np.dtype(_DTYPES[self._number("B")])
        size = self._number("I")
        if size != dtype.itemsize * int(np.prod(shape)) or self._at + size > len(self._data):
            raise ValueError(f"model.bin is cut off or damaged (at {name})")
        array = np.frombuffer(self._data, dtype, size // dtype.itemsize, self._at).reshape(shape)
        self._at += size
        return name, array

    def _number(self, code: str) -> int:
        (value,) = struct.unpack_from(f"<{code}", self._data, self._at)
        self._at += struct.calcsize(code)
        return int(value)

    def _text(self) -> str:
        size = self._number("H")
        raw = self._data[self._at : self._at + size]
        self._at += size
        return raw[:-1].decode()


def renamed(variables: dict[str, Array], shape: WhisperShape) -> Iterator[tuple[str, Array]]:
    """The same weights under the names of transformers' WhisperForConditionalGeneration."""
    try:
        yield from _renamed(variables, shape)
    except KeyError as error:
        raise _lacking(error) from None


def _renamed(variables: dict[str, Array], shape: WhisperShape) -> Iterator[tuple[str, Array]]:
    for source, target in _OUTER.items():
        yield target, variables[source]
    for side, count in (("encoder", shape.encoder_layers), ("decoder", shape.decoder_layers)):
        yield from _norm(variables, f"{side}/layer_norm", f"model.{side}.layer_norm")
        for index in range(count):
            yield from _layer(variables, f"{side}/layer_{index}", f"model.{side}.layers.{index}", side == "decoder")


_OUTER = {
    **{f"encoder/conv{n}/{kind}": f"model.encoder.conv{n}.{kind}" for n in (1, 2) for kind in ("weight", "bias")},
    **{
        f"{side}/position_encodings/encodings": f"model.{side}.embed_positions.weight"
        for side in ("encoder", "decoder")
    },
    "decoder/embeddings/weight": "model.decoder.embed_tokens.weight",
}


def _layer(variables: dict[str, Array], source: str, target: str, decoder: bool) -> Iterator[tuple[str, Array]]:
    yield from _norm(variables, f"{source}/self_attention/layer_norm", f"{target}.self_attn_layer_norm")
    yield from _norm(variables, f"{source}/ffn/layer_norm", f"{target}.final_layer_norm")
    yield from _joined(variables, f"{source}/self_attention/linear_0", f"{target}.self_attn", "qkv")
    yield from _linear(variables, f"{source}/self_attention/linear_1", f"{target}.self_attn.out_proj")
    for number in (0, 1):
        yield from _linear(variables, f"{source}/ffn/linear_{number}", f"{target}.fc{number + 1}")
    if decoder:
        yield from _norm(variables, f"{source}/attention/layer_norm", f"{target}.encoder_attn_layer_norm")
        yield from _linear(variables, f"{source}/attention/linear_0", f"{target}.encoder_attn.q_proj")
        yield from _joined(variables, f"{source}/attention/linear_1", f"{target}.encoder_attn", "kv")
        yield from _linear(variables, f"{source}/attention/linear_2", f"{target}.encoder_attn.out_proj")


def _norm(variables: dict[str, Array], source: str, target: str) -> Iterator[tuple[str, Array]]:
    yield f"{target}.weight", variables[f"{source}/gamma"]
    yield f"{target}.bias", variables[f"{source}/beta"]


def _linear(variables: dict[str, Array], source: str, target: str) -> Iterator[tuple[str, Array]]:
    yield f"{target}.weight", variables[f"{source}/weight"]
    yield f"{target}.bias", variables[f"{source}/bias"]


def _joined(variables: dict[str, Array], source: str, target: str, letters: str) -> Iterator[tuple[str, Array]]:
    import numpy as np

    for kind in ("weight", "bias"):
        pieces = np.split(variables[f"{source}/{kind}"], len(letters))
        for letter, piece in zip(letters, pieces, strict=True):
            if (letter, kind) != ("k", "bias"):  # Whisper's keys have no bias; the file has zeros there
                yield f"{target}.{letter}_proj.{kind}", np.ascontiguousarray(piece)


def configuration(shape: WhisperShape, tokenizer: Path) -> dict[str, Any]:
    """What config.json says: sizes from the weights, special tokens from the tokenizer."""
    added = {token["content"]: token["id"] for token in json.loads(tokenizer.read_bytes()).get("added_tokens", ())}
    missing = [token for token in (END_OF_TEXT, START_OF_TRANSCRIPT) if token not in added]
    if missing:
        raise ValueError(f"{tokenizer} lacks the token {missing[0]}: not a Whisper tokenizer")
    end = added[END_OF_TEXT]
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "num_mel_bins": shape.mel_bins,
        "d_model": shape.width,
        "encoder_ffn_dim": shape.feed_forward,
        "decoder_ffn_dim": shape.feed_forward,
        "encoder_layers": shape.encoder_layers,
        "decoder_layers": shape.decoder_layers,
        "encoder_attention_heads": shape.heads,
        "decoder_attention_heads": shape.heads,
        "vocab_size": shape.vocabulary,
        "max_source_positions": shape.source_positions,
        "max_target_positions": shape.target_positions,
        "decoder_start_token_id": added[START_OF_TRANSCRIPT],
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "tie_word_embeddings": True,
        "dtype": "float16",
    }


if __name__ == "__main__":
    sys.exit(main())
