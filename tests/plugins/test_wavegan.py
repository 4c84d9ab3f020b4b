"""WaveGAN: published counts and numbers, TensorFlow's alignment, shifts of the phase, lengths that it takes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from ganzoo_wavegan.model import shifted
from support.command_line import cli, refusal
from support.golden_numbers import GRADIENT, OUTPUT, near, stored

import ganzoo
import ganzoo.gan.penalties
from ganzoo.api import DataSpec, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts

WaveGAN = load_architecture(find("architecture", "wavegan"))


def build(length=16384, channels=1, **options):
    return WaveGAN(WaveGAN.Config(**options), DataSpec((channels, length), modality="signal"))


def take(network, numbers, names):
    with torch.no_grad():
        for theirs, layer in names.items():
            for kind in ("weight", "bias"):
                getattr(network.get_submodule(layer), kind).copy_(numbers[f"weights/{theirs}/{kind}"])


def check(network, numbers, names, mode):
    for key in numbers:
        if key.startswith(f"grad/{mode}/") and "/input/" not in key:
            theirs, kind = key.split("/")[2:]
            assert near(getattr(network.get_submodule(names[theirs]), kind).grad, numbers[key], GRADIENT), key


G = {"z_project": "dense"} | {f"upconv_{i}": f"layers.{i}" for i in range(5)}
D = {"output": "output"} | {f"downconv_{i}": f"layers.{i}" for i in range(5)}


@pytest.mark.parametrize(("length", "counts"), [(16384, (19_065_345, 17_427_969)), (65536, (73_149_953, 69_875_201))])
def test_parameter_counts(length, counts):
    with torch.device("meta"):
        assert tuple(parameter_counts(build(length)).values()) == counts


def test_published_numbers():
    options = {row["name"]: row["value"] for row in ganzoo.describe("wavegan", preset="paper")["options"]}
    wanted = {"lr": 1e-4, "beta1": 0.5, "beta2": 0.9, "n_critic": 5, "batch_size": 64, "latent_dim": 100, "shuffle": 2}
    assert {name: options[name] for name in wanted} == wanted
    assert (options["loss"], options["penalty"]) == ("wasserstein", "wgan-gp:weight=10")


def test_golden_generator():
    numbers = stored("wavegan_g")
    network = build(latent_dim=8, width=2).G.double()
    take(network, numbers, G)
    z = numbers["input/z"].requires_grad_()
    sounds = network(z)
    assert near(sounds, numbers["output/out"], OUTPUT)
    (sounds * numbers["probe/out"]).sum().backward()
    check(network, numbers, G, "out")
    assert near(z.grad, numbers["grad/out/input/z"], GRADIENT)


def test_golden_discriminator(monkeypatch):
    numbers = stored("wavegan_d")
    model = build(width=2, shuffle=0).double()
    take(model.D, numbers, D)
    real, fake = numbers["input/real"].requires_grad_(), numbers["input/fake"]
    for mode, shifts in (("out", [0] * 4), ("out_shuffled", numbers["input/shifts"].tolist())):
        model.zero_grad()
        scores = model.D(real, shifts)
        assert near(scores, numbers[f"output/{mode}"], OUTPUT)
        (scores * numbers["probe/out"]).sum().backward()
        check(model.D, numbers, D, mode)
        if mode == "out":
            assert near(real.grad[:1], numbers["grad/out/input/real_first"], GRADIENT)
    model.zero_grad()
    real = real.detach()
    d_real, d_fake = model.D(real), model.D(fake)
    monkeypatch.setattr(ganzoo.gan.penalties, "rows", lambda *_, **__: 1 - numbers["input/alpha"])
    penalty = model.penalties["wgan-gp"](model.D, real, fake, d_real, d_fake)
    assert near(penalty / 10, numbers["output/gp"], OUTPUT)
    loss = model.loss.discriminator(d_real, d_fake) + penalty
    assert near(loss, numbers["output/d_loss"], OUTPUT)
    assert near(model.loss.generator(d_fake), numbers["output/g_loss"], OUTPUT)
    loss.backward()
    check(model.D, numbers, D, "d_loss")


@pytest.mark.parametrize("by", [-2, 0, 1, 2])
def test_golden_shift(by):
    numbers = stored("wavegan_d")
    assert torch.equal(shifted(numbers["input/shuffle_x"], by), numbers[f"output/shuffle_{by}"])


def test_shifts_are_drawn_in_training_alone():
    torch.manual_seed(0)
    d = build(64, width=2).D
    deep = build(256, width=2).D
    x, y = torch.randn(2, 1, 64), torch.randn(2, 1, 256)
    assert torch.equal(d(x), d(x))  # of one layer, the last, whose features are not shifted
    assert len({deep(y).sum().item() for _ in range(20)}) > 1
    assert len({deep.eval()(y).sum().item() for _ in range(5)}) == 1


def test_the_prior_is_uniform():
    model = build(64, width=2, latent_dim=4)
    seen = []
    model.G.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    model.generate(torch.randn(20_000, 4, generator=torch.Generator().manual_seed(0)))
    assert seen[0].abs().max() <= 1
    assert seen[0].std().item() == pytest.approx(1 / 3**0.5, abs=0.01)
    assert seen[0].mean().item() == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("length", "near_it"), [(1000, 1024), (63, 64), (32768, 65536), (70000, 65536)])
def test_lengths_that_it_does_not_make(length, near_it):
    with pytest.raises(
        UsageError,
        match=f"those of this data have {length}; add it again with .*length={near_it}`.*tones:length={near_it}",
    ):
        build(length)


def test_images_are_refused():
    with pytest.raises(UsageError, match="WaveGAN makes signals"):
        WaveGAN(WaveGAN.Config(), DataSpec((3, 64, 64)))


def test_from_drawn_sounds_to_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    what = ("--width", "1", "--latent-dim", "4", "--batch-size", "4", "--n-critic", "1", "--device", "cpu")
    done = cli("train", "wavegan", "tones:images=16,length=64", *what, "--steps", "1", "--samples", "2", "--out", "run")
    assert done.exit_code == 0, done.output
    assert cli("sample", "run", "-n", "2", "-o", "two.wav").exit_code == 0
    assert Path("two.wav").read_bytes()[:4] == b"RIFF"
    assert "wavegan makes sounds of 64, 256" in refusal(cli("train", "wavegan", "tones:images=16,length=100", *what))
