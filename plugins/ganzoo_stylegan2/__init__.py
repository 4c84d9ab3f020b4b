"""StyleGAN2 and StyleGAN2-ADA (Karras et al. 2020): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="stylegan2",
        title="StyleGAN2",
        year=2020,
        paper="arXiv:1912.04958",
        summary="Styles that scale the weights themselves, and smooth paths; with --augment ada for few images.",
        tasks={"unconditional", "conditional"},
        resolutions=(8, 16, 32, 64, 128, 256, 512, 1024),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        good_for="photographs of any size; a start from published weights",
        best="82.2 % confident (MNIST)",
        minutes=49,
        smallest_data=200,
        measured="one core of an AMD EPYC",
        model="ganzoo_stylegan2.model:StyleGAN2",
    )
