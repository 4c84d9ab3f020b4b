"""The drawn sounds, `tones`."""

import numpy as np
from ganzoo_signal.tones import Tones


def test_a_floor_of_noise_lies_below_the_same_sounds():
    clean, hissing = Tones(images=40, length=1024), Tones(images=40, length=1024, hiss=0.02)
    floors = np.stack([hissing.read(index) - clean.read(index) for index in range(40)])
    loudest = np.abs(floors).max(axis=(1, 2))
    assert 0.015 < loudest.max() <= 0.02
    assert loudest.min() < 0.005, "each sound has a floor of its own"
    assert [hissing.label(index) for index in range(40)] == [clean.label(index) for index in range(40)]
    assert hissing.fingerprint != clean.fingerprint


def test_sounds_without_a_floor_keep_their_fingerprint():
    """Packs and classifiers of earlier versions go on."""
    assert Tones().fingerprint == "tones-v1:4096:0:4096"
