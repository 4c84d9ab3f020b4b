"""Projected GAN (Sauer, Chitta, Müller and Geiger 2021): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="projected",
        title="Projected GAN",
        year=2021,
        paper="arXiv:2111.01007",
        summary="Another architecture's generator, judged by what a pretrained network sees, mixed at random.",
        tasks={"unconditional"},
        resolutions=(32, 64, 128, 256),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        good_for="photographs, with a pretrained network to judge them",
        model="ganzoo_projected.model:Projected",
    )
