"""Spectral norm against the references' numbers; u through turns, checkpoints, averages, bfloat16 and processes."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
from ganzoo_dcgan.model import DCGAN
from support.golden_numbers import GRADIENT, OUTPUT, near, stored
from torch import nn

from ganzoo.api import spectral_norm
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import averaged_keys
from ganzoo.loop.trainer import Trainer
from ganzoo.testing.architecture import training
from ganzoo.testing.architecture.cases import cases

GOLDEN = stored("spectral_norm")
LAYERS = {
    "mimicry_conv": (lambda: nn.Conv2d(4, 6, 3, padding=1), "weight", "sn_u", "input/images", "probe/conv"),
    "torch_conv": (lambda: nn.Conv2d(4, 6, 3, padding=1), "weight_orig", "weight_u", "input/images", "probe/conv"),
    "mimicry_linear": (lambda: nn.Linear(7, 5), "weight", "sn_u", "input/features", "probe/linear"),
    "mimicry_embedding": (lambda: nn.Embedding(5, 6), "weight", "sn_u", "input/labels", "probe/embedding"),
}


def wrapped(name: str) -> nn.Module:
    make, weight, u, _, _ = LAYERS[name]
    layer = make().double()
    with torch.no_grad():
        layer.weight.copy_(GOLDEN[f"weights/{name}/{weight}"])
        if getattr(layer, "bias", None) is not None:
            layer.bias.copy_(GOLDEN[f"weights/{name}/bias"])
    layer = spectral_norm(layer).double()
    layer.parametrizations.weight[0].u.copy_(GOLDEN[f"weights/{name}/{u}"].flatten())
    return layer


@pytest.mark.parametrize("name", LAYERS)
def test_golden(name):
    _, weight, _, items, probe = LAYERS[name]
    layer, inputs = wrapped(name), GOLDEN[items]
    original, u = layer.parametrizations.weight.original, layer.parametrizations.weight[0].u
    for turn in (1, 2):
        assert near(layer.weight, GOLDEN[f"output/{name}_weight_normalised_{turn}"], OUTPUT)
        out = layer(inputs)
        if turn == 1:
            assert near(out, GOLDEN[f"output/{name}_train"], OUTPUT)
        original.grad = None
        (out * GOLDEN[probe]).sum().backward()
        if turn == 1:
            assert near(original.grad, GOLDEN[f"grad/{name}_train/{name}/{weight}"], GRADIENT)
        assert near(u, GOLDEN[f"after_train/{name}/u_after_{turn}"], OUTPUT)
        with torch.no_grad():
            original.mul_(1)  # the turn ends


@pytest.mark.parametrize("name", ["mimicry_conv", "mimicry_linear", "mimicry_embedding"])
def test_evaluation_iterates_and_keeps_u(name):
    layer = wrapped(name).eval()
    before = layer.parametrizations.weight[0].u.clone()
    assert near(layer(GOLDEN[LAYERS[name][3]]), GOLDEN[f"output/{name}_eval"], OUTPUT)
    assert torch.equal(layer.parametrizations.weight[0].u, before)


def test_a_transposed_convolution_divides_by_its_own_largest_singular_value():
    torch.manual_seed(0)
    layer = spectral_norm(nn.ConvTranspose2d(3, 5, 2).double()).double()
    for _ in range(200):
        layer(torch.ones(1, 3, 2, 2, dtype=torch.float64)).sum().backward()
        with torch.no_grad():
            layer.parametrizations.weight.original.mul_(1)
    largest = torch.linalg.matrix_norm(layer.weight.transpose(0, 1).flatten(1), 2)
    assert largest.item() == pytest.approx(1)


def test_u_moves_once_in_a_turn_of_its_player_and_in_no_other():
    torch.manual_seed(0)
    layer, fake = spectral_norm(nn.Linear(4, 3)), torch.randn(5, 4, requires_grad=True)
    u = layer.parametrizations.weight[0].u
    start, weight = u.clone(), layer.weight.detach().clone()
    torch.autograd.grad(layer(fake).sum(), fake)  # another player's turn
    assert torch.equal(u, start)
    layer(fake).sum().backward(inputs=[*layer.parameters()])
    moved = u.clone()
    assert not torch.equal(moved, start)
    assert torch.equal(layer.weight, weight), "the second part of a batch sees the weight of the first"
    layer(fake).sum().backward(inputs=[*layer.parameters()])
    assert torch.equal(u, moved)


class Normalised(DCGAN):
    """DCGAN with spectral norm everywhere."""

    def __init__(self, config, data):
        super().__init__(config, data)
        for module in [*self.modules()]:
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                spectral_norm(module)


def normalised_case():
    entry = find("architecture", "dcgan")
    return dataclasses.replace(next(iter(cases(entry, load_architecture(entry)))), model=Normalised)


@pytest.mark.parametrize("promise", ["trains", "players", "penalties", "state", "resumes", "bf16"])
def test_the_kits_checks(promise):
    """Resuming is bit for bit, bfloat16 leaves weights and u in float32."""
    training.PROMISES[promise](normalised_case())


def test_two_processes_and_a_split_batch_keep_one_u():
    from ganzoo.testing.architecture.simulated_processes import Lockstep

    def after_a_step():
        trainer = normalised_case().trainer(Trainer)
        trainer.step()
        return {name: value.clone() for name, value in trainer.model.named_buffers() if name.endswith(".u")}

    (one,), halves = Lockstep(1).run(after_a_step), Lockstep(2).run(after_a_step)
    for half in halves:
        assert all(torch.equal(half[name], one[name]) for name in one if name.startswith("D."))


def test_averages_and_exports():
    trainer = normalised_case().trainer(Trainer)
    trainer.step()
    model = trainer.model
    assert {name for name in averaged_keys(model) if name.endswith("weight.original")}
    assert any(name.startswith("G.") and name.endswith(".u") for name in trainer.ema.tensors)
    generator, z = copy.deepcopy(model.G).eval(), torch.randn(2, model.latent_dim)
    program = torch.export.export(generator, (z,)).module()
    assert torch.allclose(program(z), generator(z), atol=1e-6)
