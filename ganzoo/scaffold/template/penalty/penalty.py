"""My penalty.

The zero-centred gradient penalty of Thanh-Tung, Tran and Venkatesh 2019, arXiv:1902.03984.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from ganzoo.api import option, rows, squared_norm
from torch import Tensor


@dataclass(frozen=True)
class MyPenalty:
    """weight * E[|grad D(x)|^2] at places x between real and generated images, where D should be flat."""

    weight: float = option(10.0, "weight of the penalty", low=0)

    def __call__(
        self,
        critic: Callable[[Tensor], Tensor],
        real: Tensor,
        fake: Tensor,
        d_real: Tensor,
        d_fake: Tensor,
    ) -> Tensor:
        """D as a function of images, real and generated images [B, ...], D's logits on both -> scalar."""
        one_each = (len(real), *[1] * (real.dim() - 1))
        alpha = rows(one_each, torch.rand, device=real.device)
        between = fake.float().lerp(real.float(), alpha)
        return self.weight * squared_norm(critic, between).mean()
