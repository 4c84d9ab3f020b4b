"""Slicing adversarial networks: Takida et al. 2024, arXiv:2301.12811.

D is a direction omega, its last layer's weight, in the space of its features h. Any loss makes <h, omega> tell real
from generated items, but only the Wasserstein loss, applied to omega alone, turns it to where their features lie
furthest apart.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ganzoo.contract.architecture import Discriminator
from ganzoo.errors import GanzooError, UsageError


class Slicing:
    """Splits what D's last layer says in two parts of one value, each with a gradient of its own.

    The function part <|w| h, stop(omega)> trains all but the direction, the direction part <stop(|w| h), omega> that
    alone. Without a gradient, and in evaluation, D is what it is.

    Attributes:
        direction: the direction part of D's last call, of the shape of its logits.
    """

    direction: Tensor

    def __init__(self, discriminator: nn.Module) -> None:
        """Raises: UsageError when D does not name its last layer; GanzooError when that is no linear one."""
        name, kind = getattr(discriminator, "last_layer", ""), type(discriminator)
        if not name:
            raise UsageError(
                "D has no last layer that --san could split; leave --san out. "
                f"(Its author names one, linear or a convolution, in {kind.__name__}.last_layer.)"
            )
        self.layer: Any = discriminator.get_submodule(name)
        if getattr(self.layer, "weight", torch.empty(0)).dim() < 2:  # a norm's is a vector
            raise GanzooError(f"{kind.__name__}.last_layer is a {type(self.layer).__name__}; name a linear layer.")
        self._checked = False
        self.weight = "parametrizations.weight.original" if hasattr(self.layer, "parametrizations") else "weight"

    def __call__(self, discriminator: Discriminator, images: Tensor, *label: Tensor | None) -> Tensor:
        """D's logits, the function part. Raises: GanzooError when they are not what its last layer says."""
        if not (self.layer.training and torch.is_grad_enabled()):
            return discriminator(images, *label)
        parts: list[Tensor] = []

        def split(layer: nn.Module, features: tuple[Tensor, ...], _: Tensor) -> Tensor:
            handle.remove()  # the parts are worked out by calling the layer
            parts[:] = self.parts(features[0])
            return parts[0]

        handle = self.layer.register_forward_hook(split)
        try:
            logits = discriminator(images, *label)
        finally:
            handle.remove()
        if not (self._checked or logits.is_meta):
            self._checked = bool(parts) and torch.equal(parts[0].flatten(), logits.flatten())
            if not self._checked:
                raise GanzooError("--san needs a D whose logits are what its last_layer gives; leave --san out.")
        self.direction = parts[1].reshape(logits.shape)
        return logits

    def parts(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, C, ...] -> the function part and the direction part, as the layer gives them."""
        weight, norm = self._weight_and_norm()
        omega = weight / norm
        function: Tensor = functional_call(self.layer, {self.weight: norm * omega.detach()}, (features,))
        direction: Tensor = functional_call(self.layer, {self.weight: norm.detach() * omega}, (features.detach(),))
        return function, direction

    @torch.no_grad()
    def normalise(self) -> None:
        """Gives each output's weight, as it is when used, the norm 1; where it has that, not a bit of it changes."""
        weight, norm = self._weight_and_norm()
        norm = norm * getattr(self.layer, "scale", 1.0)
        weight.mul_(torch.where((norm - 1).abs() < 1e-6, 1.0, 1 / norm))

    def _weight_and_norm(self) -> tuple[Tensor, Tensor]:
        """The stored weight [outputs, ...] and its norm for each output [outputs, 1, ...]."""
        weight: Tensor = self.layer.get_parameter(self.weight)
        return weight, weight.flatten(1).norm(dim=1).view(-1, *[1] * (weight.dim() - 1))


def direction_loss(real: Tensor, fake: Tensor) -> Tensor:
    """The Wasserstein loss of D, on the direction parts of real and generated items."""
    return fake.float().mean() - real.float().mean()
