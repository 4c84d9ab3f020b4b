"""Adaptive discriminator augmentation: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import AugmentationCard, hookimpl


@hookimpl
def ganzoo_augmentations() -> Iterator[AugmentationCard]:
    yield AugmentationCard(
        name="ada",
        summary="As strong as it takes to keep D unsure.",
        paper="arXiv:2006.06676",
        api=2,
        augmentation="ganzoo_ada.ada:Ada",
    )
