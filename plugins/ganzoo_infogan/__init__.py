"""InfoGAN (Chen et al. 2016): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="infogan",
        title="InfoGAN",
        year=2016,
        paper="arXiv:1606.03657",
        summary="Codes in the noise that a third network reads back from the images; nobody gives labels.",
        tasks={"unconditional"},
        resolutions=(28, 32, 64),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        good_for="finding what varies in unlabelled data",
        best="85.2 % confident (MNIST)",
        minutes=7,
        measured="one core of an AMD EPYC",
        smallest_length=24_576,
        model="ganzoo_infogan.model:InfoGAN",
    )
