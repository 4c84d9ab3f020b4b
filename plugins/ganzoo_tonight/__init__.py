"""tonight, ganzoo's own small baseline: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="tonight",
        title="tonight",
        year=2026,
        paper="arXiv:2501.05441",
        summary="A small baseline for an evening on two CPU cores: R3GAN's ideas in cheap convolutions, with SAN.",
        tasks={"unconditional"},
        resolutions=(8, 16, 32, 64, 128),
        channels=(1, 3),
        licence="MIT",
        api=2,
        bf16=True,
        good_for="faces and pictures on two CPU cores, within half an hour",
        smallest_data=6_144,
        smallest_length=20_000,
        best="swd 26.8 (real faces)",
        minutes=23,
        measured="one core of an AMD EPYC",
        model="ganzoo_tonight.model:Tonight",
    )
