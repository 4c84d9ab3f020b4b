"""CycleGAN (Zhu, Park, Isola and Efros 2017): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="cyclegan",
        title="CycleGAN",
        year=2017,
        paper="arXiv:1703.10593",
        summary="Unpaired translation: there and back again should change nothing.",
        tasks={"translation"},
        resolutions=(64, 128, 256),
        channels=(1, 3),
        licence="MIT",
        api=2,
        bf16=True,
        good_for="photographs of one kind into another, without pairs",
        smallest_data=640,
        smallest_length=3_000,
        best="99.5 % changed (anime-hair)",
        minutes=8,
        measured="one core of an AMD EPYC",
        model="ganzoo_cyclegan.model:CycleGAN",
    )
