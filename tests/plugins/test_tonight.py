"""tonight: counts of its presets, how it begins, one step of every parameter, and what it cannot do."""

from __future__ import annotations

import math

import pytest
import torch

from ganzoo.api import DataSpec, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts

Tonight = load_architecture(find("architecture", "tonight"))
TINY = {"width": 4, "width_max": 8, "latent_dim": 4}
SIZES = ("width", "width_max", "blocks", "patch")


def build(shape=(3, 16, 16), **options):
    return Tonight(Tonight.Config(**options), DataSpec(shape))


@pytest.mark.parametrize(
    ("preset", "shape", "counts"),
    [("small-64", (3, 64, 64), {"G": 387_980, "D": 587_569}), ("digits-32", (1, 32, 32), {"G": 262_660, "D": 362_305})],
)
def test_parameter_counts(preset, shape, counts):
    with torch.device("meta"):
        model = build(shape, **{key: value for key, value in Tonight.presets[preset].items() if key in SIZES})
    assert parameter_counts(model) == counts


@pytest.mark.parametrize(
    ("shape", "patch", "levels"), [((1, 16, 16), 1, 3), ((3, 64, 64), 2, 4), ((3, 48, 48), 3, 3), ((3, 128, 128), 4, 4)]
)
def test_sizes(shape, patch, levels):
    with torch.device("meta"):
        model = build(shape, patch=patch, **TINY)
        images = model.generate(torch.empty(2, 4), None, 1.0)
        assert images.shape == (2, *shape)
        assert model.D(images).shape == (2,)
        assert len(model.G.blocks) == len(model.D.blocks) == levels


def test_how_the_weights_begin():
    """Each block is the identity; within it variances are sqrt(2 / 1.04) L^(-1/4) over the root of its inputs."""
    torch.manual_seed(0)
    block = build((3, 64, 64), width=128, width_max=128, blocks=2).D.blocks[0][1]
    gain = math.sqrt(2 / 1.04) * 8**-0.25  # two blocks at each of four sizes
    assert block.spatial.weight.std().item() == pytest.approx(gain / 3, rel=0.05)
    assert block.wider.weight.std().item() == pytest.approx(gain / 128**0.5, rel=0.03)
    x = torch.randn(2, 128, 8, 8)
    assert torch.equal(block(x), x)


def test_the_pixels_of_a_patch_begin_alike():
    torch.manual_seed(0)
    with torch.no_grad():
        images = build(**TINY).generate(torch.randn(2, 4), None, 1.0)
    patches = images.unflatten(3, (8, 2)).unflatten(2, (8, 2))  # [B, C, 8, 2, 8, 2]
    assert torch.allclose(patches, patches[:, :, :, :1, :, :1].expand_as(patches), atol=1e-6)
    assert images.std() > 0.1


def test_z_reaches_every_size():
    """With the first layer cut off, z still alters the image by the factors in the blocks."""
    torch.manual_seed(0)
    model = build(**TINY)
    with torch.no_grad():
        for parameter in model.G.parameters():
            parameter.normal_(0, 0.5)
        model.G.linear.weight.zero_()
        one, other = model.generate(torch.randn(2, 4), None, 1.0)
    assert not torch.allclose(one, other)


def test_of_the_components_only_the_largest_counts():
    """So G need not draw what lies between two of them; the variance of z stays 1 throughout."""
    torch.manual_seed(0)
    model = build(**{**TINY, "latent_dim": 6}, components=4)
    with torch.no_grad():
        for parameter in model.G.parameters():
            parameter.normal_(0, 0.5)
        one, same = torch.tensor([[0.1, 0.9, -2, 0.3, 1, -1]]), torch.tensor([[-3, 0.2, 0.1, 0.0, 1, -1]])
        other, varied = torch.tensor([[0.9, 0.1, -2, 0.3, 1, -1]]), torch.tensor([[0.1, 0.9, -2, 0.3, 1, -2]])
        images = [model.generate(z, None, 1.0) for z in (one, same, other, varied)]
        seen = []
        model.G.linear.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        model.generate(torch.randn(4000, 6), None, 1.0)
    assert torch.equal(images[0], images[1])
    assert not torch.allclose(images[0], images[2])
    assert not torch.allclose(images[0], images[3])
    assert seen[0].square().mean(0) == pytest.approx([1.0] * 6, rel=0.1)


@pytest.mark.parametrize("side", [8, 16])
def test_a_run_trains_every_parameter_alike_each_time(make_trainer, side):
    items = torch.rand(8, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def run():
        trainer = make_trainer(Tonight, items=items, batch_size=4, resolution=side, **TINY)
        before = {name: value.clone() for name, value in trainer.model.named_parameters()}
        rows = [trainer.step() for _ in range(5)]  # the penalties come in the first and the fifth
        assert all(value.isfinite() for row in rows for value in row.values())
        assert "loss/D/direction" in rows[0]
        assert [name for name, value in trainer.model.named_parameters() if value.equal(before[name])] == []
        return trainer.model.state_dict()

    first, second = run(), run()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_san_keeps_the_last_weight_at_norm_1(make_trainer):
    items = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    trainer = make_trainer(Tonight, items=items, batch_size=4, resolution=8, **TINY)
    for _ in range(2):
        trainer.step()
    assert trainer.model.D.linear.weight.norm().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("shape", "patch", "sentence"),
    [
        ((3, 20, 20), 2, "use --resolution with 2 times a power of two, such as 64."),
        ((3, 32, 64), 2, "use --resolution with 2 times a power of two, such as 64."),
        ((3, 32, 32), 3, "use --resolution with 3 times a power of two, such as 96."),
        ((3, 4, 4), 2, "use --resolution with 2 times a power of two, such as 64."),
    ],
)
def test_what_it_cannot_do(shape, patch, sentence):
    with pytest.raises(UsageError) as refused:
        build(shape, patch=patch)
    assert str(refused.value).endswith(sentence)


def test_no_more_components_than_z_has_numbers():
    with pytest.raises(UsageError, match=r"z has 4 numbers, too few for --components 5; use --latent-dim 5 or more\."):
        build(**TINY, components=5)
