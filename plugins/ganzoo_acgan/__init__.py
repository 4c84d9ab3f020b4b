"""ACGAN (Odena, Olah and Shlens 2017): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="acgan",
        title="ACGAN",
        year=2017,
        paper="arXiv:1610.09585",
        summary="D says which class it sees besides; small convolutional networks.",
        tasks={"conditional"},
        resolutions=(32, 64),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        good_for="photographs of the class one asks for",
        best="95.8 % confident (MNIST)",
        minutes=14,
        measured="one core of an AMD EPYC",
        model="ganzoo_acgan.model:ACGAN",
    )
