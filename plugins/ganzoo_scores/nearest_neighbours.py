"""Does the generator copy? Its samples beside the training images nearest to them. This module is public."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganzoo.api import Evidence, Items, Scores, UsageError, grid, option, replaced

LARGEST = 32  # pixels a side that images are compared at
SHEET = 16  # samples on the sheet
SHOWN = 5  # nearest training images beside each
PIECE = 2048  # training images at a time


@dataclass(frozen=True)
class NearestTraining:
    """Mean distance of a sample to the training image nearest to it, beside that of images held out from the search.

    A generator that copies is much nearer to the data than real images are to each other. Distances are root mean
    square differences of pixels in [-1, 1], of images averaged down to at most 32 pixels a side. Training saw the
    held-out images as well; they are only left out of the search.

    Leaves nearest.png in the run's folder: in each row a sample, then the nearest training images, nearest first.
    """

    queries: int = option(1000, "samples, and held-out images, that are looked up", low=1)

    def __call__(self, evidence: Evidence) -> Scores:
        if evidence.dataset is None or evidence.fake.dim() != 4:
            raise UsageError("Nearest training images need a data set of images, of one domain.")
        if evidence.foreign:
            raise UsageError("Nearest training images are those of the data that the model was trained on.")
        training, held_out = evidence.dataset.split()
        if evidence.label is not None:
            training, held_out = training.labelled(evidence.label), held_out.labelled(evidence.label)
        if len(training) < SHOWN or not len(held_out):
            raise UsageError(f"{evidence.dataset.name} has too few images to look for the nearest ones.")
        fake = evidence.fake[: self.queries]
        real = held_out.gather(torch.arange(min(self.queries, len(held_out))))
        distances, places = nearest(torch.cat([fake, real]), training, SHOWN)
        if evidence.folder is not None:
            with replaced(evidence.folder / "nearest.png") as part:
                _sheet(fake, training, places).save(part)
        values = {
            "nearest": distances[: len(fake), 0].double().mean().item(),
            "nearest-real": distances[len(fake) :, 0].double().mean().item(),
        }
        return Scores(values, searched=len(training), held_out=len(real), side=min(_reduced(fake[:1]).shape[2:]))


def nearest(images: Tensor, part: Items, count: int) -> tuple[Tensor, Tensor]:
    """The items of a data set nearest to each image: distances [N, count], smallest first, and their places there."""
    queries = _reduced(images).flatten(1)
    best = torch.full((len(queries), count), torch.inf)
    places = torch.zeros(len(queries), count, dtype=torch.int64)
    for some in torch.split(torch.arange(len(part)), PIECE):
        found = _squared(queries, _reduced(part.gather(some)).flatten(1))
        all_of_them, their_places = torch.cat([best, found], 1), torch.cat([places, some.expand(len(queries), -1)], 1)
        best, order = all_of_them.topk(count, dim=1, largest=False)
        places = their_places.gather(1, order)
    return (best / queries.shape[1]).sqrt(), places


def _squared(a: Tensor, b: Tensor) -> Tensor:
    """Squared distances [N, M] of vectors [N, D] and [M, D]."""
    return (a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T).clamp_min(0)


def _reduced(images: Tensor) -> Tensor:
    height, width = (min(side, LARGEST) for side in images.shape[2:])
    return images.contiguous() if images.shape[2:] == (height, width) else adaptive_avg_pool2d(images, (height, width))


def _sheet(fake: Tensor, training: Items, places: Tensor) -> Image.Image:
    """A row for each of a few samples: it, and the training images nearest to it."""
    rows = [
        torch.cat([sample[None], training.gather(near)]) for sample, near in zip(fake[:SHEET], places, strict=False)
    ]
    return grid(torch.cat(rows), SHOWN + 1)
