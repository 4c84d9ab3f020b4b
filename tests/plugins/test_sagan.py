"""SAGAN: published counts, the attention's and both networks' numbers, and where the attention goes."""

from __future__ import annotations

import pytest
import torch
from ganzoo_sagan.attention import SelfAttention
from ganzoo_sngan.blocks import plain
from support.golden_numbers import GRADIENT, OUTPUT, check_layers, near, stored, stored_norms, take_layers

import ganzoo
from ganzoo.api import DataSpec, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.gan.losses import Hinge

SAGAN = load_architecture(find("architecture", "sagan"))
FIVE = tuple("abcde")
ATTENTION = {f"attn_block{part}": f"blocks.2{part}" for part in ("", ".theta", ".phi", ".g", ".o")}
G = ATTENTION | {"l1": "dense", "b5": "norm", "c5": "to_image"} | {
    f"block{i + 2}.{theirs}": f"blocks.{(0, 1, 3)[i]}.{ours}"
    for i in range(3)
    for theirs, ours in {
        "c1": "conv1", "c2": "conv2", "c_sc": "shortcut", "b1.bn": "norm1.norm", "b2.bn": "norm2.norm",
        "b1.embed": "norm1.rows", "b2.embed": "norm2.rows",
    }.items()
}  # fmt: skip
D = ATTENTION | {"l5": "head.dense", "l_y": "head.embed"} | {
    f"block{i + 1}.{theirs}": f"blocks.{(0, 1, 3, 4)[i]}.{ours}"
    for i in range(4)
    for theirs, ours in {"c1": "conv1", "c2": "conv2", "c_sc": "shortcut"}.items()
}  # fmt: skip


def build(shape=(3, 32, 32), classes=(), **options):
    return SAGAN(SAGAN.Config(conditional=bool(classes), **options), DataSpec(shape, classes))


def tiny(**options):
    widths = {"latent_dim": 8, "widths_g": (16,) * 4, "widths_d": (16,) * 4, "upsample": "bilinear"}
    return build(classes=FIVE, **widths, **options).double()


@pytest.mark.parametrize(("preset", "counts"), [("classes", (4_386_308, 1_075_586)), ("cifar", (4_358_660, 1_074_306))])
def test_parameter_counts(preset, counts):
    assert tuple(ganzoo.describe("sagan", preset=preset)["parameters"].values()) == counts


def test_published_numbers():
    options = {row["name"]: row["value"] for row in ganzoo.describe("sagan")["options"]}
    wanted = {"lr": 1e-4, "lr_d": 4e-4, "beta1": 0.0, "beta2": 0.9, "n_critic": 1, "loss": "hinge"}
    assert {name: options[name] for name in wanted} == wanted


def test_golden_attention():
    numbers = stored("self_attention")
    layer = SelfAttention(16, plain).double()
    names = {"": ""} | {name: name for name in ("theta", "phi", "g", "o")}
    take_layers(layer, {key.replace("weights/gamma", "weights/.gamma"): v for key, v in numbers.items()}, names)
    x = numbers["input/x"].requires_grad_()
    out = layer(x)
    assert near(out, numbers["output/out"], OUTPUT)
    (out * numbers["probe/out"]).sum().backward()
    check_layers(layer, numbers, names, "grad/out/", GRADIENT)
    assert near(x.grad, numbers["grad/out/input/x"], GRADIENT)


def test_golden_generator():
    numbers = stored("sagan_g")
    network = tiny().G
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
    stored_norms(network, numbers, G)
    assert near(network.eval()(z, label), numbers["output/eval"], OUTPUT)


@pytest.mark.parametrize(("rectified", "mode"), [(True, "train"), (False, "train_raw_shortcut")])
def test_golden_discriminator(rectified, mode):
    numbers = stored("sagan_d")
    network = tiny(rectified=rectified).D
    take_layers(network, numbers, D)
    images = numbers["input/images"].requires_grad_()
    logits = network(images, numbers["input/labels"])
    assert near(logits, numbers[f"output/{mode}"].flatten(), OUTPUT)
    (logits * numbers["probe/train"].flatten()).sum().backward()
    check_layers(network, numbers, D, f"grad/{mode}/", GRADIENT)
    check_layers(network, numbers, D, "after_train/", OUTPUT)
    if rectified:
        assert near(Hinge().discriminator(logits, numbers["input/fake_scores"]), numbers["output/hinge_d"], OUTPUT)


def test_attention_begins_as_nothing_and_goes_where_it_is_told():
    torch.manual_seed(0)
    model = build(widths_g=(8, 8, 8), widths_d=(8, 8), attention_g=1, attention_d=2, halvings=1)
    kinds = [type(block).__name__ for block in model.G.blocks]
    assert kinds == ["UpBlock", "SelfAttention", "UpBlock"]
    assert [type(block).__name__ for block in model.D.blocks] == ["DownBlock", "DownBlock", "SelfAttention"]
    x = torch.randn(2, 8, 6, 10)
    assert torch.equal(model.G.blocks[1](x), x)
    assert len(build(widths_g=(8, 8), attention_g=0, attention_d=0).G.blocks) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"attention_g": 4}, "--attention-g 4 is after more than the 3 blocks there are"),
        ({"conditional": True}, "--conditional takes data with a class"),
        ({"halvings": 9}, "--halvings 9 is more than"),
        ({"halvings": 4, "attention_d": 4, "resolution": 16}, "--attention-d 4 is where maps have one row or column"),
        ({"widths_g": ()}, "--widths-g takes one number or more"),
    ],
)
def test_refusals(options, words):
    with pytest.raises(UsageError, match=words):
        SAGAN(config := SAGAN.Config(**options), DataSpec((3, config.resolution, config.resolution)))


def test_one_step(make_trainer):
    items = torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    widths = {"widths_g": (8, 8), "widths_d": (8, 8), "halvings": 1, "attention_g": 1, "attention_d": 1}
    trainer = make_trainer(SAGAN, items=items, batch_size=4, latent_dim=4, **widths)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    assert {"loss/D", "loss/G"} <= set(trainer.step())
    moved = {name for name, value in trainer.model.named_parameters() if not torch.equal(value, before[name])}
    assert {"G.blocks.1.gamma", "D.blocks.1.gamma", "G.dense.parametrizations.weight.original"} <= moved
