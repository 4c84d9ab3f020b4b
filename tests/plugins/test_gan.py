"""Goodfellow's GAN: the cited script's dense networks to the digit, both losses, points of the plane."""

from __future__ import annotations

import math

import pytest
import torch
from support.golden_numbers import GRADIENT, OUTPUT, near, stored

import ganzoo
from ganzoo.api import DataSpec, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts
from ganzoo.plan.options import preset_row
from ganzoo.plan.plan import make_plan, plan_run

GAN = load_architecture(find("architecture", "gan"))
DENSE = {"hidden_g": (256, 512, 1024), "hidden_d": (512, 256), "batch_norm": True}
POINT = DataSpec((2,), tuple("01234567"))


def build(data: DataSpec = DataSpec((1, 28, 28)), **options):  # noqa: B008
    return GAN(GAN.Config(**options), data)


def on_meta(data: DataSpec = DataSpec((1, 28, 28)), **options):  # noqa: B008
    with torch.device("meta"):
        return build(data, **options)


def test_the_digits_network_of_the_cited_script():
    described = ganzoo.describe("gan", preset="digits-dense")
    assert described["parameters"] == {"G": 1_489_936, "D": 533_505}
    assert described["counted_for"] == [1, 28, 28]
    assert {name: preset_row("gan", GAN, "digits-dense")[name] for name in DENSE} == DENSE


def test_its_layers():
    model = on_meta(**DENSE)
    assert parameter_counts(model) == {"G": 1_489_936, "D": 533_505}
    seen: list[tuple[str, int]] = []
    for layer in [*model.G.main, *model.D.main]:
        layer.register_forward_hook(lambda layer, _, out: seen.append((type(layer).__name__, *out.shape[1:])))
    assert model.D(model.G(torch.empty(5, 100, device="meta"))).shape == (5,)
    hidden = [(kind, n) for n in (256, 512, 1024) for kind in ("Linear", "LeakyReLU", "BatchNorm1d")]
    expected = [*hidden, ("Linear", 784), ("Tanh", 784), ("Unflatten", 1, 28, 28)]
    judged = [(kind, n) for n in (512, 256) for kind in ("Linear", "LeakyReLU")]
    assert seen == [*expected, ("Flatten", 784), *judged, ("Linear", 1)]
    norms = [layer for layer in model.G.main if isinstance(layer, torch.nn.BatchNorm1d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.2)}


def golden(network: str):
    """The network with the stored weights, its modules by the stored names, and everything stored."""
    numbers = stored(f"digits_dense_{network.lower()}")
    model = build(hidden_g=(16, 32, 64), hidden_d=(32, 16), batch_norm=True, latent_dim=8)
    net = getattr(model.double(), network)
    parts = {}
    for kind, name in ((torch.nn.Linear, "dense"), (torch.nn.BatchNorm1d, "bn")):
        parts.update({f"{name}{i}": m for i, m in enumerate(m for m in net.main if isinstance(m, kind))})
    for key in [key for key in numbers if key.startswith("weights/")]:
        _, part, name = key.split("/")
        with torch.no_grad():
            tensor_of(parts[part], name).copy_(numbers[key])
    return net, parts, numbers


def tensor_of(module: torch.nn.Module, name: str) -> torch.Tensor:
    torchs = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
    return getattr(module, torchs.get(name, name))


def check_gradients(parts, numbers, mode: str) -> int:
    keys = [key for key in numbers if key.startswith(f"grad/{mode}/") and "/input/" not in key]
    for key in keys:
        _, _, part, name = key.split("/")
        assert near(tensor_of(parts[part], name).grad, numbers[key], GRADIENT), key
    return len(keys)


def test_golden_generator():
    net, parts, numbers = golden("G")
    z = numbers["input/z"]
    assert near(net.eval()(z).flatten(1), numbers["output/eval"], OUTPUT)
    z.requires_grad_()
    pixels = net.train()(z).flatten(1)
    assert near(pixels, numbers["output/train"], OUTPUT)
    (pixels * numbers["probe/train"]).sum().backward()
    assert near(z.grad, numbers["grad/train/input/z"], GRADIENT)
    assert check_gradients(parts, numbers, "train") == 13
    statistics = [key for key in numbers if key.startswith("after_train/")]
    assert len(statistics) == 6
    for key in statistics:
        _, part, name = key.split("/")
        assert near(tensor_of(parts[part], name), numbers[key], OUTPUT), key


