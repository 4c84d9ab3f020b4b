"""My augmentation: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import AugmentationCard, hookimpl


@hookimpl
def ganzoo_augmentations() -> Iterator[AugmentationCard]:
    yield AugmentationCard(
        name="my-augmentation",
        summary="Noise on everything that D sees.",
        paper="arXiv:1610.04490",
        api=2,
        augmentation="ganzoo_my_augmentation.augmentation:MyAugmentation",
    )
