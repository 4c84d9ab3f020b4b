"""SNGAN and its projection: published counts and numbers, both readings of the shortcut, classes that are told."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from support.command_line import cli, refusal
from support.golden_numbers import GRADIENT, OUTPUT, check_layers, near, stored, stored_norms, take_layers

import ganzoo
from ganzoo.api import DataSpec, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.gan.losses import Hinge

SNGAN = load_architecture(find("architecture", "sngan"))
FIVE = tuple("abcde")
UP = {f"block{i + 2}": f"blocks.{i}" for i in range(3)}
G = {"l1": "dense", "b5": "norm", "c5": "to_image"} | {
    f"{theirs}.{part}": f"{ours}.{name}"
    for theirs, ours in UP.items()
    for part, name in {
        "b1": "norm1", "b2": "norm2", "c1": "conv1", "c2": "conv2", "c_sc": "shortcut",
        "b1.bn": "norm1.norm", "b2.bn": "norm2.norm", "b1.embed": "norm1.rows", "b2.embed": "norm2.rows",
    }.items()
}  # fmt: skip
D = {"l5": "head.dense", "l_y": "head.embed"} | {
    f"block{i + 1}.{theirs}": f"blocks.{i}.{ours}"
    for i in range(4)
    for theirs, ours in {"c1": "conv1", "c2": "conv2", "c_sc": "shortcut"}.items()
}


def build(shape=(3, 32, 32), classes=(), **options):
    fields = {field.name for field in dataclasses.fields(SNGAN.Config)}
    return SNGAN(SNGAN.Config(**{k: v for k, v in options.items() if k in fields}), DataSpec(shape, classes))


def tiny(classes=(), **options):
    widths = {"latent_dim": 8, "widths_g": (8,) * 4, "widths_d": (8,) * 4}
    return build(classes=classes, conditional=bool(classes), **widths, **options).double()


@pytest.mark.parametrize(
    ("preset", "counts", "side"),
    [
        (None, (4_276_739, 1_053_825), 32),
        ("projection", (4_304_387, 1_055_105), 32),
        ("stl", (4_878_083, 10_141_441), 48),
        ("celeba-64", (12_220_675, 10_141_441), 64),
        ("celeba-128", (32_150_787, 29_017_857), 128),
    ],
)
def test_parameter_counts(preset, counts, side):
    described = ganzoo.describe("sngan", preset=preset)
    assert tuple(described["parameters"].values()) == counts
    assert described["counted_for"] == [3, side, side]


def test_published_numbers():
    rows = ganzoo.describe("sngan", preset="cifar")["options"]
    options = {row["name"]: row["value"] for row in rows}
    assert (options["lr"].text, options["beta1"], options["beta2"]) == ("linear:2e-4:0", 0.0, 0.9)
    assert [options[name] for name in ("loss", "n_critic", "batch_size", "steps")] == ["hinge", 5, 64, 100_000]


@pytest.mark.parametrize("which", ["sngan_g", "cgan_pd_g"])
@pytest.mark.parametrize("upsample", ["bilinear", "nearest"])
def test_golden_generator(which, upsample):
    numbers = stored(which)
    network = tiny(FIVE if "cgan" in which else (), upsample=upsample).G
    take_layers(network, numbers, G)
    z, label = numbers["input/z"].requires_grad_(), numbers.get("input/labels")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images = network(z, label)
    if upsample == "nearest":
        assert near(images, numbers["output/train_nearest"], OUTPUT)
        return
    assert near(images, numbers["output/train"], OUTPUT)
    check_layers(network, numbers, G, "after_train/", OUTPUT)
    (images * numbers["probe/train"]).sum().backward()
    check_layers(network, numbers, G, "grad/train/", GRADIENT)
    assert near(z.grad, numbers["grad/train/input/z"], GRADIENT)
    network.load_state_dict(before)
    assert near(network.eval()(z, label), numbers["output/eval"], OUTPUT)


@pytest.mark.parametrize("which", ["sngan_d", "cgan_pd_d"])
@pytest.mark.parametrize(("rectified", "mode"), [(True, "train"), (False, "train_raw_shortcut")])
def test_golden_discriminator(which, rectified, mode):
    numbers = stored(which)
    network = tiny(FIVE if "cgan" in which else (), rectified=rectified).D
    take_layers(network, numbers, D)
    images, label = numbers["input/images"].requires_grad_(), numbers.get("input/labels")
    logits = network(images, label)
    assert near(logits, numbers[f"output/{mode}"].flatten(), OUTPUT)
    (logits * numbers["probe/train"].flatten()).sum().backward()
    check_layers(network, numbers, D, f"grad/{mode}/", GRADIENT)
    assert near(images.grad[:1], numbers[f"grad/{mode}/input/images_first"], GRADIENT)
    check_layers(network, numbers, D, "after_train/", OUTPUT)
    if rectified:
        loss = Hinge()
        assert near(loss.discriminator(logits, numbers["input/fake_scores"]), numbers["output/hinge_d"], OUTPUT)


@pytest.mark.parametrize(("rectified", "mode"), [(True, "eval"), (False, "eval_raw_shortcut")])
def test_golden_discriminator_in_evaluation(rectified, mode):
    """The references then divide by values that were stored; ours are worked out from u and the weight."""
    numbers = stored("sngan_d")
    network = tiny(rectified=rectified).D
    take_layers(network, numbers, D)
    stored_norms(network, numbers, D)
    assert near(network.eval()(numbers["input/images"]), numbers[f"output/{mode}"].flatten(), OUTPUT)


@pytest.mark.parametrize(("shape", "start"), [((1, 32, 32), (4, 4)), ((3, 48, 64), (6, 8)), ((3, 128, 128), (16, 16))])
def test_sizes(shape, start):
    with torch.device("meta"):
        model = build(shape)
        images = model.generate(torch.empty(2, 128))
        assert images.shape == (2, *shape)
        assert model.D(images).shape == (2,)
        assert model.G.start[1:] == start


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((3, 36, 36), {}, "sngan cannot do 36×36 with these widths: both sides must be multiples of 8"),
        ((3, 32, 32), {"halvings": 5}, "--halvings 5 is more than the 4 blocks"),
        ((3, 32, 32), {"widths_g": ()}, "--widths-g takes one number or more"),
        ((3, 32, 32), {"widths_d": ()}, "more than the 0 blocks"),
        ((3, 32, 32), {"conditional": True}, "--conditional takes data with a class for each image"),
        ((2,), {}, "SNGAN makes images"),
    ],
)
def test_refusals(shape, options, words):
    with pytest.raises(UsageError, match=words):
        build(shape, **options)


def test_data_that_does_not_fit_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = refusal(cli("train", "sngan", "tiny", "--resolution", "20", "--steps", "1", "--batch-size", "2"))
    assert "both sides must be multiples of 8" in line


def test_first_weights():
    """Uniform with Glorot's variance, times 2 in the residual branch; scales of the classes about 1."""
    torch.manual_seed(0)
    model = build(classes=FIVE, conditional=True)
    block = model.G.blocks[0]
    assert block.conv1.weight.std().item() == pytest.approx((2 * 2 / (512 * 9)) ** 0.5, rel=0.01)
    assert block.shortcut.weight.std().item() == pytest.approx((2 / 512) ** 0.5, rel=0.01)
    assert model.G.dense.weight.std().item() == pytest.approx((2 / (128 + 4096)) ** 0.5, rel=0.01)
    scale, shift = block.norm1.rows.weight.chunk(2, 1)
    assert scale.mean().item() == pytest.approx(1, abs=0.01)
    assert scale.std().item() == pytest.approx(0.02, rel=0.1)
    assert not shift.any()


def test_one_step(make_trainer):
    items = torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    trainer = make_trainer(
        SNGAN, items=items, batch_size=2, latent_dim=4, widths_g=(4, 4), widths_d=(4, 4), halvings=1, n_critic=2
    )
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    assert {"loss/D", "loss/G", "D(x)"} <= set(trainer.step())
    same = [name for name, value in trainer.model.state_dict().items() if torch.equal(value, before[name])]
    assert [name for name in same if name.endswith(("weight", "original"))] == []
