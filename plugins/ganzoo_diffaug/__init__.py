"""Differentiable augmentation: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import AugmentationCard, hookimpl


@hookimpl
def ganzoo_augmentations() -> Iterator[AugmentationCard]:
    yield AugmentationCard(
        name="diffaug",
        summary="Colour, translation and cutout.",
        paper="arXiv:2006.10738",
        api=2,
        aliases=("diffaugment",),
        augmentation="ganzoo_diffaug.augment:DiffAugment",
    )
