"""FastGAN: the published counts, the numbers of the released code and of Projected GAN's copy of G, its step."""

from __future__ import annotations

import pytest
import torch
from ganzoo_fastgan import networks
from ganzoo_fastgan.loss import SoftHinge
from ganzoo_fastgan.lpips import Lpips
from ganzoo_fastgan.networks import BIG, Discriminator, Excitation, Generator, quarter, resized, small_block
from support.golden_numbers import GRADIENT, OUTPUT, near, stored, weights

from ganzoo.api import DataSpec, PixelNorm, UsageError, make_loss
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts

FastGAN = load_architecture(find("architecture", "fastgan"))
NOISE_STRENGTH = 1e-3  # tolerance of these scalars' gradients
SIDES = (8, 16, 32, 64, 128)
TINY = {"width_g": 2, "width_d": 2, "latent_dim": 8}


def build(side: int, **options):
    return FastGAN(FastGAN.Config(**options), DataSpec((3, side, side)))


def ours(theirs: str) -> str:
    """Our name of what is called so under torch's older spectral norm."""
    theirs = theirs.replace("init.init.", "init.").replace("weight_orig", "parametrizations.weight.original")
    return theirs.replace("weight_u", "parametrizations.weight.0.u")


def take(network: torch.nn.Module, numbers, prefix: str = "", missing: str = "to_small.", left: str = "to_big.bias"):
    """Loads what is stored under ``weights/``, all but `left`; nothing but `missing` may be left as it was."""
    given = {key.removeprefix(prefix): value for key, value in weights(numbers).items() if key.startswith(prefix)}
    given = {ours(key): value for key, value in given.items() if not key.endswith("weight_v") and key != left}
    found = network.double().load_state_dict(given, strict=False)
    assert not found.unexpected_keys
    wrong = [key for key in found.missing_keys if not key.startswith(missing) and "num_batches" not in key]
    assert not wrong
    return network


def check_gradients(network: torch.nn.Module, numbers, mode: str, prefix: str = ""):
    parameters, start = dict(network.named_parameters()), f"grad/{mode}/{prefix}"
    found = [key for key in numbers if key.startswith(start) and not key.startswith(f"grad/{mode}/input/")]
    assert found
    for key in found:
        name = ours(key.removeprefix(start))
        if name == "to_big.bias":
            continue
        noise = parameters[name].shape == (1,)
        assert near(parameters[name].grad, numbers[key], NOISE_STRENGTH if noise else GRADIENT), key


@pytest.fixture
def queued(monkeypatch):
    """Noise that the layers get instead of random one."""
    queue: list[torch.Tensor] = []

    def rows(shape, device=None):
        drawn = queue.pop(0)
        assert tuple(drawn.shape) == tuple(shape)
        return drawn

    monkeypatch.setattr(networks, "rows", rows)
    return queue


@pytest.mark.parametrize(
    ("side", "g", "d"),
    [(256, 29_127_846, 11_526_160), (512, 29_174_392, 11_526_496), (1024, 29_176_512, 11_528_192)],
)
def test_parameter_counts(side, g, d):
    with torch.device("meta"):
        model = build(side)
    assert parameter_counts(model) == {"G": g, "D": d}
    decoders = [model.D.decoder_big, model.D.decoder_small, model.D.decoder_part]
    assert sum(parameter.numel() for decoder in decoders for parameter in decoder.parameters()) == 3_139_488


@pytest.mark.parametrize(("name", "big"), [("fastgan_g", SIDES), ("fastgan_g_lite", ())])
def test_golden_generator(name, big, queued):
    """The copy normalises z, has one kind of block and a bias in the end; the rest is the same network."""
    numbers = stored(name)
    G = take(Generator(128, 8, 2, 3, big), numbers).train()
    queued += [numbers[f"input/noise{i}"] for i in range(10) if f"input/noise{i}" in numbers]
    z = numbers["input/z"].requires_grad_()
    images = G(PixelNorm()(z))[0] + numbers["weights/to_big.bias"][:, None, None]
    assert near(images[:1], numbers["output/train_first"], OUTPUT)
    (images * numbers["probe/train"]).sum().backward()
    assert near(z.grad, numbers["grad/train/input/z"], GRADIENT)
    check_gradients(G, numbers, "train")
    state = G.state_dict()
    for key in numbers:
        if key.startswith("after_train/"):
            assert near(state[ours(key.removeprefix("after_train/"))], numbers[key], OUTPUT), key


def test_golden_blocks():
    numbers = stored("fastgan_blocks")
    few, many, x = (numbers[f"input/{name}"].requires_grad_() for name in ("small", "big", "up"))
    excitation = take(Excitation(8, 6), numbers, "se/")
    out = excitation(few, many)
    assert near(out, numbers["output/se"], OUTPUT)
    slopes = torch.autograd.grad((out * numbers["probe/se"]).sum(), [few, many])
    for name, slope in zip(("small", "big"), slopes, strict=True):
        assert near(slope, numbers[f"grad/se/input/{name}"], GRADIENT)
    block = take(small_block(4, 3, 10), numbers, "glu/").train()
    out = block(x)
    assert near(out, numbers["output/up"], OUTPUT)
    (out * numbers["probe/up"]).sum().backward()
    assert near(x.grad, numbers["grad/up/input/up"], GRADIENT)
    check_gradients(block, numbers, "up", "glu/")


