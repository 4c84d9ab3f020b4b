"""TransGAN (Jiang, Chang and Wang 2021): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="transgan",
        title="TransGAN",
        year=2021,
        paper="arXiv:2102.07074",
        summary="Two transformers and no convolution: attention over pixels, and over patches.",
        tasks={"unconditional"},
        resolutions=(32, 48),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,  # its drift penalty squares the batch's mean
        good_for="seeing what transformers alone can draw",
        smallest_length=88_000,
        best="61.9 % confident (MNIST)",
        minutes=86,
        measured="one core of an AMD EPYC",
        model="ganzoo_transgan.model:TransGAN",
    )
