"""StarGAN (Choi et al. 2018): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="stargan",
        title="StarGAN",
        year=2018,
        paper="arXiv:1711.09020",
        summary="One generator between all domains, or to any labels; the discriminator also says which.",
        tasks={"translation"},
        resolutions=(32, 64, 128, 256),
        channels=(1, 3),
        licence="MIT",
        api=2,
        good_for="several kinds of pictures into one another, by one model",
        best="93.0 % changed (anime-families)",
        minutes=14,
        measured="one core of an AMD EPYC",
        model="ganzoo_stargan.model:StarGAN",
    )
