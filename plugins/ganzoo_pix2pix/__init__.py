"""pix2pix (Isola, Zhu, Zhou and Efros 2017): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="pix2pix",
        title="pix2pix",
        year=2017,
        paper="arXiv:1611.07004",
        summary="Translation learned from pairs: a U-Net, and a discriminator that sees both images.",
        tasks={"translation"},
        resolutions=(32, 64, 128, 256),
        channels=(1, 3),
        licence="MIT",
        batch_statistics=True,
        api=2,
        good_for="edges, maps or plans into pictures, from pairs",
        best="98.8 % changed (anime-edges)",
        minutes=21,
        measured="half a core of an AMD EPYC",
        smallest_length=12_000,
        model="ganzoo_pix2pix.model:Pix2Pix",
    )
