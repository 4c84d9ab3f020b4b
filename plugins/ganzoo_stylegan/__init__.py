"""StyleGAN (Karras, Laine and Aila 2019): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="stylegan",
        title="StyleGAN",
        year=2019,
        paper="arXiv:1812.04948",
        summary="A growing generator steered by styles at each layer, which can be mixed.",
        tasks={"unconditional"},
        resolutions=(8, 16, 32, 64, 128, 256, 512, 1024),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        good_for="the cleanest faces; mixing of styles",
        smallest_data=6_144,
        smallest_length=24_000,
        best="swd 27.5 (real faces)",
        minutes=62,
        measured="one core of an AMD EPYC",
        model="ganzoo_stylegan.model:StyleGAN",
    )
