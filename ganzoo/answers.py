"""Judging translations: what a model makes of one domain's images, beside the true answers where the data knows them.

A source of data that knows them has ``partner(index, size)``: item `index` as it would be in the other domain. Training
never sees it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from ganzoo import data
from ganzoo.data.source import as_image
from ganzoo.errors import UsageError
from ganzoo.metrics import Evidence
from ganzoo.model import Model
from ganzoo.pictures import from_picture
from ganzoo.randomness import stream


@dataclass(frozen=True)
class TranslationError:
    """Mean absolute difference from the true answers, in steps of 1/255: of the translations, and of doing nothing.

    A translation is worth something where its error is well below that of its image as it was.
    """

    def __call__(self, evidence: Evidence) -> dict[str, float]:
        if evidence.truth is None or evidence.given is None:
            raise UsageError("The metric translation needs data that knows the true answers, such as anime-hair.")
        done, nothing = (127.5 * l1_loss(each, evidence.truth).item() for each in (evidence.fake, evidence.given))
        return {"translation": done, "translation-doing-nothing": nothing}


def translations(model: Model, dataset: data.Dataset, samples: int, seed: int) -> tuple[Evidence, str]:
    """Images of the first domain translated to the last, and the name of the split they are from.

    Held-out images where both domains have some.
    """
    first, last = model.domains[0], model.domains[-1]
    split, names = "training", (first, last)
    if {f"test{first}", f"test{last}"} <= set(dataset.held_out):
        split, names = "held out", (f"test{first}", f"test{last}")
    parts = [{**dataset.parts, **dataset.held_out}[name] for name in names]
    samples = min(samples, *map(len, parts))
    if samples < 2:
        raise UsageError(
            f"At least two images of each domain are needed to compare; {dataset.name} has fewer held out."
        )
    places = [torch.randperm(len(part), generator=stream(seed, "evaluate", part_name))[:samples]
              for part, part_name in zip(parts, names, strict=True)]  # fmt: skip
    given, real = (part.gather(some).contiguous() for part, some in zip(parts, places, strict=True))
    truth = _truth(dataset, names[0], places[0])
    return Evidence(real, model.translate(given, last).contiguous(), seed, given, truth), split


def _truth(dataset: data.Dataset, domain: str, places: Tensor) -> Tensor | None:
    """The true answers to items of a domain, [N, C, H, W] in [-1, 1]; None where the data does not know them."""
    source = data.open_source(dataset.name)
    partner = getattr(source, "partner", None)
    if partner is None:
        return None
    channels, height, width = dataset.shape
    items = source.domains[domain]
    pictures = [as_image(partner(items[place], (height, width))) for place in places.tolist()]
    return torch.cat([from_picture(picture, channels) for picture in pictures])
