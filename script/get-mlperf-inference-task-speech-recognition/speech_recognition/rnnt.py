"""MLPerf's RNN-T (Graves 2012): an LSTM encoder, an LSTM over the characters so far, and a network that joins them.

The module takes waveforms, since the rules count the making of features as part of the measured time.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from harness.config import ModelConfig
from harness.errors import HarnessError
from harness.models import weights
from speech_recognition import characters
from speech_recognition.rnnt_features import FEATURES, RnntSpectrogram
from speech_recognition.transducer import greedy

BLANK = len(characters.RNNT)
ENCODER, PREDICTION, JOINT, STACK = 1024, 320, 512, 2
# Random weights would answer a character at nearly every try. A blank that always wins leaves the encoder's work and
# one decision per frame, which is what is left of the decoder's work in silence: less than speech would cost.
SYNTHETIC_BLANK_BIAS = 10.0


class Recurrent(nn.Module):
    """An LSTM under the name that the checkpoint gives it."""

    def __init__(self, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden, layers)


class Encoder(nn.Module):
    """Two LSTM layers, pairs of frames side by side, three more layers."""

    def __init__(self) -> None:
        super().__init__()
        self.pre_rnn = Recurrent(FEATURES, ENCODER, 2)
        self.post_rnn = Recurrent(STACK * ENCODER, ENCODER, 3)

    def forward(self, features: Tensor) -> Tensor:
        """(frames, n, 240) → (half as many frames, n, 1024)."""
        hidden, _ = self.pre_rnn.lstm(features)
        frames, count, width = hidden.shape
        padded = nn.functional.pad(hidden, (0, 0, 0, 0, 0, -frames % STACK))
        stacked = padded.reshape(-1, STACK, count, width).transpose(1, 2).reshape(-1, count, STACK * width)
        encoded: Tensor = self.post_rnn.lstm(stacked)[0]
        return encoded


class Prediction(nn.Module):
    """What the characters so far let expect."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(BLANK, PREDICTION)
        self.dec_rnn = Recurrent(PREDICTION, PREDICTION, 2)


class Joint(nn.Module):
    """Scores of the characters and of the blank from both sides."""

    def __init__(self) -> None:
        super().__init__()
        hidden = nn.Linear(PREDICTION + ENCODER, JOINT)
        # The third place is the training's dropout, which has no weights.
        self.net = nn.Sequential(hidden, nn.ReLU(), nn.Identity(), nn.Linear(JOINT, BLANK + 1))

    def forward(self, encoded: Tensor, predicted: Tensor) -> Tensor:
        """(n, 1024) and (n, 320) → (n, 29)."""
        scores: Tensor = self.net(torch.cat((encoded, predicted), dim=-1))
        return scores


class RNNT(nn.Module):
    """The three networks and greedy decoding."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.prediction, self.joint = Encoder(), Prediction(), Joint()
        self._spectrogram: RnntSpectrogram | None = None

    def forward(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """int16 clips (n, samples) and their lengths → characters (n, longest text), int64, and how many each has."""
        self._spectrogram = self._spectrogram or RnntSpectrogram(audio.device)
        clips = [self._spectrogram(clip[:length]) for clip, length in zip(audio, lengths.tolist(), strict=True)]
        frames = torch.tensor([-(-len(clip) // STACK) for clip in clips], device=audio.device)
        features = nn.utils.rnn.pad_sequence(clips).to(next(self.parameters()).dtype)
        encoded = self.encoder(features)
        if not bool(torch.isfinite(encoded).all()):
            hint = "check the weights; with --precision=fp16 try bf16 or fp32"
            raise HarnessError("nan", "the encoder's outputs are not finite numbers", hint)
        return greedy(encoded, frames, self.prediction, self.joint, blank=BLANK)


def build_rnnt(model: ModelConfig) -> RNNT:
    """The network with the reference checkpoint's weights, or with seeded random ones.

    Raises:
        HarnessError: kind `weights` when the file is missing, cut off, or holds something else.
    """
    module = RNNT()
    if model.weights is None:
        nn.init.constant_(module.get_parameter("joint.net.3.bias")[BLANK:], SYNTHETIC_BLANK_BIAS)
    else:
        path = Path(model.weights)
        weights.load_into(module, _state(path), path)
    return module


def _state(path: Path) -> dict[str, Tensor]:
    """The weights in the reference's training checkpoint; its feature filters are left out, its joint net renamed."""
    if not path.is_file():
        raise HarnessError("weights", f"weights file {path} does not exist", f"ls -l {path.parent}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
        named = {name.replace("joint_net", "joint.net"): tensor for name, tensor in state.items()}
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        hint = "fetch the weights again and compare their checksum"
        raise HarnessError("weights", f"weights file {path} is no checkpoint: {reason[:200]}", hint) from error
    return {name: tensor for name, tensor in named.items() if not name.startswith("audio_preprocessor.")}
