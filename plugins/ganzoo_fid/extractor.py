"""What a network that makes features of images is to the scores, and how images come to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganzoo.api import UsageError


@dataclass(frozen=True)
class Extractor:
    """A network with its weights.

    Attributes:
        name: of its features; canonical: whether its weights are those that FID is defined by.
        sha256: of the weights' file.
    """

    name: str
    canonical: bool
    sha256: str
    network: Any

    def __call__(self, images: Tensor, resize: str) -> tuple[Tensor, Tensor]:
        """Features [B, D] and logits [B, classes], none if it has no classes, on the CPU.

        Args:
            images: [B, C, H, W] in [-1, 1].
            resize: ``"legacy"``, as TensorFlow's bilinear did, or ``"clean"``.
        """
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        device: torch.device = next(self.network.parameters()).device
        return device


def pixels(images: Tensor) -> Tensor:
    """Images [B, C, H, W] in [-1, 1] as whole numbers from 0 to 255, [B, 3, H, W], in float32."""
    shown = ((images.float() + 1) * 127.5).round().clamp(0, 255)
    return shown[:, :3] if shown.shape[1] >= 3 else shown[:, :1].expand(-1, 3, -1, -1)


def clean(shown: Tensor, side: int) -> Tensor:
    """Resized by a bicubic filter with antialiasing and rounded (Parmar et al. 2022)."""
    if shown.shape[2:] == (side, side):
        return shown
    return interpolate(shown, (side, side), mode="bicubic", antialias=True).round().clamp(0, 255)


def whole_path(file: str, whose: str) -> tuple[str, float]:
    """Where a file of weights is and when it was changed; "" for none. Raises: UsageError when it is not there."""
    if not file:
        return "", 0.0
    place = Path(file).expanduser().absolute()
    if not place.is_file():
        raise UsageError(f"There is no file {file} of {whose}'s weights.")
    return str(place), place.stat().st_mtime


def name_of(file: str) -> str:
    """What the features of a stranger's weights are called."""
    return re.sub(r"[^a-z0-9]+", "-", Path(file).stem.lower()).strip("-")
