"""Conditional GAN (Mirza and Osindero 2014): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="cgan",
        title="Conditional GAN",
        year=2014,
        paper="arXiv:1411.1784",
        summary="One model for all labels: say which one to make. Small convolutional networks.",
        tasks={"conditional"},
        resolutions=(28, 32, 64),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        good_for="digits of the class one asks for",
        smallest_length=25_600,
        best="98.4 % confident (MNIST)",
        minutes=10,
        measured="one core of an AMD EPYC",
        model="ganzoo_cgan.model:CGAN",
    )
