"""A translator that learns from pairs, and pairs to learn from: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, DatasetCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="paired",
        title="Paired",
        year=2017,
        paper="arXiv:1611.07004",
        summary="Translation one way, learned from pairs: a small pix2pix.",
        tasks={"translation"},
        resolutions=(32, 64),
        licence="MIT",
        api=2,
        model="ganzoo_paired.model:Paired",
    )


@hookimpl
def ganzoo_datasets() -> Iterator[DatasetCard]:
    yield DatasetCard(
        name="outlines",
        summary="Pairs: the outline of a shape (A) and the shape filled with a colour that its size says (B).",
        origin="drawn by ganzoo-paired",
        api=2,
        dataset="ganzoo_paired.outlines:Outlines",
    )
