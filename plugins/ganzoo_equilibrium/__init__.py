"""BEGAN (Berthelot, Schumm and Metz 2017): what ganzoo lists without importing torch.

The module is not called ganzoo_began: that is a third party's, of which an older one is among the tests.
"""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="began",
        title="BEGAN",
        year=2017,
        paper="arXiv:1703.10717",
        summary="D is an autoencoder; a controller keeps its errors on real and generated images in proportion.",
        tasks={"unconditional"},
        resolutions=(28, 32, 64, 128),
        channels=(1, 3),
        licence="MIT",
        api=2,
        good_for="smooth faces, and a figure that says when to stop",
        model="ganzoo_equilibrium.model:BEGAN",
    )
