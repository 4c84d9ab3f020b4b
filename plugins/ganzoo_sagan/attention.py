"""Self-attention over a map's pixels (Zhang et al. 2019, arXiv:1805.08318, section 3).

This module is public: other plugins import it.
"""

from __future__ import annotations

import torch
from ganzoo_sngan.blocks import Wrap
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from ganzoo.api import spectral_norm


class SelfAttention(nn.Module):
    """x [B, C, H, W] -> x + gamma * what each pixel gathers from a quarter of all pixels; gamma is 0 at first.

    Keys and values are halved in size by their greatest, and C is an eighth in queries and keys, half in values: the
    authors' savings. `condition` is what the blocks beside it take, and is not looked at.
    """

    def __init__(self, channels: int, wrap: Wrap = spectral_norm) -> None:
        super().__init__()
        few, half = channels // 8, channels // 2
        self.theta, self.phi = projection(channels, few, wrap), projection(channels, few, wrap)
        self.g, self.o = projection(channels, half, wrap), projection(half, channels, wrap)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        queries = self.theta(x).flatten(2)  # [B, C / 8, H W]
        keys, values = (max_pool2d(layer(x), 2).flatten(2) for layer in (self.phi, self.g))  # [B, …, H W / 4]
        weights = (queries.transpose(1, 2) @ keys).softmax(-1)  # [B, H W, H W / 4]
        gathered = (values @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])  # [B, C / 2, H, W]
        return x + self.gamma * self.o(gathered)


def projection(inputs: int, outputs: int, wrap: Wrap) -> nn.Module:
    """A 1×1 convolution without a bias."""
    layer = nn.Conv2d(inputs, outputs, 1, bias=False)
    nn.init.xavier_uniform_(layer.weight)
    return wrap(layer)
