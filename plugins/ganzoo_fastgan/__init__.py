"""FastGAN (Liu et al. 2021): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, LossCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="fastgan",
        title="FastGAN",
        year=2021,
        paper="arXiv:2101.04775",
        summary="For a hundred images and one evening: G excites itself, D must draw what it has seen.",
        tasks={"unconditional"},
        resolutions=(64, 128, 256, 512, 1024),
        channels=(1, 3),
        licence="MIT",
        api=2,
        good_for="a hundred to a few thousand pictures",
        smallest_data=200,
        best="swd 21.4 (real faces)",
        minutes=22,
        measured="one core of an Intel Xeon",
        batch_statistics=True,
        model="ganzoo_fastgan.model:FastGAN",
    )


@hookimpl
def ganzoo_losses() -> Iterator[LossCard]:
    yield LossCard(
        name="soft-hinge",
        summary="Hinge whose margin is drawn for each logit, FastGAN's.",
        paper="arXiv:2101.04775",
        api=2,
        loss="ganzoo_fastgan.loss:SoftHinge",
    )
