"""StyleGAN2: the published counts, the released code's own numbers, its lazy turns and what styles can do."""

from __future__ import annotations

import random
import re

import pytest
import torch
from ganzoo_stylegan2.model import path_lengths
from ganzoo_stylegan2.networks import Discriminator, Generator, modulated
from ganzoo_stylegan2.upfirdn import BILINEAR, downsample2, filtered, upsample2
from support.golden_numbers import GRADIENT, OUTPUT, near, stored, weights
from torch.nn.functional import conv2d

from ganzoo.api import DataSpec, UsageError, squared_norm
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts
from ganzoo.contract.randomness import sharing
from ganzoo.model.model import Model
from ganzoo.runs.header import DataHeader, ModelHeader

StyleGAN2 = load_architecture(find("architecture", "stylegan2"))
NOISE_STRENGTH = 1e-3  # tolerance of these scalars' gradients
TINY = {"channel_base": 32, "channel_max": 4, "latent_dim": 8, "mapping_layers": 2}
PUBLISHED = StyleGAN2.presets["config-f"]["penalty"]  # R1 of 10 at any size
WIDTHS = (8, 8, 8, 8)
SYM6, UNEVEN = stored("upfirdn")["input/sym6"], stored("upfirdn")["input/asymmetric"]
FILTERS = {"1331": BILINEAR, "asymmetric": (UNEVEN / UNEVEN.sum()).tolist(), "sym6": (SYM6 / SYM6.sum()).tolist()}


def build(side: int, **options):
    return StyleGAN2(StyleGAN2.Config(**options), DataSpec((3, side, side)))


def used(architecture) -> Model:
    """A trained model with this architecture."""
    return Model(architecture, ModelHeader("stylegan2", DataHeader.of(architecture.data, "noise", "made here"), {}))


def preset(name: str, channels: int = 3):
    row = {key: value for key, value in StyleGAN2.presets[name].items() if key != "epochs"}
    config = StyleGAN2.Config(**row)
    with torch.device("meta"):
        return StyleGAN2(config, DataSpec((channels, config.resolution, config.resolution)))


def ours(theirs: str) -> str:
    """Our name of what the released code calls so, in G and in D."""
    theirs = theirs.replace("mapping.w_avg", "w_mean").replace("synthesis.b", "synthesis.blocks.b")
    return re.sub(r"^b4\.", "", theirs) if theirs.startswith("b4.") else re.sub(r"^b(\d)", r"blocks.b\1", theirs)


def take(network: torch.nn.Module, numbers, prefix: str = ""):
    """Loads everything stored under ``weights/``; nothing of the network is left as it was."""
    given = {key.removeprefix(prefix): value for key, value in weights(numbers).items() if key.startswith(prefix)}
    network.double().load_state_dict({ours(key): value for key, value in given.items()})
    return network


def check_gradients(network: torch.nn.Module, numbers, mode: str, prefix: str = ""):
    start = f"grad/{mode}/{prefix}"
    found = [key for key in numbers if key.startswith(start) and not key.startswith(f"grad/{mode}/input/")]
    assert found
    parameters = dict(network.named_parameters())
    for key in found:
        tolerance = NOISE_STRENGTH if key.endswith("noise_strength") else GRADIENT
        gradient = parameters[ours(key.removeprefix(start))].grad
        assert gradient is not None, key
        assert near(gradient, numbers[key], tolerance), key


def noise_of(numbers):
    return [numbers[f"input/noise{i}"] for i in range(7)]


@pytest.mark.parametrize(
    ("name", "g", "d"),
    [
        ("config-f", 30_370_060, 29_012_513),
        ("cifar", 19_947_539, 20_720_641),
        ("paper256", 24_767_458, 24_001_089),
        ("auto", 23_191_522, 24_001_089),
        ("auto-32", 19_947_539, 21_507_073),
        ("auto-64", 22_243_608, 23_407_361),
        ("auto-128", 22_949_277, 23_882_369),
        ("auto-512", 28_700_647, 28_982_849),
        ("auto-1024", 28_794_124, 29_012_513),
    ],
)
def test_parameter_counts_of_the_published_presets(name, g, d):
    assert parameter_counts(preset(name)) == {"G": g, "D": d}


