"""Sounds and other signals, and a drawn set of them: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import DatasetCard, ModalityCard, hookimpl


@hookimpl
def ganzoo_modalities() -> Iterator[ModalityCard]:
    yield ModalityCard(
        name="signal",
        summary="Sounds and other signals of one length: WAV, and FLAC and others with the extra `sound`.",
        items="sounds",
        suffixes=(".wav", ".flac", ".ogg", ".oga", ".mp3", ".aiff", ".aif"),
        example=(1, 1024),
        api=2,
        modality="ganzoo_signal.signal:Signal",
    )


@hookimpl
def ganzoo_datasets() -> Iterator[DatasetCard]:
    yield DatasetCard(
        name="tones",
        summary="Short sounds of 8 kinds: pure, square, saw, bell, chirp, tremolo, noise, click.",
        origin="drawn by ganzoo",
        api=2,
        dataset="ganzoo_signal.tones:Tones",
    )
