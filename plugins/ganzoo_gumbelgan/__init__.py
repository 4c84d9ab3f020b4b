"""A GAN of letters: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="gumbelgan",
        title="Gumbel-softmax GAN",
        year=2016,
        paper="arXiv:1611.04051",
        summary="Words letter by letter: a softmax with noise lets gradients through what is a choice.",
        tasks={"unconditional"},
        resolutions=(),
        channels=(),
        licence="MIT",
        api=2,
        good_for="words and names, to see why text is hard",
        best="59.1 % spelled (words)",
        minutes=16,
        measured="a fifth of a core of an AMD EPYC",
        model="ganzoo_gumbelgan.model:GumbelGAN",
    )