def test_golden_discriminator():
    """The script ends in the sigmoid that here is the loss's; its loss is half of ours, on equal halves."""
    net, parts, numbers = golden("D")
    images = numbers["input/images"].permute(0, 3, 1, 2).requires_grad_()
    logits = net(images)
    assert near(logits, numbers["output/logit"].flatten(), OUTPUT)
    assert near(logits.sigmoid(), numbers["output/out"].flatten(), OUTPUT)
    bce = torch.nn.functional.binary_cross_entropy_with_logits(logits, numbers["input/labels"].flatten())
    assert near(bce, numbers["output/bce"], OUTPUT)
    (logits.sigmoid() * numbers["probe/out"].flatten()).sum().backward()
    assert near(images.grad, numbers["grad/out/input/images"].permute(0, 3, 1, 2), GRADIENT)
    assert check_gradients(parts, numbers, "out") == 5


def test_first_weights():
    torch.manual_seed(0)
    model = build(**DENSE)
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            bound = math.sqrt(6 / (module.in_features + module.out_features))
            assert bound * 0.98 < module.weight.abs().max() <= bound
            assert module.bias.abs().max() == 0


def test_both_losses_of_the_paper():
    """The equation as it stands has G minimise log(1 - D(G(z))); otherwise it maximises log D(G(z))."""
    logits = torch.tensor([-2.0, 0.5])
    probability = torch.sigmoid(logits)
    equation, other = (build(**options).loss for options in (GAN.presets["minimax"], {}))
    assert equation.generator(logits).item() == pytest.approx((1 - probability).log().mean().item())
    assert other.generator(logits).item() == pytest.approx(-probability.log().mean().item())
    for loss in (equation, other):
        value = -probability.log().mean() - (1 - probability.flip(0)).log().mean()
        assert loss.discriminator(logits, logits.flip(0)).item() == pytest.approx(value.item())


def test_points_have_no_tanh():
    model = on_meta(POINT, **{k: v for k, v in GAN.presets["points"].items() if k not in ("lr", "batch_size")})
    kinds = [type(layer).__name__ for layer in model.G.main]
    assert kinds == [*["Linear", "LeakyReLU"] * 3, "Linear", "Unflatten"]
    assert model.generate(torch.empty(7, 2, device="meta")).shape == (7, 2)
    assert model.D(torch.empty(7, 2, device="meta")).shape == (7,)
    with pytest.raises(UsageError, match="Images can be augmented, and this data set has none; use --augment none"):
        on_meta(POINT, augment="diffaug")


def test_no_hidden_layers_will_do():
    model = on_meta(POINT, hidden_g=(), hidden_d=())
    assert parameter_counts(model) == {"G": 202, "D": 3}


def test_training_on_points(train):
    run = train("points", architecture="gan", data="points", preset="points", steps=2)
    points = ganzoo.load(run.path).sample(10, seed=3)
    assert points.shape == (10, 2)
    assert (run.path / "real.png").exists()
    assert run.facts["data"]["shape"] == [2]


def test_the_recipe():
    plan = plan_run(None, None, recipe="report-digits-dense")
    assert (plan.config.lr, plan.config.beta1, plan.settings.batch_size) == (2e-4, 0.5, 32)
    assert (plan.size, plan.settings.channels, plan.config.loss) == ((28, 28), 1, "nonsaturating")
    assert [dict(stage.length) for stage in plan.stages] == [{"steps": 5000}]


def test_images_of_28_pixels_are_trained_at_28_unless_a_preset_says_otherwise():
    assert make_plan("gan", "digits", {}).size == (28, 28)
    assert make_plan("gan", "digits", {}, preset="digits-32").size == (32, 32)
    assert make_plan("gan", "digits", {"resolution": "28"}, preset="digits-32").size == (28, 28)
