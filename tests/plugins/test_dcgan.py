"""DCGAN: the published layers, numbers and first weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from support.golden_numbers import GRADIENT, OUTPUT, near, stored, weights

from ganzoo.api import DataSpec, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts
from ganzoo.plan.options import option_table
from ganzoo.plan.plan import plan_run
from ganzoo.plan.recipe import recipe_of

DCGAN = load_architecture(find("architecture", "dcgan"))

# Output [C, H, W] of each layer at 64×64 RGB, as pytorch/examples and the PyTorch tutorial build it.
LAYERS_G = [
    *[("ConvTranspose2d", (512, 4, 4)), ("BatchNorm2d", (512, 4, 4)), ("ReLU", (512, 4, 4))],
    *[("ConvTranspose2d", (256, 8, 8)), ("BatchNorm2d", (256, 8, 8)), ("ReLU", (256, 8, 8))],
    *[("ConvTranspose2d", (128, 16, 16)), ("BatchNorm2d", (128, 16, 16)), ("ReLU", (128, 16, 16))],
    *[("ConvTranspose2d", (64, 32, 32)), ("BatchNorm2d", (64, 32, 32)), ("ReLU", (64, 32, 32))],
    *[("ConvTranspose2d", (3, 64, 64)), ("Tanh", (3, 64, 64))],
]
LAYERS_D = [
    *[("Conv2d", (64, 32, 32)), ("LeakyReLU", (64, 32, 32))],
    *[("Conv2d", (128, 16, 16)), ("BatchNorm2d", (128, 16, 16)), ("LeakyReLU", (128, 16, 16))],
    *[("Conv2d", (256, 8, 8)), ("BatchNorm2d", (256, 8, 8)), ("LeakyReLU", (256, 8, 8))],
    *[("Conv2d", (512, 4, 4)), ("BatchNorm2d", (512, 4, 4)), ("LeakyReLU", (512, 4, 4))],
    ("Conv2d", (1, 1, 1)),
]


def build(*shape: int, **options):
    return DCGAN(DCGAN.Config(**options), DataSpec(shape))


def on_meta(*shape: int, **options):
    with torch.device("meta"):
        return build(*shape, **options)


@pytest.mark.parametrize(("channels", "g", "d"), [(3, 3_576_704, 2_765_568), (1, 3_574_656, 2_763_520)])
def test_parameter_counts(channels, g, d):
    assert parameter_counts(on_meta(channels, 64, 64)) == {"G": g, "D": d}


@pytest.mark.parametrize(("network", "layers"), [("G", LAYERS_G), ("D", LAYERS_D)])
def test_published_layers(network, layers):
    net = getattr(on_meta(3, 64, 64), network)
    seen = []
    for layer in net.main:
        layer.register_forward_hook(lambda layer, _, out: seen.append((type(layer).__name__, tuple(out.shape[1:]))))
    net(torch.empty((2, 100) if network == "G" else (2, 3, 64, 64), device="meta"))
    assert seen == layers


@pytest.mark.parametrize(
    ("shape", "smallest"),
    [
        ((3, 32, 32), (4, 4)),
        ((3, 64, 64), (4, 4)),
        ((3, 128, 128), (4, 4)),
        ((1, 64, 64), (4, 4)),
        ((3, 64, 96), (4, 6)),
        ((3, 96, 64), (6, 4)),
        ((4, 48, 80), (6, 10)),
        ((3, 16, 16), (4, 4)),
        ((1, 28, 28), (7, 7)),
    ],
)
def test_sizes(shape, smallest):
    model = on_meta(*shape)
    images = model.generate(torch.empty((5, 100), device="meta"))
    assert images.shape == (5, *shape)
    assert model.D(images).shape == (5,)
    assert tuple(model.G.main[0](torch.empty((5, 100, 1, 1), device="meta")).shape[2:]) == smallest


@pytest.mark.parametrize("shape", [(3, 56, 56), (3, 28, 32), (3, 64, 100), (3, 8, 8), (2,)])
def test_sizes_it_cannot_do_are_refused_in_one_sentence(shape):
    with pytest.raises(UsageError) as error:
        on_meta(*shape)
    text = str(error.value)
    assert text.startswith(("dcgan ", "DCGAN "))
    assert text.endswith(".")
    assert "\n" not in text
    assert ("multiples of 16" if len(shape) == 3 else "images") in text


def test_digits_at_their_own_size():
    """z -> 7×7 -> 14×14 -> 28×28 and back; by default, and as the report has it."""
    model = on_meta(1, 28, 28)
    assert [(m.out_channels, m.stride[0]) for m in model.G.main if hasattr(m, "stride")] == [(128, 1), (64, 2), (1, 2)]
    assert [(m.out_channels, m.stride[0]) for m in model.D.main if hasattr(m, "stride")] == [(64, 2), (128, 2), (1, 1)]
    for recipe, steps in (("report-digits", 5000), ("report-digits-each", 1000)):
        plan = plan_run(None, None, recipe=recipe)
        assert (plan.size, plan.settings.batch_size, plan.settings.channels) == ((28, 28), 32, 1)
        assert (plan.config.lr, plan.config.beta1) == (2e-4, 0.5)
        assert [dict(stage.length) for stage in plan.stages] == [{"steps": steps}]
        assert recipe_of(recipe).per_class == (steps == 1000)
    assert plan_run("dcgan", "digits").size == (32, 32)
    assert plan_run("dcgan", "digits", preset="small").size == (32, 32)


def golden(network: str):
    """The network with the stored weights, and everything stored."""
    numbers = stored(f"dcgan_{network.lower()}")
    net = getattr(build(3, 64, 64, latent_dim=8, width_g=4, width_d=4).double(), network)
    missing, unexpected = net.load_state_dict(weights(numbers), strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return net, numbers


def check_training(net, numbers):
    """After a pass in training mode and its backward: gradients of the weights, and running statistics."""
    parameters, buffers = dict(net.named_parameters()), dict(net.named_buffers())
    gradients = [name for name in numbers if name.startswith("grad/train/main")]
    assert gradients
    for name in gradients:
        assert near(parameters[name.removeprefix("grad/train/")].grad, numbers[name], GRADIENT), name
    statistics = [name for name in numbers if name.startswith("after_train/")]
    assert len(statistics) == sum("running" in name for name in buffers)
    for name in statistics:
        assert near(buffers[name.removeprefix("after_train/")], numbers[name], OUTPUT), name


def test_golden_generator():
    net, numbers = golden("G")
    z = numbers["input/z"].flatten(1)
    assert near(net.eval()(z)[:1], numbers["output/eval_first_image"], OUTPUT)
    z.requires_grad_()
    images = net.train()(z)
    assert near(images, numbers["output/train"], OUTPUT)
    (images * numbers["probe/train"]).sum().backward()
    assert near(z.grad, numbers["grad/train/input/z"].flatten(1), GRADIENT)
    check_training(net, numbers)


def test_golden_discriminator():
    """The reference ends in the sigmoid that here is the loss's."""
    net, numbers = golden("D")
    images = numbers["input/images"]
    assert near(net.eval()(images).sigmoid(), numbers["output/eval"], OUTPUT)
    images.requires_grad_()
    logits = net.train()(images)
    assert near(logits, numbers["output/train_logit"], OUTPUT)
    assert near(logits.sigmoid(), numbers["output/train"], OUTPUT)
    (logits.sigmoid() * numbers["probe/train"]).sum().backward()
    assert near(images.grad[:1], numbers["grad/train/input/images_first"], GRADIENT)
    check_training(net, numbers)


