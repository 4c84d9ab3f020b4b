"""WaveGAN (Donahue, McAuley and Puckette 2019): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="wavegan",
        title="WaveGAN",
        year=2019,
        paper="arXiv:1802.04208",
        summary="Sounds, sample by sample, by long convolutions; D does not hear their phase.",
        tasks={"unconditional"},
        resolutions=(),
        channels=(),
        licence="MIT",
        api=2,
        good_for="sounds of one length",
        model="ganzoo_wavegan.model:WaveGAN",
    )
