"""LSGAN: the published networks' counts and shapes, and the labels a, b and c."""

from __future__ import annotations

import pytest
import torch

import ganzoo
from ganzoo.api import DataSpec, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture

LSGAN = load_architecture(find("architecture", "lsgan"))


def build(*shape: int, **options):
    return LSGAN(LSGAN.Config(**options), DataSpec(shape))


def on_meta(*shape: int, **options):
    with torch.device("meta"):
        return build(*shape, **options)


def shapes(network: torch.nn.Module, kinds: tuple[type, ...]) -> list[tuple[int, ...]]:
    seen: list[tuple[int, ...]] = []
    for layer in network.modules():
        if isinstance(layer, kinds):
            layer.register_forward_hook(lambda layer, _, out: seen.append(tuple(out.shape[1:])))
    return seen


def test_the_published_networks():
    described = ganzoo.describe("lsgan", preset="lsun-112")
    assert described["parameters"] == {"G": 15_591_427, "D": 4_333_441}
    assert described["counted_for"] == [3, 112, 112]
    options = {row["name"]: row["value"] for row in described["options"]}
    assert (options["lr"], options["beta1"], options["batch_size"], options["latent_dim"]) == (1e-3, 0.5, 64, 1024)
    model = on_meta(3, 112, 112, latent_dim=1024)
    convolutions = (torch.nn.Conv2d, torch.nn.ConvTranspose2d, torch.nn.Linear)
    g, d = shapes(model.G, convolutions), shapes(model.D, convolutions)
    images = model.G(torch.empty(2, 1024, device="meta"))
    assert model.D(images).shape == (2,)
    sides = [(256, 14), (256, 14), (256, 28), (256, 28), (128, 56), (64, 112), (3, 112)]
    assert g == [(256 * 49,), *((c, s, s) for c, s in sides)]
    assert d == [(64, 56, 56), (128, 28, 28), (256, 14, 14), (512, 7, 7), (1,)]
    assert not any(isinstance(layer, (torch.nn.Sigmoid, torch.nn.Tanh)) for layer in model.D.modules())


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 64, 96), (3, 16, 16)])
def test_sizes(shape):
    model = on_meta(*shape)
    images = model.generate(torch.empty(3, 100, device="meta"))
    assert images.shape == (3, *shape)
    assert model.D(images).shape == (3,)


@pytest.mark.parametrize(("shape", "words"), [((3, 28, 28), "multiples of 16"), ((2,), "makes images")])
def test_sizes_it_cannot_do(shape, words):
    with pytest.raises(UsageError, match=words):
        on_meta(*shape)


def test_labels_are_options():
    """REFERENCE figures: 0, 1, 1 and -1, 1, 0 on the same logits."""
    real, fake = torch.tensor([1.0, -0.5, 2.0, 0.3]), torch.tensor([-1.0, 0.2, 0.7, -0.4])
    for options, d, g in (
        ({}, 0.67875, 0.83625),
        (LSGAN.presets["pearson"], 1.05375, 0.21125),
        ({"loss": "lsgan:a=-1,b=1,c=0"}, 1.05375, 0.21125),
    ):
        loss = on_meta(3, 32, 32, **options).loss
        assert loss.discriminator(real, fake).item() == pytest.approx(d)
        assert loss.generator(fake).item() == pytest.approx(g)
        assert loss.score(real).tolist() == real.tolist()


def test_labels_belong_to_their_loss():
    assert type(on_meta(3, 32, 32, loss="hinge").loss).__name__ == "Hinge"
    with pytest.raises(UsageError, match="--a, --b and --c are labels of the loss lsgan, not of hinge"):
        on_meta(3, 32, 32, loss="hinge", a=-1.0)


def test_up_and_down_are_cut_as_in_the_reference():
    """A doubling puts the kernel's first tap on the pixel itself; a halving pads 1 before and 2 after."""
    from ganzoo_lsgan.model import Down, Up

    up, down = Up(1, 1), Down(1, 1)
    with torch.no_grad():
        for layer in (up, down):
            layer.weight.copy_(torch.arange(layer.weight.numel()).view_as(layer.weight))
            layer.bias.zero_()
        x = torch.zeros(1, 1, 2, 2)
        x[0, 0, 0, 0] = 1
        assert up(x)[0, 0].tolist() == [[0, 1, 2, 0], [3, 4, 5, 0], [6, 7, 8, 0], [0, 0, 0, 0]]
        y = torch.zeros(1, 1, 4, 4)
        y[0, 0, 0, 0] = 1
        assert down(y)[0, 0].tolist() == [[6, 0], [0, 0]]


def test_first_weights():
    torch.manual_seed(0)
    model = build(3, 32, 32)
    for module in model.modules():
        weight = getattr(module, "weight", None)
        if isinstance(module, torch.nn.BatchNorm2d):
            assert (weight == 1).all()
        elif weight is not None:
            cut = isinstance(module, torch.nn.Conv2d)
            assert weight.std().item() == pytest.approx(0.0176 if cut else 0.02, rel=0.05)
            assert weight.abs().max() <= 0.04 or not cut
            assert module.bias.abs().max() == 0


def test_trains(make_trainer):
    items = torch.rand(8, 1, 16, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    trainer = make_trainer(LSGAN, items=items, batch_size=4, latent_dim=4, width_g=2, width_d=2)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    assert set(trainer.step()) == {
        "loss/D", "loss/D/adversarial", "loss/G", "loss/G/adversarial", "D(x)", "D(G(z))", "D(G(z)) after",
    }  # fmt: skip
    assert [name for name, value in trainer.model.state_dict().items() if torch.equal(value, before[name])] == []
