"""Resampling by a short filter: zeros between the pixels (up), the filter (FIR), some pixels left out (dn).

Karras et al. 2020 (arXiv:1912.04958) and Karras et al. 2021. Made of torch's convolutions, so that it can be
differentiated twice and needs nothing compiled.

This module is public: other plugins' networks import it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad

BILINEAR = (1 / 8, 3 / 8, 3 / 8, 1 / 8)


def upsample2(x: Tensor, taps: Sequence[float] = BILINEAR) -> Tensor:
    """[B, C, H, W] -> [B, C, 2 H, 2 W], with zeros beyond the edges; `taps` sum to 1."""
    height, width = (2 * side for side in x.shape[2:])
    begin = len(taps) - 1 - (len(taps) + 1) // 2
    kernel = _kernel(x, taps) * 4
    grown = conv_transpose2d(x, kernel, stride=2, groups=x.shape[1])
    return pad(grown, (-begin, begin + width - grown.shape[3], -begin, begin + height - grown.shape[2]))


def downsample2(x: Tensor, taps: Sequence[float] = BILINEAR) -> Tensor:
    """[B, C, H, W], H and W even -> [B, C, H / 2, W / 2], with zeros beyond the edges; `taps` sum to 1."""
    return filtered(x, (len(taps) - 1) // 2, (len(taps) - 2) // 2, taps, stride=2)


def filtered(
    x: Tensor, before: int, after: int, taps: Sequence[float] = BILINEAR, stride: int = 1, gain: float = 1.0
) -> Tensor:
    """Convolves each map of [B, C, H, W] along both sides, with zeros around: `before` at the top and left.

    A convolution turns its filter over, which matters for one that is not symmetrical.
    """
    if before != after:
        x, before = pad(x, (before, after, before, after)), 0
    kernel = _kernel(x, taps).flip(2, 3) * gain
    return conv2d(x, kernel, padding=before, stride=stride, groups=x.shape[1])


def _kernel(x: Tensor, taps: Sequence[float]) -> Tensor:
    """[C, 1, K, K] for each of the C maps."""
    row = torch.tensor(taps, dtype=x.dtype, device=x.device)
    return (row[:, None] * row).expand(x.shape[1], 1, -1, -1)