def test_first_weights():
    torch.manual_seed(0)
    model = build(3, 64, 64)
    for name, parameter in model.named_parameters():
        values = parameter.detach()
        slack = 5 / values.numel() ** 0.5  # five standard errors
        if values.dim() == 4:
            assert values.mean().abs() < 0.02 * slack, name
            assert values.std() == pytest.approx(0.02, rel=slack), name
        elif name.endswith("weight"):
            assert (values.mean() - 1).abs() < 0.02 * slack, name
            assert values.std() == pytest.approx(0.02, rel=slack), name
        else:
            assert values.abs().max() == 0, name
    assert not any(name.endswith("bias") and parameter.dim() == 4 for name, parameter in model.named_parameters())


def test_optimizers():
    model = on_meta(3, 64, 64, lr=2e-4, beta1=0.5, penalty="")
    for network in ("G", "D"):
        optimizer = model.optimizer(network, getattr(model, network).parameters())
        assert type(optimizer) is torch.optim.Adam
        (group,) = optimizer.param_groups
        assert (group["lr"], group["betas"], group["eps"], group["weight_decay"]) == (2e-4, (0.5, 0.999), 1e-8, 0)


# All that a run is decided by, as the PyTorch tutorial has it (pytorch/examples at 77f55b9), and the trainer's half.
CONFIG = {
    "loss": "nonsaturating", "penalty": "", "augment": "none", "lr": 2e-4, "lr_d": None, "beta1": 0.5, "beta2": 0.999,
    "n_critic": 1, "latent_dim": 100, "san": False, "width_g": 64, "width_d": 64, "batch_size": 128, "ema": 2000,
    "resolution": 64,
}  # fmt: skip
SMALL = {"batch_size": 32, "resolution": 32, "width_g": 16, "width_d": 16}
DIGITS = {"batch_size": 32, "resolution": 28}
DIGITS_32 = {
    "batch_size": 64, "resolution": 32, "width_g": 32, "width_d": 32, "lr": 2e-3, "penalty": "r1:gamma=3",
    "ema": 200_000,
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "changed", "channels"),
    [
        ({"architecture": "dcgan", "dataset": "anime", "preset": "tutorial"}, {}, None),
        ({"architecture": "dcgan", "dataset": "anime", "preset": "small"}, SMALL, None),
        ({"architecture": "dcgan", "dataset": "digits", "preset": "digits"}, DIGITS, 1),
        ({"architecture": "dcgan", "dataset": "digits", "preset": "digits-32"}, DIGITS_32, None),
        ({"architecture": None, "dataset": None, "recipe": "report-anime"}, {}, None),
        ({"architecture": None, "dataset": None, "recipe": "report-digits"}, DIGITS, 1),
        ({"architecture": None, "dataset": None, "recipe": "report-digits-each"}, DIGITS, 1),
    ],
    ids=lambda value: value.get("recipe", value.get("preset")) if isinstance(value, dict) else None,
)
def test_presets_and_recipes_stay_what_they_were(words, changed, channels):
    """Whatever the defaults become: what was published or compared with them can be repeated."""
    plan = plan_run(**words)
    expected = {**CONFIG, **changed}
    assert dataclasses.asdict(plan.config) == expected
    settings = plan.settings
    assert (settings.batch_size, settings.ema, settings.channels) == (expected["batch_size"], expected["ema"], channels)
    assert (settings.resolution, settings.flip, settings.load_size) == (str(expected["resolution"]), False, None)
    assert plan.size == (expected["resolution"], expected["resolution"])


