"""WGAN-GP: the published networks' counts, shapes and padding, its critic's numbers, five turns of D."""

from __future__ import annotations

from math import sqrt

import pytest
import torch
from support.golden_numbers import GRADIENT, OUTPUT, near, stored

import ganzoo
import ganzoo.gan.penalties
from ganzoo.api import DataSpec, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import networks

WGANGP = load_architecture(find("architecture", "wgan-gp"))
GOLDEN = stored("gradient_penalties")
LAYERS = ("conv1", "conv2", "conv3", "output")
CORE = ("resolution", "channels", "batch_size")  # options of the trainer that a preset's row may have


def build(*shape: int, preset: str | None = None, **options):
    row = WGANGP.presets[preset] if preset else {}
    row = {name: value for name, value in row.items() if name not in CORE}
    return WGANGP(WGANGP.Config(**{**row, **options}), DataSpec(shape))


def on_meta(*shape: int, **options):
    with torch.device("meta"):
        return build(*shape, **options)


@pytest.mark.parametrize(
    ("preset", "g", "d", "shape"),
    [("cifar", 5_179_907, 4_114_689, [3, 32, 32]), ("mnist", 1_554_177, 1_030_145, [1, 28, 28])],
)
def test_the_published_networks(preset, g, d, shape):
    described = ganzoo.describe("wgan-gp", preset=preset)
    assert described["parameters"] == {"G": g, "D": d}
    assert described["counted_for"] == shape


def test_published_numbers():
    options = {row["name"]: row["value"] for row in ganzoo.describe("wgan-gp", preset="cifar")["options"]}
    assert [options[name] for name in ("lr", "beta1", "beta2", "n_critic")] == [1e-4, 0.5, 0.9, 5]
    assert [options[name] for name in ("loss", "penalty", "batch_size")] == ["wasserstein", "wgan-gp:weight=10", 64]
    assert ganzoo.describe("wgan-gp", preset="mnist")["parameters"]
    model = on_meta(3, 32, 32)
    assert model.penalties == {"wgan-gp": ganzoo.gan.penalties.WganGp(10.0, 1.0)}


@pytest.mark.parametrize(
    ("shape", "preset", "up", "down"),
    [
        ((3, 32, 32), "cifar", [(512, 4), (256, 8), (128, 16), (3, 32)], [(128, 16), (256, 8), (512, 4)]),
        ((1, 28, 28), "mnist", [(256, 4), (128, 7), (64, 14), (1, 28)], [(64, 14), (128, 7), (256, 4)]),
    ],
)
def test_published_layers(shape, preset, up, down):
    model = on_meta(*shape, preset=preset)
    seen: list[tuple[int, ...]] = []
    for network in (model.G, model.D):
        for layer in network.modules():
            if isinstance(layer, (torch.nn.Unflatten, torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
                layer.register_forward_hook(lambda layer, _, out: seen.append(tuple(out.shape[1:3])))
    assert model.D(model.G(torch.empty(2, 128, device="meta"))).shape == (2,)
    assert seen == [*up, *down]
    norms = [module for module in model.modules() if "BatchNorm" in type(module).__name__]
    assert [norm.num_features for norm in norms] == ([8192, 256, 128] if preset == "cifar" else [])
    assert not any("BatchNorm" in type(module).__name__ for module in model.D.modules())


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 28, 28), (1, 30, 45), (4, 8, 8)])
def test_sizes(shape):
    model = on_meta(*shape, width=4)
    images = model.generate(torch.empty(3, 128, device="meta"))
    assert images.shape == (3, *shape)
    assert model.D(images).shape == (3,)


def test_points_are_refused():
    with pytest.raises(UsageError, match="WGANGP makes images"):
        on_meta(2)