def logits_of(D, images):
    """In the reference's order: those of all big images, then of all small ones."""
    logits = D(resized(images, 256), resized(images, 128))
    return torch.cat([logits[:, :25].flatten(), logits[:, 25:].flatten()]), logits


def test_golden_discriminator():
    numbers = stored("fastgan_d")
    D = take(Discriminator(256, 4, 3, decoder_width=2), numbers).train()
    images = numbers["input/images"].requires_grad_()
    logits, _ = logits_of(D, images)
    assert near(logits, numbers["output/logits"], OUTPUT)
    (logits * numbers["probe/logits"]).sum().backward()
    assert near(images.grad[:1], numbers["grad/logits/input/images_first"], GRADIENT)
    check_gradients(D, numbers, "logits")


def test_golden_reconstructions_and_losses(monkeypatch):
    numbers = stored("fastgan_d")
    D = take(Discriminator(256, 4, 3, decoder_width=2), numbers).train()
    images = numbers["input/images"].requires_grad_()
    d_real, features = D.features(resized(images, 256), resized(images, 128))
    drawn = D.reconstructions(features, part=2)
    for image, name in zip(drawn, ("big", "small", "part2"), strict=True):
        assert image.shape == (2, 3, 128, 128)
        assert near(image[:1, :, ::2, ::2], numbers[f"output/rec_{name}"], OUTPUT)
    (drawn[0] * numbers["probe/big"]).sum().backward()
    assert near(images.grad[:1], numbers["grad/rec_big/input/images_first"], GRADIENT)
    check_gradients(D, numbers, "rec_big")
    D = take(Discriminator(256, 4, 3, decoder_width=2), numbers).train()
    d_fake = logits_of(D, numbers["input/fakes"])[1]
    draws = {
        side: torch.cat([numbers[f"input/{side}_draw"][start : start + 50].view(2, 25) for start in (0, 50)], 1)
        for side in ("real", "fake")
    }
    given = iter([draws["real"], draws["fake"]])
    monkeypatch.setattr("ganzoo_fastgan.loss.rows", lambda shape, draw, device: next(given))
    total = make_loss("soft-hinge").discriminator(d_real.double(), d_fake.double())
    assert near(total, numbers["output/hinge_real"] + numbers["output/hinge_fake"], OUTPUT)
    assert near(SoftHinge().generator(d_fake), numbers["output/g_loss"].float(), OUTPUT)


@pytest.mark.parametrize("side", [64, 128, 256])
def test_smaller_images_leave_out_the_layers_above(side):
    model = build(side, **TINY)
    big, small = model.G(torch.randn(2, 8))
    assert (big.shape[2], small.shape[2]) == (side, side // 2)
    logits, features = model.D.features(big, small)
    assert logits.shape == (2, 50)
    assert [tuple(image.shape[1:]) for image in model.D.reconstructions(features, 1)] == [(3, side // 2, side // 2)] * 3
    assert [size for size in model.G.sides if size in BIG] == [size for size in (8, 32, 128) if size <= side]


def test_a_quarter_is_where_the_maps_are():
    images = torch.arange(16.0).view(1, 1, 4, 4)
    assert [quarter(images, part)[0, 0, 0, 0].item() for part in range(4)] == [0, 2, 8, 10]


def test_a_run_trains_every_parameter(make_trainer):
    items = torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    trainer = make_trainer(FastGAN, items=items, batch_size=4, resolution=64, penalty="r1:gamma=1,every=2", **TINY)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    for _ in range(6):
        values = trainer.step()
    assert all(value.isfinite() for value in values.values())
    assert {"loss/D/reconstruction", "loss/G/adversarial"} <= set(values)
    assert [name for name, value in trainer.model.named_parameters() if value.equal(before[name])] == []


def test_lpips():
    """The parts of VGG16 and of the package that its weights are for; no distance between images and themselves."""
    torch.manual_seed(0)
    net = Lpips().eval()
    names = set(net.state_dict())
    assert sum(value.numel() for value in net.net.parameters()) == 14_714_688
    assert {"scaling_layer.shift", "net.slice1.0.weight", "net.slice2.5.weight", "net.slice5.28.bias"} <= names
    assert {"lin0.model.1.weight", "lins.4.model.1.weight"} <= names
    a, b = torch.rand(2, 1, 32, 32) * 2 - 1, torch.rand(2, 1, 32, 32).requires_grad_()
    with torch.no_grad():
        for lin in net.lins:
            lin.model[1].weight.abs_()
    assert net(a, a).abs().max() == 0
    distance = net(a, b)
    assert distance.shape == (2,)
    assert distance.min() > 0
    (slope,) = torch.autograd.grad(distance.sum(), b)
    assert slope.isfinite().all()
    blank = torch.zeros(1, 3, 32, 32, requires_grad=True)
    (slope,) = torch.autograd.grad(net(blank, torch.zeros(1, 3, 32, 32)).sum(), blank)
    assert slope.isfinite().all()


def test_lpips_needs_its_weights(train):
    with pytest.raises(UsageError, match="ganzoo weights add lpips-vgg FILE"):
        train("run", "fastgan", resolution=64, distance="lpips", steps=1, **TINY)


@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 96, 96), (3, 64, 128)])
def test_sizes_that_it_cannot_do(shape):
    with pytest.raises(UsageError, match=r"use --resolution with a power of two from 64 to 1024\.$"):
        FastGAN(FastGAN.Config(), DataSpec(shape))
