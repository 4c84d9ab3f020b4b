"""Statistics of a sheet of samples: how varied it is, how far it moved, and whether it has copies."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool1d, adaptive_avg_pool2d

SEARCHED = 10_000  # items of a data set in which copies are looked for; in a larger one they are rare
SIDE = 16  # pixels a side that images are compared at
SKETCHED = 768  # numbers that an item is compared by, at most


def diversity(made: Tensor, real: Tensor) -> dict[str, float]:
    """How varied samples [N, ...] are, where real ones are 1: the mean distance of two of them."""
    spread = [torch.pdist(small(items)).mean().item() if len(items) > 1 else 0.0 for items in (made, real)]
    return {"diversity": spread[0] / spread[1]} if spread[1] > 0 else {}


def copied(made: Tensor, real: Tensor, training: Sequence[Tensor]) -> dict[str, float]:
    """The share of samples whose nearest training item is three times nearer than the second nearest (Yoon et al. 2023,
    "Diffusion probabilistic models generalize when they fail to memorize"), less what it is of training items among
    the others: points of a plane and rows of few numbers lie so by chance.

    Args:
        real: items of the set.
        training: the set in pieces, each as `small` gives it.
    """
    shares = []
    for items, itself in ((made, 0), (real, 1)):
        distances = torch.cat([torch.cdist(small(items), piece) for piece in training], 1)
        first, second = distances.topk(itself + 2, dim=1, largest=False).values[:, itself:].unbind(1)
        shares.append((3 * first < second).double().mean().item())
    return {"copied": max(0.0, shares[0] - shares[1])}


def changed(now: Tensor, before: Tensor) -> dict[str, float]:
    """How far samples of the same noise moved, over the contrast of the newer ones, from what `sketch` kept of both."""
    if now[0] != before[0] or not now[1]:  # of another number of values, or all alike
        return {}
    return {"change": ((now[2:] - before[2:]).norm() / now[1]).item()}


def sketch(items: Tensor) -> Tensor:
    """A few numbers [258 at most] that are kept of a sheet's items: how many values they have, the contrast of these,
    and sums with random signs, whose distance to those of another sheet is, nearly, the distance of the items."""
    flat = items.detach().float().cpu().reshape(1, -1)
    return torch.cat([torch.tensor([flat.numel()]), (flat - flat.mean()).norm()[None], _signed_sums(flat, 256)[0]])


def small(items: Tensor) -> Tensor:
    """Items as vectors [N, D] on the CPU, D at most 768: images averaged down to at most 16 pixels a side, and what is
    longer then, as sounds and clips are, kept as sums with random signs, which keep distances nearly."""
    items = items.detach().float().cpu()
    if items.dim() > 3:
        items = items.flatten(1, -3)
        height, width = (min(SIDE, side) for side in items.shape[2:])
        items = adaptive_avg_pool2d(items, (height, width))
    return _signed_sums(items.flatten(1), SKETCHED)


def _signed_sums(vectors: Tensor, count: int) -> Tensor:
    """Vectors [N, D] as [N, count], where they are longer."""
    length = vectors.shape[1]
    if length <= count:
        return vectors
    signs = torch.randint(0, 2, (length,), generator=torch.Generator().manual_seed(0)) * 2 - 1
    return adaptive_avg_pool1d(vectors * signs, count) * (length / count)
