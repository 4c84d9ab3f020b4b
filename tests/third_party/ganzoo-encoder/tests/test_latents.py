"""What makes it one with an encoder: latents of images, copies, and a frozen network that never moves."""

from pathlib import Path

import ganzoo
import pytest
import torch
from ganzoo.api import Batch, DataSpec, Progress, UsageError

from ganzoo_encoder.eyes import EYES, tensors, write
from ganzoo_encoder.model import Encoder, EncoderConfig

TINY = {"preset": "small", "steps": 3, "batch_size": 8, "device": "cpu"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def weights(home: Path) -> None:
    """As `ganzoo weights add` puts them."""
    (home / "weights").mkdir(parents=True)
    write(home / "weights" / EYES.name)


@pytest.fixture
def small() -> Encoder:
    torch.manual_seed(0)
    model = Encoder(EncoderConfig(width=4, latent_dim=8), DataSpec((1, 28, 28)))
    model.eyes.load(tensors())
    return model


def test_the_frozen_network_sees_edges_and_no_even_grey(small: Encoder) -> None:
    even = torch.full((1, 1, 28, 28), 0.7)
    assert small.eyes(even)[:, :, 2:-2, 2:-2].abs().max() < 1e-3
    upright = torch.ones(1, 1, 28, 28)
    upright[..., :14] = -1  # brighter to the right
    found = small.eyes(upright)[0, :, 7, 6:8].amax(1)  # [8]: of each direction
    assert found.argmax() == 0
    assert found[4] == 0


def test_it_is_no_network_that_is_trained_or_saved(small: Encoder) -> None:
    assert not [name for name, _ in small.named_parameters() if name.startswith("eyes")]
    assert not [name for name in small.state_dict() if name.startswith("eyes")]


def test_who_moves(small: Encoder) -> None:
    real = torch.rand(4, 1, 28, 28) * 2 - 1
    progress = Progress(step=0, images=0, epoch=0, stage_images=0, total_images=8)
    turns = [(update.networks, update.name) for update in small.step(iter([Batch(real)]), progress)]
    assert turns == [("D", ""), ("G", ""), (("G", "E"), "copy")]


def test_copies_cost_nothing_where_they_are_the_same(small: Encoder) -> None:
    z = torch.randn(8, 8)
    terms = small.copies(small.generate(z).detach(), z)
    assert terms["copy"].item() == pytest.approx(0, abs=1e-6)
    assert small.copies(torch.ones(8, 1, 28, 28), z)["copy"] > 1e-4


@pytest.mark.usefixtures("weights")
def test_a_run_with_the_weights_encodes_and_brings_back() -> None:
    run = ganzoo.train("encoder", "digits:images=64", out="run", **TINY)
    model = ganzoo.load(run.path)
    images = model.sample(4, seed=1)
    z = model.encode(images)
    assert z.shape == (4, 16)
    assert torch.equal(z, model.encode(images))
    assert model.architecture.generate(z).shape == images.shape


@pytest.mark.usefixtures("home")
def test_without_the_weights_a_sentence_says_what_to_type() -> None:
    with pytest.raises(UsageError, match="ganzoo weights add encoder-eyes"):
        ganzoo.train("encoder", "digits:images=64", out="run", **TINY)
    assert not Path("run").exists()
