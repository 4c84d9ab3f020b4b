"""ACGAN: its losses' numbers, who learns the classes, layers of the paper's table, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from conftest import Items
from ganzoo_acgan.model import classes_loss
from support.command_line import cli, refusal
from support.golden_numbers import GRADIENT, OUTPUT, near, stored
from torch import nn

from ganzoo.api import DataSpec, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.data.loader import Loader
from ganzoo.gan.losses import NonSaturating
from ganzoo.loop.trainer import Extent, Trainer

ACGAN = load_architecture(find("architecture", "acgan"))
NUMBERS = stored("auxiliary_losses")
TINY = {"latent_dim": 4, "widths_g": (4, 4), "widths_d": (4, 4, 4), "dropout": 0.0}


def build(shape=(3, 32, 32), classes=("a", "b", "c"), **options):
    return ACGAN(ACGAN.Config(**options), DataSpec(shape, classes))


def test_golden_losses():
    """Theirs are halved, D's twice; the sums and their gradients are ours."""
    names = ("real_logits", "real_class_logits", "fake_logits", "fake_class_logits")
    real, of_real, fake, of_fake = (NUMBERS[f"input/{name}"].requires_grad_() for name in names)
    loss = NonSaturating()
    classes = classes_loss(of_real, NUMBERS["input/real_labels"]) + classes_loss(of_fake, NUMBERS["input/fake_labels"])
    d = (loss.discriminator(real, fake) + classes) / 4
    g = (loss.generator(fake) + classes_loss(of_fake, NUMBERS["input/fake_labels"])) / 2
    for player, total, inputs in (("d", d, (real, of_real, fake, of_fake)), ("g", g, (fake, of_fake))):
        assert near(total, NUMBERS[f"output/acgan_{player}"], OUTPUT)
        given = names if player == "d" else names[2:]
        for name, gradient in zip(given, torch.autograd.grad(total, inputs, retain_graph=True), strict=True):
            assert near(gradient, NUMBERS[f"grad/acgan_{player}/input/{name}"], GRADIENT)


def test_layers_of_the_table():
    with torch.device("meta"):
        model = build(classes=tuple("0123456789"))
    seen = []
    for network in (model.G, model.D):
        for layer in network.modules():
            if isinstance(layer, (nn.Unflatten, nn.Conv2d, nn.ConvTranspose2d)):
                layer.register_forward_hook(lambda layer, _, out: seen.append(tuple(out.shape[1:3])))
    z, label = torch.empty(2, 100, device="meta"), torch.zeros(2, dtype=torch.int64, device="meta")
    assert model.D(model.G(z, label)).shape == (2,)
    assert seen[:4] == [(384, 4), (192, 8), (96, 16), (3, 32)]
    assert seen[4:] == [(16, 16), (32, 16), (64, 8), (128, 8), (256, 4), (512, 4)]
    assert model.D.classes(model.D.trunk(torch.empty(2, 3, 32, 32, device="meta"))).shape == (2, 10)


def trainer(**options) -> Trainer:
    items = Items(torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1, torch.arange(12) % 3)
    torch.manual_seed(0)
    model = build((1, 8, 8), **{**TINY, **options})
    return Trainer(model, Loader(items, 0), batch_size=4, half_life=100, extent=Extent(0, 100))


@pytest.mark.parametrize("options", [{}, {"penalty": "r1:gamma=1"}, {"augment": "diffaug"}], ids=str)
def test_one_step(options):
    run = trainer(**options)
    before = {name: value.clone() for name, value in run.model.named_parameters()}
    values = run.step()
    assert {"loss/D/adversarial", "loss/D/classes", "loss/G/classes", "classes right", "fake classes right"} <= set(
        values
    )
    moved = {name for name, value in run.model.named_parameters() if not torch.equal(value, before[name])}
    assert {"G.main.0.weight", "D.trunk.0.weight", "D.head.0.weight", "D.classes.weight"} <= moved


def test_both_players_learn_the_classes_by_their_weights():
    model = trainer(classes_d=3.0, classes_g=0.0).model
    real, label = torch.rand(4, 1, 8, 8), torch.arange(4) % 3
    fake = model.generate(model.noise(4), label)
    (d,) = model.critic_turn(real, fake.detach(), label, 0)
    (g,) = model.generator_turn(real, fake, label)
    of_real, of_fake = (model.judged(images)[1] for images in (real, fake))
    expected = 3 * (classes_loss(of_real, label) + classes_loss(of_fake, label))
    assert d.terms["classes"].item() == pytest.approx(expected.item(), rel=1e-4)
    assert g.terms["classes"].item() == 0


def test_the_class_is_told_beside_z():
    model = build(**TINY).eval()
    z = torch.randn(1, 4).expand(3, -1)
    assert model.generate(z, torch.arange(3)).flatten(1).unique(dim=0).shape[0] == 3
    assert dataclasses.replace(model.config).classes_d == 1.0


@pytest.mark.parametrize(
    ("shape", "classes", "options", "words"),
    [
        ((3, 32, 32), (), {}, "acgan needs a class for each image, and this data set has none"),
        ((3, 36, 36), ("a", "b"), {}, "acgan cannot do 36×36 with these widths: both sides must be multiples of 8"),
        ((2,), ("a", "b"), {}, "ACGAN makes images"),
        ((3, 32, 32), ("a", "b"), {"widths_g": ()}, "--widths-g and --widths-d take one number or more"),
        ((3, 32, 32), ("a", "b"), {"widths_d": ()}, "--widths-g and --widths-d take one number or more"),
    ],
)
def test_refusals(shape, classes, options, words):
    with pytest.raises(UsageError, match=words):
        build(shape, classes, **options)


def test_san_and_a_class_that_is_not_there(train):
    options = ("--resolution", "8", "--widths-g", "2,2", "--widths-d", "2,2", "--batch-size", "4", "--device", "cpu")
    line = refusal(cli("train", "acgan", "tiny", "--steps", "1", "--san", *options))
    assert "has no last layer that --san could split" in line
    run = train(architecture="acgan", data="tiny", steps=1, resolution=8, widths_g="2,2", widths_d="2,2", batch_size=4)
    assert "There is no label '7'; known: even, odd." in refusal(cli("sample", run.path, "--label", "7"))
