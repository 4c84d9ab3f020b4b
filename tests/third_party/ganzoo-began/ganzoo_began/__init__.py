"""BEGAN (Berthelot, Schumm and Metz 2017): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import Card, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[Card]:
    yield Card(
        name="began",
        title="BEGAN",
        year=2017,
        paper="arXiv:1703.10717",
        summary="D is an autoencoder; a controller keeps its errors on real and generated images in proportion.",
        tasks={"unconditional"},
        resolutions=(32, 64, 128),
        channels=(1, 3),
        licence="MIT",
        api=1,
        model="ganzoo_began.model:BEGAN",
    )
