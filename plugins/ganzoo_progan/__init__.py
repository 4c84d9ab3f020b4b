"""ProGAN (Karras, Aila, Laine and Lehtinen 2018): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="progan",
        title="ProGAN",
        year=2018,
        paper="arXiv:1710.10196",
        summary="Grows from 4×4 to 1024×1024, each new level faded in, with a Wasserstein critic.",
        tasks={"unconditional"},
        resolutions=(8, 16, 32, 64, 128, 256, 512, 1024),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        good_for="sharp pictures, grown from small ones",
        smallest_length=32_000,
        best="83.6 % confident (MNIST)",
        minutes=42,
        measured="one core of an AMD EPYC",
        model="ganzoo_progan.model:ProGAN",
    )