def test_counts_with_classes():
    """The released preset for CIFAR-10 with its ten classes; D's own mapping has 8 layers."""
    widths = (512,) * 4
    with torch.device("meta"):
        nets = Generator(512, widths, 3, 2, classes=10), Discriminator(widths, 3, False, 32, classes=10)
    counts = [sum(parameter.numel() for parameter in net.parameters()) for net in nets]
    assert counts == [20_215_315, 23_089_664]


def test_auto_chooses_as_the_released_code_does():
    rows = {side: StyleGAN2.presets["auto" if side == 256 else f"auto-{side}"] for side in (32, 64, 256, 1024)}
    assert [rows[side]["batch_size"] for side in rows] == [32, 32, 16, 4]
    gammas = [float(re.search(r"gamma=([\d.]+)", rows[side]["penalty"])[1]) for side in rows]
    assert gammas == pytest.approx([0.0064, 0.0256, 0.8192, 52.4288])
    assert (rows[256]["ema"], rows[1024]["lr"]) == (5000, 2e-3)


@pytest.mark.parametrize("name", FILTERS)
def test_golden_resampling(name):
    numbers, taps = stored("upfirdn"), FILTERS[name]
    x, half = numbers["input/x"], len(taps) // 2
    assert near(upsample2(x, taps), numbers[f"output/{name}_up"], OUTPUT)
    assert near(downsample2(x, taps), numbers[f"output/{name}_down"], OUTPUT)
    assert near(downsample2(x, taps[::-1]), numbers[f"output/{name}_down_flipped"], OUTPUT)
    assert near(filtered(x, half, half - 1, taps), numbers[f"output/{name}_same"], OUTPUT)


@pytest.mark.parametrize("mode", ["demodulated", "demodulated_fused", "not_demodulated_1x1", "up"])
def test_golden_modulated_convolution(mode):
    numbers = stored("modulated_conv")
    weight = "weight1x1" if mode.endswith("1x1") else "weight"
    x, scale, kernel = given = [numbers[f"input/{name}"].requires_grad_() for name in ("x", "styles", weight)]
    found = modulated(x, scale, kernel, demodulate=not mode.startswith("not"), up=mode == "up")
    assert near(found, numbers[f"output/{mode}"], OUTPUT)
    slopes = torch.autograd.grad((found * numbers["probe/up" if mode == "up" else "probe/same"]).sum(), given)
    for name, slope in zip(("x", "styles", weight), slopes, strict=True):
        assert near(slope, numbers[f"grad/{mode}/input/{name}"], GRADIENT)


def test_golden_resampling_convolutions():
    """An ordinary kernel with the same filters; where a side is odd, a column of zeros comes first."""
    numbers = stored("modulated_conv")
    x, kernel, point = (numbers[f"input/{name}"] for name in ("x", "weight", "weight1x1"))
    wide = torch.nn.functional.pad(x, (0, 1))
    assert near(conv2d(filtered(wide, 2, 2), kernel, stride=2), numbers["output/plain_down"], OUTPUT)
    assert near(conv2d(downsample2(wide), point), numbers["output/plain_1x1_down"], OUTPUT)
    assert near(upsample2(conv2d(x, point)), numbers["output/plain_1x1_up"], OUTPUT)


@pytest.fixture(params=["stylegan2_g", "stylegan2_g_map2_cond"])
def golden(request):
    numbers = stored(request.param)
    classes = 3 if "cond" in request.param else 0
    G = take(Generator(16, WIDTHS, 3, 2 if classes else 8, classes).eval(), numbers)
    return numbers, G, numbers["input/labels_onehot"].argmax(1) if classes else None


