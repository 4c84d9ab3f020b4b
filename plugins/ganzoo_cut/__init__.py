"""CUT and FastCUT (Park, Efros, Zhang and Zhu 2020): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="cut",
        title="CUT",
        year=2020,
        paper="arXiv:2007.15651",
        summary="Unpaired translation one way: each patch must keep what tells it from the other patches.",
        tasks={"translation"},
        resolutions=(32, 64, 128, 256),
        channels=(1, 3),
        licence="MIT",
        api=2,
        good_for="photographs of one kind into another, one way",
        best="94.8 % changed (anime-hair)",
        minutes=24,
        measured="one core of an AMD EPYC",
        model="ganzoo_cut.model:CUT",
    )