def test_golden_critic(monkeypatch):
    """Scores, penalty and gradients of the authors' critic with TensorFlow's padding."""
    model = build(3, 32, 32, width=4).double()
    parts = dict(zip(LAYERS, [m for m in model.D.main if hasattr(m, "weight")], strict=True))
    with torch.no_grad():
        for name, part in parts.items():
            for kind in ("weight", "bias"):
                getattr(part, kind).copy_(GOLDEN[f"weights/{name}/{kind}"])
    real, fake = GOLDEN["input/real"], GOLDEN["input/fake"]
    d_real, d_fake = model.D(real), model.D(fake)
    assert near(d_real, GOLDEN["output/same/d_real"], OUTPUT)
    assert near(d_fake, GOLDEN["output/same/d_fake"], OUTPUT)
    monkeypatch.setattr(ganzoo.gan.penalties, "rows", lambda *_, **__: 1 - GOLDEN["input/alpha"])
    penalty = model.penalties["wgan-gp"](model.D, real, fake, d_real, d_fake)
    assert near(penalty, GOLDEN["output/same/gp_lambda10"], OUTPUT)
    loss = model.loss.discriminator(d_real, d_fake) + penalty
    assert near(loss, GOLDEN["output/same/critic_loss"], OUTPUT)
    loss.backward()
    keys = [key for key in GOLDEN if key.startswith("grad/same/critic_loss/")]
    assert len(keys) == 8
    for key in keys:
        name, kind = key.split("/")[3:]
        assert near(getattr(parts[name], kind).grad, GOLDEN[key], GRADIENT), key


def test_a_doubling_is_the_transpose_of_the_halving():
    """As TensorFlow has it: <Down(x), y> = <x, Up(y)> with the same kernel, for even and odd sides."""
    from ganzoo_wgan_gp.model import Down, Up

    torch.manual_seed(0)
    for size in ((8, 8), (14, 8)):
        half = (size[0] // 2, size[1] // 2)
        down, up = Down(2, 3, size), Up(3, 2, size)
        with torch.no_grad():
            up.weight.copy_(down.weight)
            down.bias.zero_(), up.bias.zero_()
            x, y = torch.randn(1, 2, *size), torch.randn(1, 3, *half)
            assert (down(x) * y).sum().item() == pytest.approx((x * up(y)).sum().item(), rel=1e-4)


def test_pixels_from_0_to_1_change_nothing_but_the_units(monkeypatch):
    """The mnist preset's penalty on our values, -1 to 1, is the reference's on its own, 0 to 1."""
    torch.manual_seed(0)
    model = build(1, 28, 28, preset="mnist", width=4)
    real, fake = torch.rand(4, 1, 28, 28), torch.rand(4, 1, 28, 28)
    alpha = torch.rand(4, 1, 1, 1)
    monkeypatch.setattr(ganzoo.gan.penalties, "rows", lambda *_, **__: alpha)
    d = model.D(2 * real - 1)
    ours = model.penalties["wgan-gp"](model.D, 2 * real - 1, 2 * fake - 1, d, d)
    theirs = ganzoo.gan.penalties.WganGp(10.0, 1.0)(lambda x: model.D.main(x).flatten(), real, fake, d, d)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    assert -1 <= model.G(torch.randn(4, 128)).min() < 1


def test_first_weights():
    torch.manual_seed(0)
    model = build(3, 32, 32)
    fans = {
        ("D", 3, 128): 75 + 800,
        ("D", 128, 256): 3200 + 1600,
        ("G", 512, 256): 3200 + 6400,
        ("G", 128, 3): 800 + 75,
    }
    for name, network in networks(model).items():
        for module in network.modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
                assert module.bias.abs().max() == 0
                key = (name, module.in_channels, module.out_channels)
                if key in fans:
                    assert module.weight.std().item() == pytest.approx(sqrt(4 / fans.pop(key)), rel=0.02)
            elif isinstance(module, torch.nn.Linear):
                variance = 2 / (module.in_features + module.out_features)
                assert module.weight.std().item() == pytest.approx(sqrt(variance), rel=0.02)
    assert not fans


def test_five_turns_of_d_and_one_of_g(make_trainer):
    items = torch.rand(16, 1, 16, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    trainer = make_trainer(WGANGP, items=items, batch_size=4, latent_dim=4, width=2)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    turns: list[tuple[str, ...]] = []
    apply = trainer._apply
    trainer._apply = lambda names, update: (turns.append(names), apply(names, update))
    values = trainer.step()
    assert turns == [("D",)] * 5 + [("G",)]
    assert {"loss/D", "loss/D/adversarial", "loss/D/wgan-gp", "loss/G"} <= set(values)
    assert trainer.images == 20
    unchanged = [name for name, value in trainer.model.state_dict().items() if torch.equal(value, before[name])]
    assert unchanged == ["D.main.7.bias"]  # a constant added to every score: neither the loss nor the penalty sees it
