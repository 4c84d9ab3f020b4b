"""Points: vectors of numbers. What is listed without importing torch."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import ModalityCard, hookimpl


@hookimpl
def ganzoo_modalities() -> Iterator[ModalityCard]:
    yield ModalityCard(
        name="point",
        summary="Vectors of numbers, such as points of the plane.",
        items="points",
        example=(2,),
        api=2,
        modality="ganzoo_point.points:Points",
    )
