"""SAN: the golden numbers' split of the last layer, who gets which gradient, and that plain runs stay as they were."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from support.command_line import cli, refusal
from support.golden_numbers import GRADIENT, OUTPUT, near, stored
from tinyzoo.model import TinyGAN
from torch import nn

import ganzoo
from ganzoo.api import EqualizedConv2d, EqualizedLinear, spectral_norm
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.errors import GanzooError, UsageError
from ganzoo.gan.losses import Hinge
from ganzoo.gan.san import Slicing, direction_loss
from ganzoo.loop.trainer import Trainer
from ganzoo.testing.architecture.cases import cases, on_meta

NUMBERS = stored("san")


class Judge(nn.Module):
    last_layer = "head"

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, x):
        return self.head(x).flatten()


def sliced(layer: nn.Module, key: str) -> Slicing:
    layer = layer.double()
    with torch.no_grad():
        layer.weight.copy_(NUMBERS[f"weights/{key}"])
    return Slicing(Judge(layer))


def test_golden_head():
    """Values of both parts, D's loss, G's loss, and how the two parts share the gradient of w."""
    slicing = sliced(nn.Linear(12, 1, bias=False), "head/fc_w")
    weight = slicing.layer.weight
    real, fake = NUMBERS["input/real"].requires_grad_(), NUMBERS["input/fake"].requires_grad_()
    (f_real, d_real), (f_fake, d_fake) = (tuple(part.flatten() for part in slicing.parts(x)) for x in (real, fake))
    for name, ours in {"real_fun": f_real, "real_dir": d_real, "fake_fun": f_fake, "fake_dir": d_fake}.items():
        assert near(ours, NUMBERS[f"output/head_{name}"], OUTPUT)
    function, direction = Hinge().discriminator(f_real, f_fake), direction_loss(d_real, d_fake)
    assert near(function + direction, NUMBERS["output/head_loss_real"] + NUMBERS["output/head_loss_fake"], OUTPUT)
    for name, part in {"function_part": function, "direction_part": direction}.items():
        (gradient,) = torch.autograd.grad(part, weight, retain_graph=True)
        assert near(gradient, NUMBERS[f"grad/head_{name}/head/fc_w"], GRADIENT), name
    (function + direction).backward()
    assert near(weight.grad, NUMBERS["grad/head_d_loss/head/fc_w"], GRADIENT)
    assert near(real.grad, NUMBERS["grad/head_d_loss/input/real"], GRADIENT)
    assert near(fake.grad, NUMBERS["grad/head_d_loss/input/fake"], GRADIENT)
    loss = Hinge().generator(slicing.parts(fake.detach().requires_grad_())[0])
    assert near(loss, NUMBERS["output/head_g_loss"], OUTPUT)


LAYERS = {
    "linear": (lambda: nn.Linear(7, 3, bias=False), "x", ""),
    "conv": (lambda: nn.Conv2d(4, 4, 3, padding=1, bias=False), "maps", "maps"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_golden_layers(name):
    """Theirs has a scale in place of |w|, and a bias on its input: ours on x + bias, times scale / |w|."""
    make, items, probe = LAYERS[name]
    slicing = sliced(make(), f"{name}/weight")
    x, weight = NUMBERS[f"input/{items}"].clone(), slicing.layer.weight
    if f"weights/{name}/bias" in NUMBERS:
        x = x + NUMBERS[f"weights/{name}/bias"].view(1, -1, 1, 1)
    x.requires_grad_()
    norm = weight.detach().flatten(1).norm(dim=1)
    factor = (NUMBERS[f"weights/{name}/scale"] / norm).view(1, -1, *[1] * (x.dim() - 2))
    function, direction = (part * factor for part in slicing.parts(x))
    assert near(function, NUMBERS[f"output/{name}_fun"], OUTPUT)
    assert near(direction, NUMBERS[f"output/{name}_dir"], OUTPUT)
    (gradient,) = torch.autograd.grad((direction * NUMBERS[f"probe/dir{probe}"]).sum(), weight)
    assert near(gradient, NUMBERS[f"grad/{name}_dir/{name}/weight"], GRADIENT)
    (gradient,) = torch.autograd.grad((function * NUMBERS[f"probe/fun{probe}"]).sum(), x)
    assert near(gradient, NUMBERS[f"grad/{name}_fun/input/{items}"], GRADIENT)


MADE = {
    "linear": lambda: nn.Linear(12, 1),
    "convolution": lambda: nn.Conv1d(4, 1, 3),
    "spectral": lambda: spectral_norm(nn.Linear(12, 1)),
    "equalized": lambda: EqualizedLinear(12, 1, gain=1),
    "equalized convolution": lambda: EqualizedConv2d(3, 1, 1, gain=1),
}


@pytest.mark.parametrize("name", MADE)
def test_each_part_has_its_share_of_the_gradient(name):
    """The function moves w along itself alone, and the features; the direction moves w across itself alone."""
    torch.manual_seed(0)
    judge = Judge(MADE[name]())
    slicing = Slicing(judge)
    weight = judge.head.get_parameter(slicing.weight)
    shape = {"convolution": (6, 4, 3), "equalized convolution": (6, 3, 2, 2)}.get(name, (6, 12))
    x = torch.randn(shape, requires_grad=True)
    plain = judge(x)
    logits = slicing(judge, x)
    assert torch.allclose(logits, plain, atol=1e-6)
    assert torch.allclose(slicing.direction, plain, atol=1e-6)
    along, features = torch.autograd.grad(logits.square().sum(), (weight, x), retain_graph=True)
    across, none = torch.autograd.grad(slicing.direction.square().sum(), (weight, x), allow_unused=True)
    assert none is None
    assert torch.allclose(features, torch.autograd.grad(judge(x).square().sum(), x)[0], atol=1e-5)
    omega = (weight / weight.norm()).detach()
    assert torch.allclose(along, (along * omega).sum() * omega, atol=1e-4)
    assert (across * omega).sum().abs() < 1e-4 * across.norm()
    assert across.norm() > 1e-3


@pytest.mark.parametrize("name", MADE)
def test_the_weight_in_use_has_the_norm_1_and_keeps_its_bits(name):
    judge = Judge(MADE[name]())
    slicing = Slicing(judge)
    slicing.normalise()
    used = judge.head.weight * getattr(judge.head, "scale", 1.0)
    assert used.norm().item() == pytest.approx(1, abs=1e-5)
    before = judge.head.get_parameter(slicing.weight).clone()
    slicing.normalise()
    assert torch.equal(before, judge.head.get_parameter(slicing.weight))


class Scaled(Judge):
    def forward(self, x):
        return 2 * super().forward(x)


def test_heads_that_cannot_be_split_are_refused():
    with pytest.raises(UsageError, match="has no last layer that --san could split; leave --san out"):
        Slicing(nn.Linear(3, 1))
    with pytest.raises(GanzooError, match="last_layer is a BatchNorm1d; name a linear layer"):
        Slicing(Judge(nn.BatchNorm1d(3)))
    scaled = Scaled(nn.Linear(3, 1))
    with pytest.raises(GanzooError, match="a D whose logits are what its last_layer gives"):
        Slicing(scaled)(scaled, torch.randn(2, 3))


def test_it_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = refusal(cli("train", "tinygan", "tiny", "--steps", "1", "--san", "--device", "cpu"))
    assert "D has no last layer that --san could split" in line
    for name in REFUSE:  # turns of their own, which do not ask for it
        line = refusal(cli("train", name, "digits:images=64", "--preset", "small", "--steps", "1", "--san"))
        assert "D has no last layer that --san could split" in line
    assert not (tmp_path / "runs").exists()


# ---- in training ---------------------------------------------------------------------------------------------------


class Sliceable(TinyGAN):
    def __init__(self, config, data):
        super().__init__(config, data)
        self.D.last_layer = "dense"


@pytest.mark.parametrize("options", [{}, {"n_critic": 2, "penalty": "r1:gamma=1,every=2"}, {"accumulate": 2}], ids=str)
def test_a_step_moves_every_weight_and_ends_with_the_norm_1(make_trainer, options):
    trainer = make_trainer(Sliceable, san=True, **options)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    values = trainer.step()
    assert {"loss/D/adversarial", "loss/D/direction"} <= set(values)
    assert all(not torch.equal(value, before[name]) for name, value in trainer.model.named_parameters())
    assert trainer.model.D.dense.weight.norm().item() == pytest.approx(1, abs=1e-5)


def test_without_it_a_run_is_what_it_was_bit_for_bit(make_trainer):
    plain, sliceable = make_trainer(TinyGAN), make_trainer(Sliceable)
    for _ in range(3):
        plain.step(), sliceable.step()
    for name, value in plain.model.state_dict().items():
        assert torch.equal(value, sliceable.model.state_dict()[name]), name


def test_checkpoint_average_and_export(train, tmp_path):
    """A run that was stopped and goes on ends in the same bits; its model samples and is exported."""
    options = {"architecture": "dcgan", "data": "tiny", "resolution": 16, "width_g": 2, "width_d": 2, "san": True}
    whole = train(out="whole", steps=4, batch_size=4, **options)
    train(out="parts", steps=2, batch_size=4, **options)
    parts = ganzoo.extend("parts", steps=2, device="cpu")
    left, right = ganzoo.load(whole.path), ganzoo.load(parts.path)
    assert torch.equal(left.sample(4), right.sample(4))
    assert whole.facts["config"]["san"] is True
    d = ganzoo.trained(whole.path).D
    assert d.main[-1].weight.norm().item() == pytest.approx(1, abs=1e-5)
    assert cli("export", whole.path, "--format", "torch-export", "-o", "g.pt2").exit_code == 0
    assert cli("verdict", whole.path).exit_code == 0


TAKE = (
    "cgan", "dcgan", "gan", "lsgan", "progan", "r3gan", "sagan", "sngan", "stylegan", "stylegan2", "tonight",
    "transgan", "vgan", "wavegan", "wgan-gp",
)  # fmt: skip


@pytest.mark.parametrize("name", TAKE)
def test_ours_name_their_last_layer_and_take_a_step(name):
    entry = find("architecture", name)
    case = next(iter(cases(entry, load_architecture(entry))))
    trainer = dataclasses.replace(case, config=dataclasses.replace(case.config, san=True)).trainer(Trainer)
    weight = trainer.model.slicing.layer.get_parameter(trainer.model.slicing.weight)
    before = (weight / weight.norm()).clone()
    assert "loss/D/direction" in trainer.step()
    assert weight.shape[0] == 1
    assert not torch.allclose(weight / weight.norm(), before, atol=1e-9)


REFUSE = ("acgan", "biggan", "fastgan")  # by what D adds to its last layer, or by a turn of its own


@pytest.mark.parametrize("name", REFUSE)
def test_the_others_refuse_it_in_a_sentence(name):
    entry = find("architecture", name)
    case = next(iter(cases(entry, load_architecture(entry))))
    with pytest.raises(UsageError, match="has no last layer that --san could split"):
        Slicing(on_meta(case).D)
