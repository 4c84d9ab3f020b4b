"""BigGAN (Brock, Donahue and Simonyan 2019): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="biggan",
        title="BigGAN",
        year=2019,
        paper="arXiv:1809.11096",
        summary="Classes in every block of G, which also gets its own piece of z; truncation.",
        tasks={"conditional"},
        resolutions=(32, 64, 128, 256),
        channels=(1, 3),
        licence="MIT",
        api=2,
        batch_statistics=True,
        good_for="many classes in large images; truncation",
        best="99.2 % confident (MNIST, by class)",
        minutes=21,
        measured="one core of an AMD EPYC",
        model="ganzoo_biggan.model:BigGAN",
    )
