"""My GAN: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="my-gan",
        title="My GAN",
        year=2026,
        paper="arXiv:1802.05637",
        summary="Two small convolutional networks that are told the label; D by projection.",
        tasks={"conditional"},
        resolutions=(28, 32, 64),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        model="ganzoo_my_gan.model:MyGAN",
    )
