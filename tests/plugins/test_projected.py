"""Projected GAN: its heads' counts, what it sees, what stays fixed, whose G it takes, a run."""

from __future__ import annotations

import pytest
import torch
from ganzoo_projected.model import LAYERS, SEEN, Eyes, Mixing
from support.command_line import cli
from torch.nn.functional import conv2d, interpolate
from torchvision.models import efficientnet_b0

from ganzoo.api import DataSpec, UsageError, load_model, load_tensors, make_generator
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts

Projected = load_architecture(find("architecture", "projected"))
TINY = {"generator": "dcgan:small", "resolution": 32, "view": 32, "mixed": 4, "heads": 4, "batch_size": 4}


def build(shape=(3, 32, 32), **options):
    return Projected(Projected.Config(**(TINY | options)), DataSpec(shape))


@pytest.mark.parametrize(
    ("options", "side", "counts"),
    [
        ({"generator": "fastgan", "view": 0, "mixed": 64, "heads": 512}, 256, {"G": 29_127_846, "D": 12_378_240}),
        ({"generator": "fastgan:small", "view": 128, "mixed": 32, "heads": 128}, 64, {"G": 835_620, "D": 473_792}),
    ],
)
def test_parameter_counts(options, side, counts):
    """Of D the heads alone: neither the pretrained network nor what is mixed at random."""
    with torch.device("meta"):
        assert parameter_counts(build((3, side, side), **options)) == counts


def test_eyes_are_torchvisions_network():
    torch.manual_seed(0)
    whole, eyes, images = efficientnet_b0().eval(), Eyes().eval(), torch.rand(2, 3, 64, 64) * 2 - 1
    eyes.load_state_dict(whole.state_dict())
    mean, spread = (torch.tensor(each).view(3, 1, 1) for each in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    for layer, maps, found in zip(LAYERS, SEEN, eyes(images), strict=True):
        assert torch.equal(found, whole.features[: layer + 1]((images / 2 + 0.5 - mean) / spread))
        assert found.shape[1] == maps
    assert [len(x[0, 0]) for x in eyes(images)] == [16, 8, 4, 2]


def test_features_are_mixed_across_maps_and_from_below():
    torch.manual_seed(0)
    mixing = Mixing((3, 5), (4, 8))
    upper, lower = torch.randn(2, 3, 8, 8), torch.randn(2, 5, 4, 4)
    found, deepest = mixing([upper, lower])
    assert torch.allclose(deepest, torch.einsum("oi,bihw->bohw", mixing.channels1[:, :, 0, 0], lower), atol=1e-5)
    below = conv2d(interpolate(deepest, scale_factor=2, mode="bilinear"), mixing.scales0, padding=1)
    fused = torch.einsum("oi,bihw->bohw", mixing.channels0[:, :, 0, 0], upper) + below
    assert torch.allclose(found, conv2d(fused, mixing.out0, padding=1), atol=1e-4)
    assert mixing.widths == [2, 8]
    assert list(mixing.parameters()) == []


def test_heads_judge_side_by_side_to_4x4():
    model = build((1, 32, 32), view=128)
    model.D.eyes.ready = True
    assert model.D(torch.randn(2, 1, 32, 32)).shape == (2, 4 * 16)
    assert [sum(hasattr(layer, "stride") for layer in head) - 1 for head in model.D.heads] == [3, 2, 1, 0]


def test_a_run_with_weights_that_users_give(train, tmp_path):
    """What was mixed at random stays, and is in the checkpoint; the model needs the pretrained network no more."""
    with pytest.raises(UsageError, match="ganzoo weights add efficientnet-b0 FILE"):
        train("no", "projected", steps=1, **TINY)
    torch.manual_seed(0)
    torch.save(efficientnet_b0().state_dict(), tmp_path / "b0.pth")
    assert cli("weights", "add", "efficientnet-b0", str(tmp_path / "b0.pth")).exit_code == 0
    run = train("run", "projected", steps=3, checkpoint_every=1, **TINY)
    first, *_, last = (load_tensors(each)[0] for each in sorted(run.checkpoints()))
    mixed = [name for name in last if "mixing" in name]
    assert len(mixed) == 10
    assert all(torch.equal(first[name], last[name]) for name in mixed)
    assert [name for name in last if "eyes" in name] == []
    assert any("heads" in name and not torch.equal(first[name], last[name]) for name in last)
    assert any("G.G" in name and not torch.equal(first[name], last[name]) for name in last)
    found = load_model(run.model_file, device="cpu").sample(3)
    assert found.shape[0] == 3


@pytest.mark.parametrize("spec", ["lsgan:small", "tonight:digits-32", "r3gan:small", "began:small", "infogan:small"])
def test_any_unconditional_generator(spec):
    made = make_generator(spec, DataSpec((1, 32, 32)))
    assert [name for name, _ in made.named_children() if name in ("D", "Q")] == []
    with torch.no_grad():
        assert made.eval().generate(torch.randn(2, made.latent_dim), None, 1.0).shape == (2, 1, 32, 32)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"generator": "dcgan:smal"}, "dcgan has no preset 'smal'; did you mean small?"),
        ({"generator": "nothing"}, "architecture"),
        ({"generator": "biggan:small"}, "it makes no images from noise alone, or grows; choose another."),
        ({"generator": "wavegan"}, "The generator of wavegan is not taken: it makes no images from noise alone"),
        ({"generator": "cyclegan:small"}, "The generator of cyclegan is not taken: it makes no images from noise"),
        ({"generator": ""}, "There is no architecture ''"),
        ({"generator": "progan:small"}, "or grows; choose another."),
        ({"generator": "projected"}, "another architecture's generator"),
        ({"view": 40}, "--view takes a multiple of 32"),
        ({"latent_dim": 7}, "leave --latent-dim out."),
    ],
)
def test_what_it_cannot_do(options, sentence):
    with pytest.raises(UsageError) as refused:
        build(**options)
    assert sentence in str(refused.value)


def test_four_channels_are_none_that_the_pretrained_network_sees():
    with pytest.raises(UsageError, match="sees images in grey or colour, not with 4 channels"):
        build((4, 32, 32))
