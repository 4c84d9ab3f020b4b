"""The frozen network and its weights: edges in eight directions, at two sizes, which anyone can work out anew.

`python -m ganzoo_encoder.eyes FILE` writes them; `ganzoo weights add encoder-eyes FILE` gives them to ganzoo.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import torch
from ganzoo.api import Pretrained
from safetensors.torch import save_file
from torch import Tensor, nn

DIRECTIONS = 8

EYES = Pretrained(
    name="encoder-eyes",
    address="",  # small enough to be made on the spot
    sha256="0f615d6fa6ad5d773b2ccfa27b16f6411ce0e92a2c2f323d35e9a1d611b1b83f",
    licence="MIT",
)


def eyes() -> nn.Module:
    """Grey images [B, 1, H, W] -> features [B, 8, H / 2, W / 2]."""
    return nn.Sequential(nn.Conv2d(1, DIRECTIONS, 5, 1, 2), nn.ReLU(), nn.AvgPool2d(2))


def tensors() -> dict[str, Tensor]:
    """Slopes of a Gaussian of 1 pixel towards each direction, in steps of 1 / 4096, alike on every machine."""
    kernels = []
    for k in range(DIRECTIONS):
        x, y = math.cos(2 * math.pi * k / DIRECTIONS), math.sin(2 * math.pi * k / DIRECTIONS)
        kernels.append([[(x * i + y * j) * math.exp(-(i * i + j * j) / 2) for i in range(-2, 3)] for j in range(-2, 3)])
    weight = (torch.tensor(kernels, dtype=torch.float64)[:, None] * 4096).round() / 4096  # [8, 1, 5, 5]
    return {"0.weight": weight.float(), "0.bias": torch.zeros(DIRECTIONS)}


def write(file: Path) -> None:
    save_file(tensors(), file)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
