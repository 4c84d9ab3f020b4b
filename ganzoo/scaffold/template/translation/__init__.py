"""My GAN: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="my-gan",
        title="My GAN",
        year=2026,
        paper="arXiv:1703.10593",
        summary="Unpaired translation there and back, with small convolutional networks.",
        tasks={"translation"},
        resolutions=(32, 64, 128),
        channels=(1, 3),
        licence="MIT",
        api=2,
        model="ganzoo_my_gan.model:MyGAN",
    )
