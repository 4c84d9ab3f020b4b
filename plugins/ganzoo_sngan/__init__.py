"""SNGAN (Miyato et al. 2018): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="sngan",
        title="SNGAN",
        year=2018,
        paper="arXiv:1802.05957",
        summary="Residual networks, a spectrally normalised D, hinge loss; with classes, projection.",
        tasks={"unconditional", "conditional"},
        resolutions=(32, 48, 64, 128),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        bf16=True,
        good_for="natural images and classes, steadily",
        smallest_length=16_384,
        best="81.4 % confident (MNIST)",
        minutes=35,
        measured="one shared core of an AMD EPYC",
        model="ganzoo_sngan.model:SNGAN",
    )
