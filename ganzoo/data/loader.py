"""The order of the data, and batches drawn in it.

Permutations of the data laid end to end, without end: what stands at a position depends on the seed and the position
alone, every batch is full, and several processes take their rows of one global batch.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from ganzoo.contract.data_spec import Batch
from ganzoo.contract.randomness import WHOLE, Share, rows, stream
from ganzoo.data import Dataset
from ganzoo.data.dataset import domain_names
from ganzoo.data.source import size_in


class Order:
    """An endless sequence of indices into `length` items."""

    def __init__(self, length: int, seed: int, name: str = "") -> None:
        self.length = length
        self._permutation = lru_cache(maxsize=2)(
            lambda epoch: torch.randperm(length, generator=stream(seed, "order", name, epoch))
        )

    def at(self, position: int, count: int) -> Tensor:
        """The indices [count], int64, at positions position … position + count - 1."""
        pieces = []
        while count > 0:
            epoch, start = divmod(position, self.length)
            piece = self._permutation(epoch)[start : start + count]
            pieces.append(piece)
            position, count = position + len(piece), count - len(piece)
        return torch.cat(pieces)


class Loader:
    """Draws batches of a data set, on its device, flipped and cropped if asked.

    Args:
        crop: height and width to cut at random from larger packed images, those of the first domain where these differ
            in size; None for the whole.
        flip: mirror each image with probability one half.
        paired: row i of each domain belongs together: the same index, crop and flip for all of them.
    """

    def __init__(
        self, dataset: Dataset, seed: int, crop: tuple[int, int] | None = None, flip: bool = False, paired: bool = False
    ) -> None:
        self.dataset = dataset
        self.crop = crop
        self.flip = flip
        self.paired = paired
        self.domains = domain_names(dataset.parts)
        shared = self.domains[0] if self.domains and paired else ""
        self.orders = {
            name: Order(len(part), seed, shared or (name if self.domains else ""))
            for name, part in dataset.parts.items()
        }

    def __len__(self) -> int:
        """Items in an epoch: of the largest domain."""
        return max(len(part) for part in self.dataset.parts.values())

    def draw(self, position: int, batch_size: int, share: Share = WHOLE) -> Batch:
        """The share's rows of the global batch at a position. Flip and crop draw from the step's random stream."""
        count = batch_size // share.parts
        images, labels, variation = {}, None, None
        for name, part in self.dataset.parts.items():
            order, mine = self.orders[name], slice(share.index * count, (share.index + 1) * count)
            indices = order.at(position, batch_size)[mine]
            images[name] = part.gather(indices)
            crop = None if self.crop is None else size_in(name, self.crop, self.dataset.sizes)
            if variation is None or not self.paired:
                variation = self._variation(images[name], crop)
            images[name] = _varied(images[name], *variation, crop)
            if labels is None and part.labels is not None:
                labels = part.labels[indices.to(part.labels.device, non_blocking=True)]
            part.prefetch(order.at(position + batch_size, batch_size)[mine])
        first = next(iter(images.values()))
        return Batch(first, labels, images if self.domains else {})

    def _variation(self, images: Tensor, crop: tuple[int, int] | None) -> tuple[Tensor | None, Tensor | None]:
        """Which images [B, …] to mirror, bool [B], and where to cut, [B, 2] of their sides in [0, 1); None for not."""
        mirrored = rows((len(images),), torch.rand, images.device) < 0.5 if self.flip else None
        if crop is None or crop == tuple(images.shape[2:]):
            return mirrored, None
        sides = torch.tensor(images.shape[2:])
        room = sides - torch.tensor(crop) + 1
        return mirrored, (rows((len(images), 2), torch.rand, "cpu") * room).long().double() / sides


def _varied(images: Tensor, mirrored: Tensor | None, corners: Tensor | None, crop: tuple[int, int] | None) -> Tensor:
    if mirrored is not None:
        images = torch.where(mirrored.view(-1, *[1] * (images.dim() - 1)), images.flip(-1), images)
    if corners is None or crop is None:
        return images
    height, width = crop
    places = (corners * torch.tensor(images.shape[2:])).round().long().tolist()
    cut = [image[:, y : y + height, x : x + width] for image, (y, x) in zip(images, places, strict=True)]
    return torch.stack(cut)
