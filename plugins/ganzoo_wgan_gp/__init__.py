"""WGAN-GP (Gulrajani et al. 2017): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="wgan-gp",
        title="WGAN-GP",
        year=2017,
        paper="arXiv:1704.00028",
        summary="A critic of the Wasserstein distance, held to slope 1 by a gradient penalty.",
        tasks={"unconditional"},
        resolutions=(28, 32, 64),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        bf16=True,
        good_for="steady training without tuning",
        smallest_length=40_000,
        best="80.4 % confident (MNIST)",
        minutes=21,
        measured="one core of an AMD EPYC",
        model="ganzoo_wgan_gp.model:WGANGP",
    )
