"""Spectral norm, and DCGAN's first weights.

This module is public: `ganzoo.api` has what stands in it.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.modules.conv import _ConvTransposeNd
from torch.nn.utils import parametrize

L = TypeVar("L", bound=nn.Module)


def normal_init(module: nn.Module) -> None:
    """DCGAN's start (Radford et al. 2015, section 4), for `Module.apply`: convolutions' weights from N(0, 0.02) and
    batch norm's scales from N(1, 0.02), all biases 0. Dense layers and embeddings stay as they are.
    """
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Conv3d, nn.ConvTranspose3d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, (nn.BatchNorm2d, nn.BatchNorm3d)):
        nn.init.normal_(module.weight, 1.0, 0.02)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def spectral_norm(layer: L, eps: float = 1e-12) -> L:
    """Divides a layer's weight by its largest singular value (Miyato et al. 2018, arXiv:1802.05957), and returns it.

    The value is estimated by one power iteration from the stored vector u, in float32. u moves once in a turn that
    trains the layer, and neither in another player's turn nor in evaluation. First initialise the layer, then wrap it:
    ``layer.weight`` is computed from then on.

    Args:
        layer: dense, embedding, or convolution of any kind.
        eps: least norm that a vector is divided by.
    """
    axis = 1 if isinstance(layer, _ConvTransposeNd) else 0
    parametrize.register_parametrization(layer, "weight", _SpectralNorm(layer.weight, axis, eps))
    return layer


class _SpectralNorm(nn.Module):
    """weight [...] -> weight / sigma; `u` [outputs] is a left singular vector, roughly."""

    u: Tensor

    def __init__(self, weight: Any, axis: int, eps: float) -> None:
        super().__init__()
        self.axis, self.eps = axis, eps
        self.register_buffer("u", normalize(torch.randn(weight.shape[axis]), dim=0, eps=eps))
        self._turn: tuple[int, Tensor] | None = None  # the weight's version and u before it moved

    def forward(self, weight: Tensor) -> Tensor:
        u = self.u
        if self.training and weight.requires_grad and torch.is_grad_enabled():
            # All of a turn, which ends when the weight changes, begins at the same u: the batch's parts agree.
            version = weight._version
            if self._turn and self._turn[0] == version:
                u = self._turn[1]
            weight = weight.view_as(weight)
        with torch.no_grad():
            matrix = self._matrix(weight)
            v = normalize((matrix * u[:, None]).sum(0), dim=0, eps=self.eps)
            moved = normalize((matrix * v).sum(1), dim=0, eps=self.eps)
        if weight.grad_fn is not None:
            # The weight gets a gradient in its own player's turn only.
            weight.register_hook(lambda _: self._move(version, moved))  # type: ignore[no-untyped-call]
        return weight / (self._matrix(weight) * moved[:, None] * v).sum()

    def _matrix(self, weight: Tensor) -> Tensor:
        weight = weight.to(torch.promote_types(weight.dtype, torch.float32))
        return weight.movedim(self.axis, 0).flatten(1)

    def _move(self, version: int, moved: Tensor) -> None:
        if self._turn is None or self._turn[0] != version:
            self._turn = (version, self.u.clone())
            self.u.copy_(moved)
