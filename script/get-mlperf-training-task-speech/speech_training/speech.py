"""What both speech benchmarks share: their data, and the word error rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from speech_training.alphabet import checked, encoded
from speech_training.corpus import Utterance, read_audio, read_part, root, training_parts
from speech_training.features import Spectrogram, at_another_speed, masked
from trainer.datafiles import verify
from trainer.errors import TrainingError
from trainer.task import Batch, Setup, Split, Task

if TYPE_CHECKING:
    import torch


class Recordings:
    """Utterances, read when a batch asks for them."""

    def __init__(self, utterances: list[Utterance], spectrogram: Spectrogram, augment: bool) -> None:
        self._utterances, self._spectrogram, self._augment = utterances, spectrogram, augment

    def __len__(self) -> int:
        return len(self._utterances)

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, torch.Tensor]:
        """Features (n, frames, width) and characters (n, length), padded with 0; how long each is; their indices."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        chosen = [self._utterances[index] for index in indices]
        spoken = [read_audio(one.audio, self._spectrogram.rate) for one in chosen]
        if self._augment:
            spoken = [at_another_speed(one, draw) for one in spoken]
        heard = [self._spectrogram(one) for one in spoken]
        if self._augment:
            heard = [masked(one, draw) for one in heard]
        texts = [torch.tensor(encoded(one.text)) for one in chosen]
        return {
            "features": pad_sequence(heard, batch_first=True),
            "frames": torch.tensor([len(one) for one in heard]),
            "texts": pad_sequence(texts, batch_first=True),
            "lengths": torch.tensor([len(text) for text in texts]),
            "indices": torch.as_tensor(indices),
        }


class SpeechTask(Task):
    """Options: `rate` (samples per second), `evaluation` (the part that is judged), `augment` (yes or no)."""

    #: mel bands unless the option `bands` says another number; 0 for all frequencies as they are
    bands = 0

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.spectrogram = Spectrogram(self.number("rate", 16000), self.number("bands", self.bands))
        self._spoken: list[str] = []

    def splits(self) -> tuple[Split, Split]:
        folder = self.setup.data
        if folder is None:
            raise TrainingError("data", "speech benchmarks need a LibriSpeech tree", "--librispeech_path=FOLDER")
        verify(folder)
        training = checked(training_parts(folder))
        evaluation = checked(read_part(root(folder) / self.setup.option("evaluation", "dev-clean")))
        self._spoken = [utterance.text for utterance in evaluation]
        augment = self.setup.option("augment", "no") == "yes"
        return Recordings(training, self.spectrogram, augment), Recordings(evaluation, self.spectrogram, False)

    def heard(self, model: torch.nn.Module, batch: Batch) -> list[str]:
        """What the network makes of each recording of a batch."""
        raise NotImplementedError

    def judge(self, model: torch.nn.Module, batch: Batch) -> Any:
        """Pairs of what was said and what was heard."""
        said = [self._spoken[index] for index in batch["indices"].tolist()]
        return list(zip(said, self.heard(model, batch), strict=True))

    def quality(self, evidence: Sequence[Any]) -> float:
        """Wrong, missing and additional words per word that was said, over all of the set."""
        import jiwer

        pairs = [pair for part in evidence for pair in part]
        return float(jiwer.wer([said for said, _ in pairs], [heard for _, heard in pairs]))

    def number(self, name: str, default: int) -> int:
        """An option that is a whole number."""
        text = self.setup.option(name, str(default))
        if not text.isdecimal():
            raise TrainingError("config", f"option {name}={text} is no whole number", f"{name}={default}")
        return int(text)