@pytest.mark.parametrize("mode", ["const", "random", "mixed", "none"])
def test_golden_generator(golden, mode):
    numbers, G, label = golden
    first, second = z = [numbers[f"input/z{i}"].requires_grad_() for i in (1, 2)]
    w = G.mapping(first, label)
    assert near(w, numbers["output/w1"], OUTPUT)
    if mode == "mixed":
        w = torch.cat([w[:, None].expand(-1, 3, -1), G.mapping(second, label)[:, None].expand(-1, 5, -1)], 1)
    noise = {"random": noise_of(numbers), "none": [torch.zeros_like(each) for each in noise_of(numbers)]}.get(mode)
    images = G.synthesis(w, noise)
    expected = numbers[f"output/{mode}" if f"output/{mode}" in numbers else f"output/{mode}_first"]
    assert near(images[: len(expected)], expected, OUTPUT)
    if mode == "const":
        assert near(images[:1], numbers["output/const_eval_fused_first"], OUTPUT)
    if mode != "none":
        (images * numbers[f"probe/{mode}"]).sum().backward()
        for i in (1, 2)[: 2 if mode == "mixed" else 1]:
            assert near(z[i - 1].grad, numbers[f"grad/{mode}/input/z{i}"], GRADIENT)
    if f"grad/{mode}/mapping.fc0.weight" in numbers or f"grad/{mode}/synthesis.b4.const" in numbers:
        check_gradients(G, numbers, mode)


def test_golden_truncation_and_running_mean(golden):
    numbers, G, label = golden
    model = build(32, channel_base=256, channel_max=8, latent_dim=16, truncation_layers=4).eval()
    model.G = G
    w = model.truncated(G.mapping(numbers["input/z1"], label), 0.7)
    assert near(w, numbers["output/truncated_w"], OUTPUT)
    assert near(model.synthesis(w)[:1], numbers["output/truncated_first"], OUTPUT)
    G.follow_mean(numbers["output/w1"], model.config.mean_decay)
    assert near(G.w_mean, numbers["after_train/mapping.w_avg"], OUTPUT)


@pytest.mark.parametrize("name", ["resnet", "orig", "cond"])
def test_golden_discriminator(name):
    numbers, classes = stored(f"stylegan2_d_{name}"), 3 if name == "cond" else 0
    D = take(Discriminator(WIDTHS, 3, name != "orig", 4, classes, layers=2), numbers)
    label = numbers["input/labels_onehot"].argmax(1) if classes else None
    images = numbers["input/images"].requires_grad_()
    logits = D(images, label)
    assert near(logits, numbers["output/out"][:, 0], OUTPUT)
    (logits * numbers["probe/out"][:, 0]).sum().backward()
    assert near(images.grad[:1], numbers["grad/out/input/images_first"], GRADIENT)
    check_gradients(D, numbers, "out")
    D.zero_grad()
    norms = squared_norm(lambda images: D(images, label), images)
    assert near(norms, numbers["output/grad_norm_squared"], GRADIENT)
    penalty = build(32, penalty=PUBLISHED, **TINY).penalties["r1"](
        lambda images: D(images, label), images, images, images, images
    )
    assert near(penalty, numbers["output/r1_gamma10"], GRADIENT)
    penalty.backward()
    check_gradients(D, numbers, "r1_gamma10")


@pytest.fixture
def losses():
    numbers = stored("stylegan2_losses")
    model = build(32, channel_base=256, channel_max=8, latent_dim=16, mapping_layers=2, penalty=PUBLISHED).double()
    take(model.G, numbers, "G/")
    take(model.D, numbers, "D/")
    model.path.mean.copy_(numbers["input/pl_mean"])
    return numbers, model


