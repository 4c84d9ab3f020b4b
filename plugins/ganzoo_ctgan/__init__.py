"""CTGAN (Xu et al. 2019): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="ctgan",
        title="CTGAN",
        year=2019,
        paper="arXiv:1907.00503",
        summary="Rows of a table: modes of numbers, and rare categories as often as frequent ones.",
        tasks={"unconditional"},
        resolutions=(),
        channels=(),
        licence="MIT",
        batch_statistics=True,
        api=2,
        good_for="tables of numbers and categories",
        smallest_data=426,
        model="ganzoo_ctgan.model:CTGAN",
    )
