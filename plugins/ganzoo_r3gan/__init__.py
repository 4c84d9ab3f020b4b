"""R3GAN (Huang, Gokaslan, Kuleshov and Tompkin 2024): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="r3gan",
        title="R3GAN",
        year=2024,
        paper="arXiv:2501.05441",
        summary="A plain modern baseline: residual networks, a relativistic loss, R1 and R2, and no tricks.",
        tasks={"unconditional", "conditional"},
        resolutions=(8, 16, 32, 64, 128, 256, 512, 1024),
        channels=(1, 3),
        licence="MIT",
        api=2,
        good_for="a modern baseline without tricks",
        best="88.2 % confident (MNIST)",
        minutes=33,
        measured="one core of an Intel Xeon with AVX-512",
        model="ganzoo_r3gan.model:R3GAN",
    )
