"""Tables of numbers and categories, and a drawn one: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import DatasetCard, ModalityCard, hookimpl


@hookimpl
def ganzoo_modalities() -> Iterator[ModalityCard]:
    yield ModalityCard(
        name="table",
        summary="Rows of numbers and categories, with gaps: CSV, and Parquet with the extra `table`.",
        items="rows",
        collections=(".csv", ".tsv", ".parquet"),
        example=(10,),
        api=2,
        modality="ganzoo_table.table:Table",
    )


@hookimpl
def ganzoo_datasets() -> Iterator[DatasetCard]:
    yield DatasetCard(
        name="people",
        summary="A table of invented people, whose columns depend on each other.",
        origin="drawn by ganzoo",
        api=2,
        dataset="ganzoo_table.people:People",
    )
