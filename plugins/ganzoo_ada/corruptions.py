"""What may be done to an image beside geometry and colour (Karras et al. 2020, arXiv:2006.06676, appendix B): bands of
frequencies amplified, noise added, a rectangle cut out. The paper found them of little use, so they are off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

# change -> how it is drawn, and how many numbers
BANDS = 4
FILTER: Mapping[str, tuple[Callable[..., Tensor], int]] = {f"band{band}": (torch.randn, 1) for band in range(BANDS)}
NOISE = {"noise": (torch.randn, 1)}
CUTOUT = {"cutout": (torch.rand, 2)}

POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)  # of each band in photographs
LOUDEST = 0.1  # spread of the noise, times |N(0, 1)|
HOLE = 0.5  # sides of what is cut out, in sides of the image


@cache
def filter_bank() -> np.ndarray:
    """Four filters [4, 43] of sym2, from the lowest band, an octave each; their sum is the identity."""
    root = np.sqrt(3)
    low = np.array([1 - root, 3 - root, 3 + root, 1 + root]) / (4 * np.sqrt(2))
    high = low * (-1.0) ** np.arange(len(low))
    low, high = (np.convolve(half, half[::-1]) / 2 for half in (low, high))  # without a phase
    bank = [np.ones(1), *np.zeros((BANDS - 1, 1))]
    for band in range(1, BANDS):
        wider = [np.insert(each, np.arange(1, len(each)), 0.0) for each in bank]
        bank = [np.convolve(each, low) for each in wider]
        middle = len(bank[band]) // 2
        bank[band][middle - 3 : middle + 4] += high
    return np.stack(bank)


def amplified(images: Tensor, gains: Tensor) -> Tensor:
    """images [B, C, H, W], each band times its gain [B, 4]; they are mirrored beyond their edges."""
    count, channels, *_ = images.shape
    bank = torch.from_numpy(filter_bank()).to(gains)
    taps = (gains @ bank).repeat_interleave(channels, 0)  # [B * C, 43]
    reach = bank.shape[1] // 2
    found = images.flatten(0, 1)[None]
    for axis, kernel in ((3, taps[:, None, None]), (2, taps[:, None, :, None])):
        found = found.index_select(axis, _mirrored(found.shape[axis], reach, images.device))
        found = F.conv2d(found, kernel, groups=count * channels)
    return found.view(images.shape)


def band_gains(exponents: Tensor) -> Tensor:
    """Gains [B, 4] from the exponents of 2 of each band [B, 4]; each leaves a photograph its power."""
    gains = torch.ones_like(exponents)
    power = torch.tensor(POWER, device=exponents.device)
    for band in range(BANDS):
        alone = torch.ones_like(exponents)
        alone[:, band] = 2 ** exponents[:, band]
        gains = gains * alone / (power * alone.square()).sum(1, keepdim=True).sqrt()
    return gains


def without_a_rectangle(images: Tensor, center: Tensor, size: Tensor) -> Tensor:
    """images [B, C, H, W] that are 0 around the center [B, 2], x and y in [0, 1), in a rectangle of `size` [B, 1]."""
    height, width = images.shape[2:]
    x, y = ((torch.arange(side, device=images.device) + 0.5) / side for side in (width, height))
    across = (x - center[:, :1]).abs() < size / 2  # [B, W]
    down = (y - center[:, 1:]).abs() < size / 2
    return images * ~(across[:, None] & down[:, :, None])[:, None]


def _mirrored(side: int, reach: int, device: torch.device) -> Tensor:
    """The places of a side and of `reach` pixels beyond both ends, where it is mirrored as often as it takes."""
    places = torch.arange(-reach, side + reach, device=device).abs() % max(2 * (side - 1), 1)
    return torch.minimum(places, 2 * (side - 1) - places)
