"""SAGAN (Zhang et al. 2019): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="sagan",
        title="SAGAN",
        year=2019,
        paper="arXiv:1805.08318",
        summary="SNGAN's networks, each pixel of a map attending to all others; both players normalised.",
        tasks={"unconditional", "conditional"},
        resolutions=(32, 64, 128),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        good_for="classes whose far parts must fit together",
        best="99.8 % confident (MNIST, by class)",
        minutes=23,
        measured="half of one core of an AMD EPYC",
        model="ganzoo_sagan.model:SAGAN",
    )
