"""The order of the data, and batches drawn in it.

Permutations of the data laid end to end, without end: what stands at a position depends on the seed and the position
alone, every batch is full, and several processes take their rows of one global batch.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from ganzoo.contract.data_spec import Batch
from ganzoo.contract.randomness import Share, rows, stream
from ganzoo.data import Dataset
from ganzoo.data.dataset import domain_names


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
        crop: height and width to cut at random from larger packed images; None for the whole.
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

    def draw(self, position: int, batch_size: int, share: Share) -> Batch:
        """The share's rows of the global batch at a position. Flip and crop draw from the step's random stream."""
        count = batch_size // share.parts
        images, labels, variation = {}, None, None
        for name, part in self.dataset.parts.items():
            order, mine = self.orders[name], slice(share.index * count, (share.index + 1) * count)
            indices = order.at(position, batch_size)[mine]
            images[name] = part.gather(indices)
            if variation is None or not self.paired:
                variation = self._variation(images[name])
            images[name] = self._varied(images[name], *variation)
            if labels is None and part.labels is not None:
                labels = part.labels[indices.to(part.labels.device, non_blocking=True)]
            if self.dataset.on_the_fly:
                part.prefetch(order.at(position + batch_size, batch_size)[mine])
        first = next(iter(images.values()))
        return Batch(first, labels, images if self.domains else {})

    def _variation(self, images: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Which images [B, …] to mirror, bool [B], and where in the room to cut, [B, 2] in [0, 1); None for not."""
        mirrored = rows((len(images),), torch.rand, images.device) < 0.5 if self.flip else None
        cut = self.crop is not None and self.crop != tuple(images.shape[2:])
        return mirrored, rows((len(images), 2), torch.rand, "cpu") if cut else None

    def _varied(self, images: Tensor, mirrored: Tensor | None, places: Tensor | None) -> Tensor:
        if mirrored is not None:
            images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        if places is None or self.crop is None:
            return images
        height, width = self.crop
        room = torch.tensor([images.shape[2] - height + 1, images.shape[3] - width + 1])
        corners = (places * room).long().tolist()
        cut = [image[:, y : y + height, x : x + width] for image, (y, x) in zip(images, corners, strict=True)]
        return torch.stack(cut)
