"""DiscoGAN (Kim, Cha, Kim, Lee and Kim 2017): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="discogan",
        title="DiscoGAN",
        year=2017,
        paper="arXiv:1703.05192",
        summary="Unpaired translation through a narrow core, with reconstruction and feature matching.",
        tasks={"translation"},
        resolutions=(64, 128),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        good_for="a quick, coarse translation, without pairs",
        smallest_length=40_960,
        best="100 % changed (anime-hair)",
        minutes=17,
        measured="one core of an AMD EPYC",
        model="ganzoo_discogan.model:DiscoGAN",
    )
