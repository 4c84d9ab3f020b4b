"""A small GAN of sounds: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="waves",
        title="Waves",
        year=2019,
        paper="arXiv:1802.04208",
        summary="Sounds by convolutions in one dimension, a small WaveGAN.",
        licence="MIT",
        api=2,
        model="ganzoo_waves.model:Waves",
    )
