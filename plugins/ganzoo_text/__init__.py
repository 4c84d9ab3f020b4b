"""Lines of text, a drawn set of words, and a score: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import DatasetCard, MetricCard, ModalityCard, hookimpl


@hookimpl
def ganzoo_modalities() -> Iterator[ModalityCard]:
    yield ModalityCard(
        name="text",
        summary="Short lines of text, such as names: a .txt file with one in each line.",
        items="lines",
        collections=(".txt",),
        example=(6, 8),
        api=2,
        modality="ganzoo_text.text:Text",
    )


@hookimpl
def ganzoo_datasets() -> Iterator[DatasetCard]:
    yield DatasetCard(
        name="words",
        summary="Invented words of two or three syllables, spelled by rules.",
        origin="drawn by ganzoo",
        api=2,
        dataset="ganzoo_text.words:Words",
    )


@hookimpl
def ganzoo_metrics() -> Iterator[MetricCard]:
    yield MetricCard(
        name="spelling",
        summary="Lines whose groups of three letters all occur in the data; how many differ, and are new.",
        api=2,
        modalities=("text",),
        better={"spelled": "larger", "distinct": "larger", "new": "larger"},
        metric="ganzoo_text.spelling:Spelling",
    )
