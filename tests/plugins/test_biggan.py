"""BigGAN: published counts, the numbers of both kinds of G and of D, truncation, orthogonal regularisation."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from ganzoo_biggan.model import correlation, cut_off
from support.golden_numbers import GRADIENT, OUTPUT, check_layers, near, stored, take_layers

import ganzoo
from ganzoo.api import DataSpec, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts
from ganzoo.gan.losses import Hinge

BigGAN = load_architecture(find("architecture", "biggan"))
FIVE = tuple("abcde")
FIELDS = {field.name for field in dataclasses.fields(BigGAN.Config)}
PARTS = {"bn1": "norm1", "bn2": "norm2", "conv1": "conv1", "conv2": "conv2", "conv_sc": "shortcut"}
NORMS = {"": ".norm", ".gain": ".gain", ".bias": ".shift"}
G = {"linear": "dense", "shared": "shared", "output_layer.0": "norm", "output_layer.2": "to_image"}
G |= {f"blocks.1.1{part}": f"attention{part}" for part in ("", ".theta", ".phi", ".g", ".o")}
G |= {
    f"blocks.{i}.0.{theirs}{kind}": f"blocks.{i}.{ours}{tail}"
    for i in range(3)
    for theirs, ours in PARTS.items()
    for kind, tail in (NORMS if "bn" in theirs else {"": ""}).items()
}
D = {"linear": "head.dense", "embed": "head.embed"} | {
    f"blocks.{i}.0.{theirs}": f"blocks.{i}.{ours}" for i in range(4) for theirs, ours in PARTS.items()
}


def build(classes=FIVE, side=32, preset=None, **options):
    row = {**(BigGAN.presets[preset] if preset else {}), **options}
    config = BigGAN.Config(**{name: value for name, value in row.items() if name in FIELDS})
    return BigGAN(config, DataSpec((3, side, side), classes))


@pytest.mark.parametrize(
    ("preset", "side", "classes", "counts"),
    [("cifar", 32, 10, (4_304_387, 4_207_361)), ("imagenet-128", 128, 1000, (70_433_988, 87_982_370))],
)
def test_parameter_counts(preset, side, classes, counts):
    with torch.device("meta"):
        model = build(tuple(map(str, range(classes))), side, preset)
    assert tuple(parameter_counts(model).values()) == counts


def test_published_numbers():
    options = {row["name"]: row["value"] for row in ganzoo.describe("biggan", preset="cifar")["options"]}
    wanted = {"lr": 2e-4, "beta1": 0.0, "beta2": 0.999, "n_critic": 4, "batch_size": 50, "loss": "hinge", "epochs": 500}
    assert {name: options[name] for name in wanted} == wanted
    steps = options["ema"] / (50 * 4)  # ajbrock's decay of 0.9999 a step, each of which draws four batches
    assert 0.5 ** (1 / steps) == pytest.approx(0.9999, abs=1e-7)


KINDS = {
    "biggan_g": {"latent_dim": 20, "width": 4, "hierarchical": True, "shared": 6, "attention": 16, "sn_eps": 1e-6},
    "biggan_c10_g": {"latent_dim": 12, "width": 2, "sn_eps": 1e-12},
}


@pytest.mark.parametrize("which", KINDS)
def test_golden_generator(which):
    numbers = stored(which)
    network = build(**KINDS[which]).G.double()
    take_layers(network, numbers, G)
    z, label = numbers["input/z"].requires_grad_(), numbers["input/labels"]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images = network(z, label)
    assert near(images, numbers["output/train"], OUTPUT)
    (images * numbers["probe/train"]).sum().backward()
    check_layers(network, numbers, G, "grad/train/", GRADIENT)
    check_layers(network, numbers, G, "after_train/", OUTPUT)
    assert near(z.grad, numbers["grad/train/input/z"], GRADIENT)
    network.load_state_dict(before)
    assert near(network.eval()(z, label), numbers["output/eval"], OUTPUT)


def test_golden_discriminator():
    numbers = stored("biggan_d")
    network = build(width=4, sn_eps=1e-6).D.double()
    take_layers(network, numbers, D)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images, label = numbers["input/images"].requires_grad_(), numbers["input/labels"]
    logits = network(images, label)
    assert near(logits, numbers["output/train"].flatten(), OUTPUT)
    (logits * numbers["probe/train"].flatten()).sum().backward()
    check_layers(network, numbers, D, "grad/train/", GRADIENT)
    check_layers(network, numbers, D, "after_train/", OUTPUT)
    assert near(images.grad[:1], numbers["grad/train/input/images_first"], GRADIENT)
    if "output/hinge_d" in numbers:
        assert near(Hinge().discriminator(logits, numbers["input/fake_scores"]), numbers["output/hinge_d"], OUTPUT)
    network.load_state_dict(before)
    assert near(network.eval()(images, label), numbers["output/eval"].flatten(), OUTPUT)


def test_truncation_is_of_the_normal_distribution_cut_off_at_2():
    z = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0))
    cut = cut_off(z)
    assert cut.abs().max() <= 2 + 1e-5
    assert cut.std().item() == pytest.approx(0.8796, abs=0.01)  # of N(0, 1) between -2 and 2
    assert (cut.gather(0, z.argsort(0)).diff(dim=0) >= 0).all()
    model = build(width=2, latent_dim=8).eval()
    label = torch.arange(4)
    with torch.no_grad():
        whole, half, none = (model.generate(z[:4, :1].expand(4, 8), label, psi) for psi in (1.0, 0.5, 0.0))
        assert torch.equal(whole, model.G(z[:4, :1].expand(4, 8), label))
        assert torch.equal(none, model.G(torch.zeros(4, 8), label))
    assert not torch.equal(whole, half)


def test_orthogonal_regularisation_is_0_for_orthogonal_rows_and_pulls_alike_ones_apart():
    layer = torch.nn.Linear(4, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(4)[:3] * 2)
        assert correlation(layer) == 0
        layer.weight[1] = layer.weight[0]
        assert correlation(layer) == 2 * 4.0**2


@pytest.mark.parametrize("orthogonal", [0.0, 1e-4])
def test_one_step(orthogonal):
    from conftest import Items

    from ganzoo.data.loader import Loader
    from ganzoo.loop.trainer import Extent, Trainer

    torch.manual_seed(0)
    model = build(
        width=2,
        latent_dim=8,
        hierarchical=True,
        shared=4,
        n_critic=1,
        orthogonal=orthogonal,
        first_weights="orthogonal",
    )
    items = Items(torch.rand(8, 3, 32, 32) * 2 - 1, torch.arange(8) % 5)
    trainer = Trainer(model, Loader(items, 0), batch_size=4, half_life=100, extent=Extent(0, 100))
    before = {name: value.clone() for name, value in model.named_parameters()}
    values = trainer.step()
    assert ("loss/G/orthogonal" in values) == bool(orthogonal)
    assert not torch.equal(model.G.shared.weight, before["G.shared.weight"])
    assert trainer.model.optimizer("G", [torch.nn.Parameter(torch.zeros(1))]).param_groups[0]["eps"] == 1e-8


@pytest.mark.parametrize(
    ("side", "classes", "options", "words"),
    [
        (48, FIVE, {}, "biggan cannot do 48×48; use --resolution with one of 32, 64, 128, 256"),
        (32, (), {}, "biggan needs a class for each image, and this data set has none"),
        (32, FIVE, {"attention": 64}, "--attention 64 is the side of no map here; there are 8, 16, 32"),
        (32, FIVE, {"hierarchical": True}, "--hierarchical takes --shared, and a --latent-dim of 4 or more"),
    ],
)
def test_refusals(side, classes, options, words):
    with pytest.raises(UsageError, match=words):
        build(classes, side, **options)
