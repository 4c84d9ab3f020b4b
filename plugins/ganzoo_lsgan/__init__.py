"""LSGAN (Mao et al. 2017): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="lsgan",
        title="LSGAN",
        year=2017,
        paper="arXiv:1611.04076",
        summary="Least squares in place of cross-entropy, with the paper's deeper generator.",
        tasks={"unconditional"},
        resolutions=(32, 64, 112),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        bf16=True,
        good_for="clean digits in minutes",
        best="90.1 % confident (MNIST)",
        minutes=18,
        measured="one core of an AMD EPYC",
        model="ganzoo_lsgan.model:LSGAN",
    )