def test_golden_losses(losses):
    numbers, model = losses
    fake = model.G.synthesis(model.mapping(numbers["input/z"]), noise_of(numbers))
    logits = model.D(fake)
    assert near(logits, numbers["output/Gmain_scores_fake"][:, 0], OUTPUT)
    loss = model.loss.generator(logits)
    assert near(loss, numbers["output/Gmain_G_loss"].mean(), OUTPUT)
    loss.backward()
    check_gradients(model.G, numbers, "Gmain", "G/")
    model.zero_grad()
    d_real, d_fake = model.D(numbers["input/real"]), model.D(fake.detach())
    assert near(d_real, numbers["output/Dmain_scores_real"][:, 0], OUTPUT)
    loss = model.loss.discriminator(d_real, d_fake)
    assert near(loss, numbers["output/Dmain_D_loss"].mean(), OUTPUT)
    loss.backward()
    check_gradients(model.D, numbers, "Dmain", "D/")
    model.zero_grad()
    penalty = model.penalties["r1"](model.D, *[numbers["input/real"]] * 4)
    assert near(penalty, numbers["output/Dreg_D_reg"].mean(), GRADIENT)
    penalty.backward()
    check_gradients(model.D, numbers, "Dreg", "D/")


def test_golden_path_lengths(losses):
    """The mean length has moved by the batch before it is compared, and the gradient goes through that."""
    numbers, model = losses
    w = model.mapping(numbers["input/z"][:2])[:, None].expand(-1, 8, -1)
    images = model.G.synthesis(w, [noise[:2] for noise in noise_of(numbers)])
    lengths = path_lengths(images, w, numbers["input/pl_noise"])
    assert near(lengths, numbers["output/pl_lengths"], GRADIENT)
    loss = 2 * model.path(lengths, 0.01)
    assert near(loss, numbers["output/Greg_G_reg"].mean(), GRADIENT)
    loss.backward()
    check_gradients(model.G, numbers, "Greg", "G/")
    model.path.follow(lengths, 0.01)
    assert near(model.path.mean, numbers["output/pl_mean_after"], GRADIENT)


def test_lazy_regularisation_has_its_rates():
    """Rates and betas to the power of k / (k + 1): 4 / 5 for G and 16 / 17 for D, as the released code has them."""
    model, weight = build(8, **TINY), [torch.nn.Parameter(torch.ones(1))]
    (g,), (d,) = (model.optimizer(name, weight).param_groups for name in "GD")
    assert (g["lr"], *g["betas"]) == pytest.approx((0.0016, 0.0, 0.9919919678228657))
    assert (d["lr"], *d["betas"]) == pytest.approx((0.0018823529411764706, 0.0, 0.9905854573074332))
    (plain,) = build(8, path_weight=0.0, **TINY).optimizer("G", weight).param_groups
    assert (plain["lr"], plain["betas"]) == (2e-3, (0.0, 0.99))


def test_turns_of_a_run(make_trainer):
    """R1 at D's turns 0 and 16, path lengths every fourth step; every parameter learns, the mean length follows."""
    items = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    trainer = make_trainer(StyleGAN2, items=items, batch_size=4, resolution=8, augment="ada:strength=0.5", **TINY)
    seen = [set(trainer.step()) for _ in range(17)]
    assert [i for i, names in enumerate(seen) if "loss/G/path" in names] == [0, 4, 8, 12, 16]
    assert [i for i, names in enumerate(seen) if "loss/D/r1" in names] == [0, 16]
    assert trainer.model.path.mean > 0
    for name in "GD":
        network = getattr(trainer.model, name)
        state = trainer.optimizers[name].state
        assert all(parameter in state for parameter in network.parameters())
        assert all(parameter.isfinite().all() for parameter in network.parameters())


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    model = build(16, **TINY).eval()
    with torch.no_grad():
        for name, parameter in model.G.named_parameters():
            if name.endswith(("noise_strength", "bias")):
                parameter.normal_()
        model.G.w_mean.copy_(model.mapping(torch.randn(100, 8)).mean(0))
    return used(model)


