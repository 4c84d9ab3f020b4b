"""A history of generated images, so that a discriminator does not forget what the generator made before.

Shrivastava et al. 2017 (arXiv:1612.07828), section 2.3; CycleGAN keeps fifty for each domain.

This module is public: `ganzoo.api` has what stands in it.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ganzoo.api import TrainingState, gather, rank, rows


class ImagePool(TrainingState):
    """Keeps up to `size` images, and hands out old ones for half of those it is given.

    Its buffers have a fixed shape and are part of every checkpoint. Every process's copy is the whole pool: each takes
    in the images of all, in the order of the global batch (where a batch is also split with --accumulate, in that of
    its parts). Nothing here waits for a GPU.

    Attributes:
        images: [size, C, H, W], the oldest of which may long have been replaced.
        filled: how many of them have been stored, int64.
    """

    images: Tensor
    filled: Tensor

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        """size: 0 for no pool, which returns what it is given. shape: of one image, (C, H, W)."""
        super().__init__()
        self.size = size
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("filled", torch.zeros(1, dtype=torch.int64))

    @torch.no_grad()
    def query(self, images: Tensor, draws: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Takes in images [B, C, H, W] and returns as many [B, C, H, W], detached.

        For each in order: a pool that is not full stores it and returns it. A full one tosses a coin: heads, a random
        stored image is returned and the new one takes its place; tails, the new one is returned and not stored.

        Args:
            draws: numbers in [0, 1) [B], heads above one half, and places in the pool [B], int64; None draws them.
        """
        if self.size == 0:
            return images.detach()
        count = len(images)
        coins, places = draws if draws is not None else self._draw(count)
        new, coins, places = (gather(each) for each in (images.detach().to(self.images.dtype), coins, places))
        everyone = zip(*(torch.split(each, 1) for each in (new, coins, places)), strict=True)
        returned = [self._exchange(*one) for one in everyone]
        mine = slice(rank() * count, (rank() + 1) * count)
        return torch.cat(returned[mine]).to(images.dtype)

    def _draw(self, count: int) -> tuple[Tensor, Tensor]:
        device = self.images.device
        return rows((count,), torch.rand, device), rows((count,), partial(torch.randint, self.size), device)

    def _exchange(self, new: Tensor, coin: Tensor, place: Tensor) -> Tensor:
        """One image [1, C, H, W] in, one out."""
        full = self.filled >= self.size  # [1]
        place = torch.where(full, place, self.filled)
        old = self.images.index_select(0, place)
        swap = full & (coin > 0.5)
        self.images.index_copy_(0, place, torch.where(_like(swap | ~full, new), new, old))
        self.filled += ~full
        return torch.where(_like(swap, new), old, new)


def _like(flag: Tensor, images: Tensor) -> Tensor:
    """A flag [1] as [1, 1, …], to choose between images."""
    return flag.view(1, *[1] * (images.dim() - 1))
