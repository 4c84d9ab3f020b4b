"""R3GAN: the published counts, the released code's own numbers, its beginning and its schedules."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from ganzoo_import.reader import read
from ganzoo_r3gan.model import Discriminator, Generator, Shape
from ganzoo_r3gan.official import our_names
from ganzoo_stylegan2.upfirdn import downsample2, upsample2
from support.golden_numbers import GRADIENT, OUTPUT, near, stored, weights

from ganzoo.api import (
    DataSpec,
    Progress,
    UsageError,
    load_model,
    load_tensors,
    make_augmentation,
    make_loss,
    make_penalties,
    save_imported,
    squared_norm,
)
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts
from ganzoo.contract.schedules import at
from ganzoo.contract.settings import Settings
from ganzoo.plan.options import apply_options

R3GAN = load_architecture(find("architecture", "r3gan"))
SHAPE = Shape((16, 16, 8), (1, 2, 1), 2, 8)
TINY = {"channel_base": 64, "channel_max": 8, "blocks": 1, "group_width": 4, "latent_dim": 8}
SCHEDULES = json.loads((Path(__file__).parents[1] / "golden" / "schedules_by_name.json").read_text())["r3gan"]


def build(side: int, classes: int = 0, **options):
    names = tuple(map(str, range(classes)))
    return R3GAN(R3GAN.Config(conditional=bool(classes), **options), DataSpec((3, side, side), names))


def preset(name: str):
    """The Config of a published run, and the half-life of its average."""
    return apply_options("r3gan", R3GAN.Config(), Settings(), dict(R3GAN.presets[name]))


def take(network, numbers):
    names = our_names(weights(numbers), isinstance(network, Generator))
    given = {names[key]: value for key, value in weights(numbers).items()}
    shapes = {key: value.shape for key, value in network.state_dict().items()}
    network.double().load_state_dict({key: value.reshape(shapes[key]) for key, value in given.items()})
    return network


def check_gradients(network, numbers, mode):
    parameters, start = dict(network.named_parameters()), f"grad/{mode}/"
    names = our_names(weights(numbers), isinstance(network, Generator))
    found = [key for key in numbers if key.startswith(start) and not key.startswith(start + "input/")]
    assert found
    for key in found:
        gradient = parameters[names[key.removeprefix(start)]].grad
        assert near(gradient.reshape(numbers[key].shape), numbers[key], GRADIENT), key


def label_of(numbers):
    return numbers["input/labels_onehot"].argmax(1) if "input/labels_onehot" in numbers else None


@pytest.mark.parametrize(
    ("side", "classes", "name", "g", "d"),
    [
        (32, 10, "cifar", 20_781_952, 21_280_512),
        (32, 0, "cifar", 20_732_160, 20_683_776),
        (64, 0, "ffhq-64", 22_429_824, 22_381_440),
        (256, 0, "ffhq-256", 23_057_952, 23_009_568),
        (32, 1000, "imagenet-32", 82_914_304, 86_548_992),
        (64, 1000, "imagenet-64", 103_570_432, 107_205_120),
    ],
)
def test_parameter_counts(side, classes, name, g, d):
    sizes = ("channel_base", "channel_max", "group_width")
    row = {key: value for key, value in R3GAN.presets[name].items() if key in sizes}
    with torch.device("meta"):
        assert parameter_counts(build(side, classes, **row)) == {"G": g, "D": d}


@pytest.mark.parametrize("name", ["r3gan_g", "r3gan_g_cond"])
def test_golden_generator(name):
    numbers = stored(name)
    classes = 4 if name.endswith("cond") else 0
    G = take(Generator(SHAPE, 8, 3, classes, 6), numbers)
    z = numbers["input/z"].requires_grad_()
    images = G(z, label_of(numbers))
    assert near(images, numbers["output/out"], OUTPUT)
    (images * numbers["probe/out"]).sum().backward()
    assert near(z.grad, numbers["grad/out/input/z"], GRADIENT)
    check_gradients(G, numbers, "out")


@pytest.mark.parametrize("name", ["r3gan_d", "r3gan_d_cond"])
def test_golden_discriminator_and_losses(name):
    numbers = stored(name)
    D = take(Discriminator(SHAPE, 3, 4 if name.endswith("cond") else 0), numbers)
    label = label_of(numbers)

    def critic(images):
        return D(images, label)

    images, fakes = numbers["input/images"].requires_grad_(), numbers["input/fakes"].requires_grad_()
    logits = critic(images)
    assert near(logits, numbers["output/out"], OUTPUT)
    (logits * numbers["probe/out"]).sum().backward()
    assert near(images.grad[:1], numbers["grad/out/input/images_first"], GRADIENT)
    check_gradients(D, numbers, "out")
    assert near(squared_norm(critic, images), numbers["output/r1"], GRADIENT)
    assert near(squared_norm(critic, fakes), numbers["output/r2"], GRADIENT)
    loss = make_loss("relativistic")
    for gamma in (0.05, 150):
        mode = f"d_loss_gamma{gamma}"
        if f"output/{mode}" not in numbers and not any(key.startswith(f"grad/{mode}/") for key in numbers):
            continue
        D.zero_grad()
        real, fake = critic(images), critic(fakes)
        terms = make_penalties(f"r1:gamma={gamma}+r2:gamma={gamma}").terms(critic, images, fakes, real, fake)
        total = loss.discriminator(real, fake) + sum(terms.values())
        if f"output/{mode}" in numbers:
            assert near(total, numbers[f"output/{mode}"], GRADIENT)
        total.backward()
        check_gradients(D, numbers, mode)
    fakes.grad = None
    total = loss.generator(critic(fakes), critic(images))
    assert near(total, numbers["output/g_loss"], OUTPUT)
    total.backward()
    assert near(fakes.grad, numbers["grad/g_loss/input/fakes"], GRADIENT)


@pytest.mark.parametrize("classes", [0, 3])
def test_a_state_dict_in_the_released_names_becomes_the_model(classes, tmp_path):
    """The golden tests prove these names; here a file is written in them, as the training code nests them."""
    torch.manual_seed(0)
    sizes = {**TINY, "channel_base": 64, "channel_max": 8}
    model = build(16, classes, **sizes).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    # Theirs by ours: every name there can be, of which those that are ours are taken.
    layers = [*(f"LinearLayer{i}.Layer.weight" for i in (1, 2, 3)), "NonLinearity1.Bias", "NonLinearity2.Bias"]
    parts = [*layers, "LinearLayer.Layer.weight", "LinearLayer.weight", "Basis", "Basis.weight"]
    nested = [f"MainLayers.{stage}.Layers.{n}.{part}" for stage in range(3) for n in range(3) for part in parts]
    nested += ["ExtractionLayer.Layer.weight", "AggregationLayer.Layer.weight", "EmbeddingLayer.weight"]
    file = {}
    for kept, network in (("G_ema", model.G), ("D", model.D)):
        state = network.state_dict()
        # At 16x16 with these sizes the last change is between 8 and 4 maps.
        changes = [name for name in nested if name.endswith("LinearLayer.Layer.weight")]
        change = changes[0 if kept == "D" else 6]
        change = "MainLayers.0.Layers.1.LinearLayer.Layer.weight" if kept == "D" else change
        names = {name: ours for name, ours in our_names(
            dict.fromkeys([each for each in nested if each not in changes or each == change]), kept == "G_ema"
        ).items() if ours in state}  # fmt: skip
        assert set(names.values()) == set(state)
        file[kept] = {f"Model.{name}": state[ours].squeeze() if "Bias" in name else state[ours]
                      for name, ours in names.items()}  # fmt: skip
    torch.save(file, tmp_path / "r3gan.pt")
    save_imported("r3gan", read(tmp_path / "r3gan.pt"), tmp_path / "r3gan.pt", tmp_path / "a.safetensors", "")
    found, z = load_model(tmp_path / "a.safetensors", device="cpu"), torch.randn(4, 8)
    label = torch.tensor([0, 1, 2, 0]) if classes else None
    assert torch.equal(found.architecture.generate(z, label), model.generate(z, label))
    assert torch.equal(load_tensors(tmp_path / "a.safetensors")[0]["D.linear.weight"], model.D.linear.weight)


def test_golden_resampling():
    """Its [1, 2, 1], spread over two pixels, is StyleGAN2's [1, 3, 3, 1]."""
    numbers = stored("r3gan_resample")
    assert near(upsample2(numbers["input/x"]), numbers["output/up"], OUTPUT)
    assert near(downsample2(numbers["input/x"]), numbers["output/down"], OUTPUT)


