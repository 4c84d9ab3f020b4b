"""What makes it a GAN of sounds: lengths, phase shuffle, and what it refuses."""

import pytest
import torch
from ganzoo.api import DataSpec, UsageError

from ganzoo_waves.model import PhaseShuffle, Waves, WavesConfig, shortenings

SMALL = WavesConfig(width=4, latent_dim=8)


def sounds(channels: int, length: int) -> DataSpec:
    return DataSpec((channels, length), modality="signal")


@pytest.mark.parametrize(("channels", "length"), [(1, 64), (2, 256), (1, 4096)])
def test_sounds_have_the_length_and_channels_of_the_data(channels: int, length: int) -> None:
    model = Waves(SMALL, sounds(channels, length))
    made = model.generate(model.noise(3))
    assert made.shape == (3, channels, length)
    assert made.abs().max() <= 1
    assert model.D(made).shape == (3,)


def test_of_16384_samples_the_five_layers_of_the_paper() -> None:
    assert shortenings(16384) == 5


@pytest.mark.parametrize("length", [16, 100, 128, 5000])
def test_other_lengths_are_refused_in_a_sentence(length: int) -> None:
    with pytest.raises(UsageError, match="choose one of these lengths"):
        Waves(SMALL, sounds(1, length))


def test_images_are_refused() -> None:
    with pytest.raises(UsageError, match="signals"):
        Waves(SMALL, DataSpec((1, 32, 32)))


def test_phase_shuffle_moves_each_sound_by_at_most_so_much() -> None:
    torch.manual_seed(0)
    ramp = torch.arange(20.0).expand(200, 3, 20)
    moved = PhaseShuffle(2)(ramp)
    steps = (moved - ramp)[:, :, 5:15]
    assert steps.unique().tolist() == [-2, -1, 0, 1, 2]
    assert (steps == steps[:, :1, :1]).all()  # one step for all of a sound
    assert torch.equal(PhaseShuffle(2).eval()(ramp), ramp)
