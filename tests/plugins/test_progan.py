"""ProGAN: the published counts and layers, and the reference's numbers."""

from __future__ import annotations

import pytest
import torch
from support.golden_numbers import GRADIENT, OUTPUT, check_gradients, near, stored, take_weights
from support.growing import D_NAMES, LEVELS

from ganzoo.api import DataSpec, upsample
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts
from ganzoo.gan.penalties import gradient
from ganzoo.plan.options import option_table

ProGAN = load_architecture(find("architecture", "progan"))
GOLDEN = {"fmap_base": 32, "fmap_max": 8, "latent_dim": 8}
G_NAMES = {
    "4x4/Dense/weight": "dense.weight", "4x4/Dense/bias": "bias",
    **{f"4x4/Conv/{part}": f"conv.{part}" for part in ("weight", "bias")},
    **{
        f"{side}x{side}/{theirs}/{part}": f"blocks.{block}.{ours}.{part}"
        for block, side in enumerate((8, 16))
        for theirs, ours in (("Conv0_up", "conv0"), ("Conv1", "conv1"))
        for part in ("weight", "bias")
    },
    **{f"ToRGB_lod{lod}/{part}": f"to_rgb.{2 - lod}.{part}" for lod in range(3) for part in ("weight", "bias")},
}  # fmt: skip


def build(side: int, **options):
    return ProGAN(ProGAN.Config(**options), DataSpec((3, side, side)))


def on_meta(side: int, **options):
    with torch.device("meta"):
        return build(side, **options)


@pytest.mark.parametrize(
    ("side", "g", "d"),
    [
        (1024, 23_079_115, 23_087_249),
        (512, 23_072_120, 23_080_225),
        (256, 23_044_309, 23_052_353),
        (128, 22_933_394, 22_941_313),
        (64, 22_490_383, 22_498_049),
        (32, 20_719_628, 20_726_785),
    ],
)
def test_parameter_counts(side, g, d):
    assert parameter_counts(on_meta(side)) == {"G": g, "D": d}


def test_parameter_counts_of_the_papers_cifar_widths():
    row = {
        name: value
        for name, value in ProGAN.presets["cifar"].items()
        if name in ("fmap_base", "fmap_max", "latent_dim")
    }
    assert parameter_counts(on_meta(32, **row)) == {"G": 1_296_908, "D": 1_298_689}


def test_published_layers():
    """Output [C, H] of each convolution at 1024×1024, from 4×4 up in G, from 1024×1024 down in D."""
    model, seen = on_meta(1024), {"G": [], "D": []}
    for name in ("G", "D"):
        for layer in getattr(model, name).modules():
            if type(layer).__name__ == "EqualizedConv2d":
                layer.register_forward_hook(lambda _, __, out, name=name: seen[name].append(tuple(out.shape[1:3])))
    assert model.D(model.generate(torch.empty(4, 512, device="meta"))).shape == (4,)
    maps = {4: 512, 8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64, 512: 32, 1024: 16}
    both = [(count, side) for side, count in maps.items() if side > 4 for _ in range(2)]
    assert seen["G"] == [(512, 4), *both, (3, 1024)]
    down = [(16, 1024)]
    for side, count in reversed(maps.items()):
        down += [(count, side), (maps[side // 2], side // 2)] if side > 4 else [(512, 4)]
    assert seen["D"] == down


@pytest.mark.parametrize("mode", LEVELS)
def test_golden_generator(mode):
    numbers, G = stored("progan_g"), build(16, **GOLDEN).double().G
    take_weights(G, numbers, G_NAMES)
    G.grow(LEVELS[mode])
    z = numbers["input/z"].requires_grad_()
    factor = 1 << (2 - G.level)
    images = G(z)[:, :, ::factor, ::factor]
    assert near(images, numbers[f"output/{mode}"], OUTPUT)
    (images * numbers[f"probe/{mode}"]).sum().backward()
    assert near(z.grad, numbers[f"grad/{mode}/input/z"], GRADIENT)
    check_gradients(G, numbers, G_NAMES, mode)


@pytest.mark.parametrize("average_first", [True, False])
@pytest.mark.parametrize("mode", LEVELS)
def test_golden_discriminator(mode, average_first):
    numbers, D = stored("progan_d"), build(16, **GOLDEN, average_first=average_first).double().D
    take_weights(D, numbers, D_NAMES)
    D.grow(LEVELS[mode])
    images = numbers["input/images8" if mode == "level8" else "input/images16"].requires_grad_()
    logits = D(upsample(images, 16 // images.shape[2]))
    probe, family = numbers[f"probe/{mode}"], mode if average_first else f"{mode}_pool_after_activation"
    assert near(logits, numbers[f"output/{family}"].flatten(), OUTPUT)
    (logits * probe.flatten()).sum().backward()
    assert near(images.grad[:2], numbers[f"grad/{family}/input/images"], GRADIENT)
    check_gradients(D, numbers, D_NAMES, family)


def test_first_weights_and_optimizers():
    torch.manual_seed(0)
    model = build(16, fmap_max=64, latent_dim=32)
    for name, parameter in model.named_parameters():
        values = parameter.detach()
        if "bias" in name:
            assert values.abs().max() == 0, name
        else:
            slack = 5 / values.numel() ** 0.5  # five standard errors
            assert values.mean().abs() < slack, name
            assert values.std() == pytest.approx(1, rel=slack), name
    (group,) = model.optimizer("G", model.G.parameters()).param_groups
    assert (group["lr"], group["betas"], group["eps"]) == (1e-3, (0.0, 0.99), 1e-8)
    assert all(type(beta) is float for beta in group["betas"])


def test_defaults_and_presets():
    table = option_table(ProGAN)
    assert (table["loss"].default, table["penalty"].default) == ("wasserstein", "wgan-gp+drift")
    assert find("architecture", "progan").card.batch_statistics
    assert ProGAN.presets["cifar"]["penalty"] == "wgan-gp:target=750+drift"


def test_the_penalty_has_second_derivatives():
    """Of the critic's weights, through averaging, resampling convolutions and the minibatch's standard deviation."""
    torch.manual_seed(0)
    model = build(8, **GOLDEN).double()
    images = torch.randn(4, 3, 8, 8).double()
    model.D.grow(0.5)

    def penalty():
        return (gradient(model.judge, images).norm(dim=1) - 1).square().mean()

    penalty().backward()
    for name in ("from_rgb.0", "from_rgb.1", "blocks.0.conv0", "blocks.0.conv1", "conv", "dense0", "dense1"):
        weight = model.D.get_parameter(f"{name}.weight")
        direction = torch.randn_like(weight)
        ends = []
        for side in (1e-6, -1e-6):
            with torch.no_grad():
                weight += side * direction
            ends.append(penalty().item())
            with torch.no_grad():
                weight -= side * direction
        expected = (ends[0] - ends[1]) / 2e-6
        assert (weight.grad * direction).sum().item() == pytest.approx(expected, rel=1e-4, abs=1e-8), name
