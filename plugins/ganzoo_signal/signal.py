"""The modality of signals: [C, L], samples in [-1, 1], so many a second."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganzoo.api import Architecture, GanzooError, Modality, Unreadable, UsageError, need, option
from ganzoo_signal import wav

RATE = 16000  # samples a second where the data does not say
PAUSE = 0.25  # seconds between the sounds of one file
WINDOW = 256  # samples of a spectrogram's column
DECIBELS = 80  # between a spectrogram's darkest and brightest
_SOUNDS = (b"fLaC", b"OggS", b"ID3", b"\xff", b"FORM", b"RF64", b"RIFX", b"caff", b".snd")  # as files begin
WIDTH, WAVE, SPECTRUM = 160, 48, 64  # pixels of a cell of the sheet, and heights of its two parts


@dataclass(frozen=True)
class SignalOptions:
    length: int | None = option(
        None, "samples of each: longer ones are cut, shorter ones end in silence", low=1, high=1 << 26
    )


class Signal(Modality):
    """Sounds of one length, rate and number of channels. Encoded, they are as they are: in [-1, 1]."""

    Options = SignalOptions
    shown: ClassVar = 16
    writes: ClassVar = (".wav",)
    each: ClassVar = ".wav"

    @property
    def rate(self) -> int:
        """Samples a second."""
        return int(self.state.get("rate", RATE))

    @classmethod
    def read(cls, data: bytes) -> tuple[NDArray[Any], dict[str, Any]]:
        """WAV by itself, anything else through soundfile."""
        if data[:4] == b"RIFF":
            samples, rate = wav.read(data)
        else:
            samples, rate = _by_soundfile(data)
        peak = float(np.abs(samples).max(initial=0))
        return samples, {"rate": rate, **({"peak": peak} if peak > 1 else {})}

    @classmethod
    def settle(
        cls, seen: Sequence[tuple[tuple[int, ...], Mapping[str, Any]]], options: SignalOptions
    ) -> dict[str, Any]:
        """One rate, one length, and one number of channels: all of them where that is the same, else one.

        Floats may lie beyond -1 and 1; then all sounds are made quieter by the loudest one's peak.
        """
        rates = sorted({said["rate"] for _, said in seen})
        if len(rates) > 1:
            known = ", ".join(map(str, rates))
            raise UsageError(f"The sounds have different sample rates ({known}); convert them to one.")
        lengths = sorted({shape[1] for shape, _ in seen})
        if options.length is None and len(lengths) > 1:
            raise UsageError(
                f"The sounds have {lengths[0]} to {lengths[-1]} samples; say how many to take of each, "
                f"such as --as signal:length={lengths[len(lengths) // 2]}."
            )
        channels = {shape[0] for shape, _ in seen}
        peak = max(said.get("peak", 1.0) for _, said in seen)
        return {
            **({"peak": peak} if peak > 1 else {}),
            "rate": rates[0],
            "length": options.length or lengths[0],
            "channels": channels.pop() if len(channels) == 1 else 1,
        }

    @classmethod
    def cut(cls, item: NDArray[Any], details: Mapping[str, Any]) -> NDArray[Any]:
        """Cut at the end or filled with silence; mixed down where the set has one channel."""
        if len(item) != details["channels"]:
            item = item.mean(0, keepdims=True)
        item = item[:, : details["length"]] / details.get("peak", 1)
        return np.pad(item, ((0, 0), (0, details["length"] - item.shape[1]))).astype(np.float32)

    @classmethod
    def describe(cls, details: Mapping[str, Any]) -> dict[str, str]:
        seconds = details.get("length", 0) / details.get("rate", RATE)
        rate = {"rate": f"{details.get('rate', RATE):,} samples a second, {seconds:.2f} s each"}
        peak = details.get("peak", 1)
        return rate | ({"peak": f"{peak:g}, by which all samples are divided"} if peak > 1 else {})

    def clean(self, items: Tensor) -> Tensor:
        return items.clamp(-1, 1)

    def sheet(
        self,
        items: Tensor,
        columns: int | None = None,
        gap: int = 2,
        real: Tensor | None = None,
        model: Architecture | None = None,
    ) -> Image.Image:
        """A cell a sound, the first channel: its wave above, its spectrogram below (low tones at the bottom)."""
        columns = columns or math.ceil(math.sqrt(len(items)))
        rows = math.ceil(len(items) / columns)
        height = WAVE + SPECTRUM
        whole = Image.new("L", (columns * (WIDTH + gap) + gap, rows * (height + gap) + gap), 255)
        for place, sound in enumerate(items.detach().float().cpu().numpy()):
            row, column = divmod(place, columns)
            cell = np.concatenate([_wave(sound[0]), _spectrogram(sound[0])])
            whole.paste(Image.fromarray(cell), (gap + column * (WIDTH + gap), gap + row * (height + gap)))
        return whole

    def save(self, items: Tensor, file: Path) -> None:
        """One sound; of several, one after another with a short pause between."""
        sounds = items.detach().float().cpu().numpy()
        pause = np.zeros((sounds.shape[1], round(PAUSE * self.rate)), np.float32)
        pieces = [piece for sound in sounds for piece in (sound, pause)][:-1]
        file.write_bytes(wav.write(np.concatenate(pieces, axis=1), self.rate))


def _by_soundfile(data: bytes) -> tuple[NDArray[np.float32], int]:
    if not data:
        raise Unreadable("is empty")
    try:
        soundfile = need("soundfile", "soundfile", "A sound that is no WAV file", "sound")
    except GanzooError as error:
        if data.startswith(_SOUNDS):
            raise
        raise Unreadable("is no sound of a kind that is known") from error
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except (RuntimeError, TypeError, ValueError) as error:
        raise Unreadable("is not a readable sound, or is cut short") from error
    if not len(samples):
        raise Unreadable("holds no samples")
    return np.ascontiguousarray(samples.T), int(rate)


def _wave(sound: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lowest to highest sample of each pixel's stretch, dark on white: [WAVE, WIDTH]."""
    picture = np.full((WAVE, WIDTH), 255, np.uint8)
    edges = np.linspace(0, len(sound), WIDTH + 1).astype(int)
    for x, (start, end) in enumerate(pairwise(edges.tolist())):
        stretch = np.nan_to_num(sound[start : max(end, start + 1)])
        if len(stretch):
            top, bottom = ((1 - np.clip([stretch.max(), stretch.min()], -1, 1)) / 2 * (WAVE - 1)).round().astype(int)
            picture[top : bottom + 1, x] = 40
    return picture


def _spectrogram(sound: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Loudness in decibels of each frequency and time, [SPECTRUM, WIDTH]; white is silence."""
    size = min(WINDOW, max(16, len(sound) // 8))
    padded = np.pad(np.nan_to_num(sound), size // 2)
    starts = np.linspace(0, len(padded) - size, WIDTH).astype(int)
    frames = padded[starts[:, None] + np.arange(size)] * np.hanning(size)
    power = 20 * np.log10(np.abs(np.fft.rfft(frames, axis=1)) / (size / 4) + 1e-9)  # 0 dB: a full sine
    share = np.clip(1 + power / DECIBELS, 0, 1)
    levels = (255 * (1 - share)).astype(np.uint8).T[::-1]
    return np.asarray(Image.fromarray(np.ascontiguousarray(levels)).resize((WIDTH, SPECTRUM), Image.Resampling.BOX))