def test_how_the_weights_begin():
    """In a block N(0, sqrt(2 / 1.04) L^(-1/4) / sqrt(fan in)), its last convolution 0: a block is the identity."""
    torch.manual_seed(0)
    D = build(8, 3, channel_max=128, group_width=16, blocks=4).D
    block, gain = D.stages[0][0], math.sqrt(2 / 1.04) * 8**-0.25
    assert block.conv1.weight.std().item() == pytest.approx(gain / 128**0.5, rel=0.03)
    assert block.conv2.weight.std().item() == pytest.approx(gain / (16 * 9) ** 0.5, rel=0.03)
    assert not block.conv3.weight.any()
    assert D.basis.weight.std().item() == pytest.approx(1 / 4, rel=0.1)
    assert D.embedding.weight.std().item() == pytest.approx(128**-0.5 / 3**0.5, rel=0.15)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [("cifar", "CIFAR10"), ("ffhq-64", "FFHQ-64"), ("ffhq-256", "FFHQ-256"), ("imagenet-32", "ImageNet-32"),
     ("imagenet-64", "ImageNet-64")],
)  # fmt: skip
def test_presets_follow_the_published_schedules(name, theirs):
    config, settings = preset(name)[:2]
    penalties, augment = make_penalties(config.penalty), make_augmentation(config.augment, "image")
    assert config.batch_size == SCHEDULES[theirs]["batch"]
    for row in SCHEDULES[theirs]["rows"]:
        moment = Progress(0, int(row["images"]), 0, 0, 10**9)
        penalties.begin_step(moment)
        augment.begin_step(moment)
        now = at(config, moment)
        assert (now.lr, now.beta2) == pytest.approx((row["lr"], row["beta2"]), rel=1e-6)
        assert [each.gamma for each in penalties.values()] == pytest.approx([row["gamma"]] * 2, rel=1e-6)
        assert at(settings, moment).ema == pytest.approx(row["ema_halflife_images"], rel=1e-6, abs=1e-6)
        assert augment.watch()["augment/ada"].item() == pytest.approx(row["aug"], rel=1e-5, abs=1e-7)


def test_a_run_trains_every_parameter(make_trainer):
    items = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    trainer = make_trainer(R3GAN, items=items, batch_size=4, resolution=8, **TINY)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    for _ in range(3):
        values = trainer.step()
    assert all(value.isfinite() for value in values.values())
    assert [name for name, value in trainer.model.named_parameters() if value.equal(before[name])] == []


@pytest.mark.parametrize(
    ("side", "options", "sentence"),
    [
        ((3, 12, 12), {}, "use --resolution with a power of two from 8 to 1024, such as 64."),
        ((3, 8, 16), {}, "use --resolution with a power of two from 8 to 1024, such as 64."),
        ((3, 8, 8), {"channel_max": 6, "group_width": 5}, "choose a --group-width that divides them."),
        ((3, 8, 8), {"conditional": True}, "or leave --conditional out."),
    ],
)
def test_what_it_cannot_do(side, options, sentence):
    with pytest.raises(UsageError) as refused:
        R3GAN(R3GAN.Config(**options), DataSpec(side))
    assert str(refused.value).endswith(sentence)