def test_truncation_by_nothing_gives_the_mean_image(tiny):
    images = tiny.sample(3, seed=1, truncation=0.0)
    mean = tiny.architecture.synthesis(tiny.architecture.G.w_mean[None]).clamp(-1, 1)
    assert torch.allclose(images, mean.expand(3, -1, -1, -1), atol=1e-5)
    spread = [tiny.sample(16, truncation=psi).std(0).mean() for psi in (0.0, 0.5, 1.0)]
    assert spread == sorted(spread)


def test_an_image_depends_on_its_latents_alone(tiny):
    few, many = tiny.sample(3, seed=5), tiny.sample(100, seed=5)
    assert torch.allclose(few, many[:3], atol=1e-5)


def test_mixing_takes_styles_from_both_sides_of_the_cutoff(tiny):
    model, coarse, fine = tiny.architecture, tiny.noise(2, seed=1), tiny.noise(3, seed=2)
    images = tiny.mix(coarse, fine, cutoff=2)
    w = model.joined(model.mapping(coarse[1:]), model.mapping(fine[2:]), 2)
    assert torch.allclose(images[1, 2], model.synthesis(w)[0].clamp(-1, 1), atol=1e-5)
    assert torch.allclose(tiny.mix(fine, fine)[1, 1], tiny.generate(fine)[1], atol=1e-5)
    for cutoff in (0, 6):
        with pytest.raises(UsageError, match="it takes 1 to 5 here"):
            tiny.mix(coarse, fine, cutoff)


def test_mixing_within_a_class():
    torch.manual_seed(0)
    spec = DataSpec((3, 8, 8), ("cat", "dog"))
    model = used(StyleGAN2(StyleGAN2.Config(conditional=True, **TINY), spec).eval())
    z = model.noise(2)
    mixed = model.mix(z, z, label="dog")
    assert torch.allclose(mixed[1, 1], model.generate(z, torch.ones(2, dtype=torch.long))[1], atol=1e-5)
    assert not torch.allclose(mixed, model.mix(z, z, label="cat"), atol=1e-3)
    with pytest.raises(UsageError, match="There is no label 'cow'"):
        model.mix(z, z, label="cow")


def test_projection_finds_a_sample_in_w(tiny):
    found = tiny.project(tiny.sample(1, seed=9)[0], steps=60)
    assert found.latent.shape == (8,)
    assert found.error < 0.2 * found.mean_error


def test_projection_with_a_style_for_each_layer_comes_nearer():
    torch.manual_seed(0)
    model = build(8, **TINY).eval()
    with torch.no_grad():
        for block in model.G.synthesis.blocks.values():
            block.torgb.weight.mul_(0.2)  # images within [-1, 1]
        target = model.synthesis(model.mapping(torch.randn(4, 8))[None])[0]  # styles that no latent has
    model = used(model)
    one, each = (model.project(target, steps=20, starts=1, each_layer=flag) for flag in (False, True))
    assert each.latent.shape == (4, 8)
    assert each.error < 0.8 * one.error
    assert torch.allclose(model.vary(each, 2, strength=0.0)[0], each.image, atol=1e-5)


def test_two_halves_of_a_batch_are_one(tiny):
    """Noise, mixing and the mean of w are those of the whole batch."""
    model, z = tiny.architecture.train(), torch.randn(4, 8)
    with torch.no_grad():
        torch.manual_seed(0)
        random.seed(0)
        whole = model.generate(z)
        halves = []
        for index in range(2):
            torch.manual_seed(0)
            random.seed(0)
            with sharing(index, 2):
                halves.append(model.generate(z[2 * index : 2 * index + 2]))
    assert torch.allclose(torch.cat(halves), whole, atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 12, 12), (3, 8, 16), (3, 4, 4), (3, 2048, 2048)])
def test_sizes_that_it_cannot_do(shape):
    with pytest.raises(UsageError, match=r"use --resolution with a power of two from 8 to 1024, such as 64\.$"):
        StyleGAN2(StyleGAN2.Config(), DataSpec(shape))
