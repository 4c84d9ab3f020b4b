"""My modality: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import DatasetCard, ModalityCard, hookimpl


@hookimpl
def ganzoo_modalities() -> Iterator[ModalityCard]:
    yield ModalityCard(
        name="my-modality",
        summary="Curves: numbers in a row, one file each.",
        items="curves",
        suffixes=(".npy",),
        example=(1, 64),
        api=2,
        modality="ganzoo_my_modality.modality:MyModality",
    )


@hookimpl
def ganzoo_datasets() -> Iterator[DatasetCard]:
    yield DatasetCard(
        name="my-modality-waves",
        summary="Drawn waves, to try it with.",
        origin="drawn by ganzoo-my-modality",
        api=2,
        dataset="ganzoo_my_modality.waves:Waves",
    )
