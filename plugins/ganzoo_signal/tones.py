"""`tones`: short sounds of eight kinds, drawn by code, so that a GAN of sounds has data without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ganzoo.api import UsageError, option

VERSION = 1  # raised whenever the same options give other sounds
RATE = 8000  # samples a second
LOWEST, HIGHEST = 110.0, 880.0  # pitch in hertz
ATTACK = 0.01  # seconds until full loudness


@dataclass(frozen=True)
class Tones:
    """One sound each, mono, of a pitch, a loudness and a decay of its own."""

    images: int = option(4096, "how many sounds", low=1)
    seed: int = option(0, "another seed draws other sounds", low=0, high=2**32 - 1)
    length: int = option(4096, f"samples of each, {RATE} a second", low=16, high=1 << 20)
    hiss: float = option(
        0.0, "loudest floor of noise, as recordings have; 0.01 is 40 dB below full loudness", low=0, high=1
    )

    classes: ClassVar[tuple[str, ...]] = ("pure", "square", "saw", "bell", "chirp", "tremolo", "noise", "click")
    modality: ClassVar[str] = "signal"

    def __post_init__(self) -> None:
        if self.images < 1 or self.length < 16:
            raise UsageError("tones draws one sound or more of 16 samples or more, as in tones:images=500,length=4096.")

    def __len__(self) -> int:
        return self.images

    @property
    def details(self) -> Mapping[str, Any]:
        return {"rate": RATE, "length": self.length, "channels": 1}

    def label(self, index: int) -> int:
        """Which kind of sound it is; nothing is drawn."""
        return int(self._stream(index).randint(len(self.classes)))

    def read(self, index: int, size: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Sound `index`, [1, length] in [-1, 1]. `size` says nothing to a sound."""
        rng = self._stream(index)
        kind = self.classes[int(rng.randint(len(self.classes)))]
        pitch = LOWEST * (HIGHEST / LOWEST) ** rng.uniform()
        loud, decay, start = rng.uniform(0.5, 0.9), rng.uniform(3, 9), rng.uniform()
        time = np.arange(self.length) / RATE
        phase = pitch * time + start  # in periods
        if kind == "pure":
            sound = np.sin(2 * np.pi * phase)
        elif kind in ("square", "saw"):
            sound = self._harmonics(phase, pitch, odd=kind == "square")
        elif kind == "bell":  # frequency modulation with an inharmonic ratio (Chowning 1973)
            sound = np.sin(2 * np.pi * phase + 3 * np.exp(-4 * time) * np.sin(2 * np.pi * 1.4 * phase))
        elif kind == "chirp":
            sound = np.sin(2 * np.pi * (phase + pitch * time**2))
        elif kind == "tremolo":
            sound = np.sin(2 * np.pi * phase) * (0.55 + 0.45 * np.sin(2 * np.pi * rng.uniform(6, 14) * time))
        elif kind == "noise":
            sound = rng.uniform(-1, 1, self.length)
        else:
            sound, decay = np.sin(2 * np.pi * 2 * phase), 60.0
        envelope = np.minimum(time / ATTACK, 1) * np.exp(-decay * time)
        wave = loud * envelope * sound
        if self.hiss:
            wave += rng.uniform(0, self.hiss) * rng.uniform(-1, 1, self.length)
        drawn: NDArray[np.float32] = wave.clip(-1, 1).astype(np.float32)[None]
        return drawn

    @staticmethod
    def _harmonics(phase: NDArray[np.float64], pitch: float, odd: bool) -> NDArray[np.float64]:
        """A square or a saw without what lies above half the rate."""
        numbers = np.arange(1, int(RATE / 2 / pitch) + 1, 2 if odd else 1)
        waves = np.sin(2 * np.pi * numbers[:, None] * phase) / numbers[:, None]
        wave: NDArray[np.float64] = waves.sum(0) * (0.9 if odd else 0.55)
        return wave

    def _stream(self, index: int) -> np.random.RandomState:
        """`RandomState` draws the same in every numpy."""
        return np.random.RandomState([VERSION, self.seed, index])

    @property
    def fingerprint(self) -> str:
        """Changes whenever the sounds do."""
        return f"tones-v{VERSION}:{self.images}:{self.seed}:{self.length}" + (f":{self.hiss}" if self.hiss else "")

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        """None: this is one set of sounds."""
        return {}
