"""My data: what ganzoo lists without importing anything heavy."""

from collections.abc import Iterator

from ganzoo.api import DatasetCard, hookimpl


@hookimpl
def ganzoo_datasets() -> Iterator[DatasetCard]:
    yield DatasetCard(
        name="my-data",
        summary="Bright discs on a dark ground, labelled by their size.",
        origin="drawn by ganzoo-my-data",
        api=2,
        dataset="ganzoo_my_data.source:MyData",
    )