def test_presets_pin_every_option():
    """But for resolution, which follows the data where a preset does not say it."""
    for name, row in DCGAN.presets.items():
        assert CONFIG.keys() - {"resolution"} <= row.keys(), name


def test_the_report_s_stages():
    stages = plan_run(None, None, recipe="report-anime").stages
    assert [(dict(stage.length), dict(stage.changes)) for stage in stages] == [
        ({"epochs": 5}, {"lr": 2e-4, "beta1": 0.5}),
        ({"epochs": 5}, {"lr": 1e-4, "beta1": 0.3}),
        ({"epochs": 10}, {"lr": 1e-4, "beta1": 0.5}),
        ({"epochs": 10}, {"lr": 1e-5, "beta1": 0.5}),
    ]


def test_defaults():
    table = option_table(DCGAN)
    assert table["resolution"].default == "64"
    assert table["loss"].default == "nonsaturating"
    assert table["latent_dim"].default == 100
    assert find("architecture", "dcgan").card.batch_statistics


def test_trains_both_players_and_updates_running_statistics(make_trainer):
    items = torch.rand(8, 1, 16, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    trainer = make_trainer(DCGAN, items=items, batch_size=4, latent_dim=4, width_g=2, width_d=2, penalty="")
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    values = trainer.step()
    assert set(values) == {
        "loss/D", "loss/D/adversarial", "loss/G", "loss/G/adversarial", "D(x)", "D(G(z))", "D(G(z)) after",
    }  # fmt: skip
    unchanged = [name for name, value in trainer.model.state_dict().items() if torch.equal(value, before[name])]
    assert unchanged == []


def test_the_file_is_short_enough_to_read_at_once():
    import ganzoo_dcgan.model

    assert len(Path(ganzoo_dcgan.model.__file__).read_text(encoding="utf-8").splitlines()) <= 120
