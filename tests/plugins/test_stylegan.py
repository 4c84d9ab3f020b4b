"""StyleGAN: the published counts and layers, the reference's numbers, and what styles can do."""

from __future__ import annotations

import random

import pytest
import torch
from click.testing import CliRunner
from ganzoo_stylegan.generator import adain
from PIL import Image
from support.golden_numbers import GRADIENT, OUTPUT, check_gradients, near, stored, take_weights
from support.growing import D_NAMES, LEVELS

from ganzoo.api import DataSpec, UsageError, squared_norm, upsample
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.cli.app import app
from ganzoo.contract.networks import parameter_counts
from ganzoo.contract.randomness import sharing
from ganzoo.model.model import Model
from ganzoo.plan.options import option_table
from ganzoo.runs.header import DataHeader, ModelHeader

StyleGAN = load_architecture(find("architecture", "stylegan"))
GOLDEN = {"fmap_base": 32, "fmap_max": 8, "latent_dim": 16, "truncation_layers": 4}
LAYERS = ("4x4/Const", "4x4/Conv", "8x8/Conv0_up", "8x8/Conv1", "16x16/Conv0_up", "16x16/Conv1")
PARTS = ("weight", "bias")
G_NAMES = {
    "synthesis/4x4/Const/const": "start.value",
    **{f"mapping/Dense{i}/{part}": f"mapping.dense.{i}.{part}" for i in range(8) for part in PARTS},
    **{f"synthesis/ToRGB_lod{lod}/{kind}": f"to_rgb.{2 - lod}.{kind}" for lod in range(3) for kind in PARTS},
    **{
        f"synthesis/{theirs}/{part}": f"layers.{i}.{ours}"
        for i, theirs in enumerate(LAYERS)
        for part, ours in (
            ("bias", "bias"), ("Noise/weight", "strength"), ("StyleMod/weight", "style.weight"),
            ("StyleMod/bias", "style.bias"),
            ("weight", "convolution.0.weight" if "up" in theirs else "convolution.weight"),
        )
        if (part, i) != ("weight", 0)
    },
}  # fmt: skip


def build(side: int, **options):
    return StyleGAN(StyleGAN.Config(**options), DataSpec((3, side, side)))


def used(architecture):
    """A trained model with this architecture."""
    return Model(architecture, ModelHeader("stylegan", DataHeader.of(architecture.data, "noise", "made here"), {}))


def preset(side: int, name: str, **options):
    row = {key: value for key, value in StyleGAN.presets[name].items() if key not in ("epochs", "flip")}
    return build(side, **{**row, **options})


def golden():
    numbers, model = stored("stylegan_g"), build(16, **GOLDEN).double()
    take_weights(model.G, numbers, G_NAMES)
    model.G.w_mean.copy_(numbers["input/w_avg"])
    return numbers, model


def noise_of(numbers):
    return [numbers[f"input/noise{i}"] for i in range(6)]


@pytest.mark.parametrize(
    ("side", "options", "g", "d"),
    [
        (1024, {}, 26_219_627, 23_087_249),
        (512, {}, 26_179_768, 23_080_225),
        (256, {}, 26_086_229, 23_052_353),
        (128, {}, 25_843_858, 22_941_313),
        (64, {}, 25_137_935, 22_498_049),
        (32, {}, 22_841_356, 20_726_785),
        (16, {}, 17_068_553, 16_005_121),
        (64, {"fmap_max": 256}, 10_049_295, 6_367_233),
        (64, {"fmap_max": 128}, 4_748_175, 1_594_369),
        (64, {"fmap_max": 64}, 3_092_943, 399_873),
        (32, {"fmap_max": 128}, 4_189_708, 1_298_689),
        (32, {"fmap_max": 64}, 2_887_436, 325_761),
    ],
)
def test_parameter_counts(side, options, g, d):
    with torch.device("meta"):
        model = build(side, **options)
    assert parameter_counts(model) == {"G": g, "D": d}
    assert sum(p.numel() for p in model.G.mapping.parameters()) == 2_101_248


def test_parameter_counts_of_the_papers_steps():
    """A and B are ProGAN's networks, C adds mapping and styles, D a constant for the dense layer, E the strengths."""
    with torch.device("meta"):
        counts = {name: parameter_counts(preset(1024, name))["G"] for name in "ABCDEF"}
    strengths = sum(2 * maps for maps in (512, 512, 512, 512, 256, 128, 64, 32, 16))
    assert counts["A"] == counts["B"] == 23_079_115
    assert counts["C"] - counts["D"] == 512 * 16 * 512 - 16 * 512
    assert counts["E"] - counts["D"] == strengths
    assert counts["E"] == counts["F"] == 26_219_627


def test_published_layers():
    """18 layers at 1024×1024, two at each size."""
    with torch.device("meta"):
        G = build(1024).G
    seen = []
    for layer in G.layers:
        layer.register_forward_hook(lambda _, __, out: seen.append(tuple(out.shape[1:3])))
    assert G(torch.empty(2, 512, device="meta")).shape == (2, 3, 1024, 1024)
    maps = {4: 512, 8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64, 512: 32, 1024: 16}
    assert seen == [(count, side) for side, count in maps.items() for _ in range(2)]
    assert G.layers_now == 18


def test_golden_mapping():
    numbers, model = golden()
    for which in ("1", "2"):
        assert near(model.mapping(numbers[f"input/z{which}"]), numbers[f"output/w{which}"], OUTPUT)


@pytest.mark.parametrize("mode", [*LEVELS, "mixed"])
def test_golden_generator(mode):
    numbers, model = golden()
    model.G.grow(LEVELS.get(mode, 2))
    z = numbers["input/z1"].requires_grad_()
    w = model.mapping(z)
    if mode == "mixed":
        w = model.joined(w, model.mapping(numbers["input/z2"]), 3)
    factor = 1 << (2 - model.G.level)
    images = model.G.synthesis(w, noise_of(numbers))[:, :, ::factor, ::factor]
    assert near(images, numbers[f"output/{mode}"], OUTPUT)
    (images * numbers[f"probe/{mode}"]).sum().backward()
    assert near(z.grad, numbers[f"grad/{mode}/input/z1"], GRADIENT)
    check_gradients(model.G, numbers, G_NAMES, mode)


def test_golden_truncation():
    numbers, model = golden()
    w = model.truncated(numbers["output/w1"], 0.7)
    assert near(w, numbers["output/truncated_w"], OUTPUT)
    assert near(model.G.synthesis(w, noise_of(numbers)), numbers["output/truncated"], OUTPUT)


def test_golden_running_mean():
    numbers, model = golden()
    model.G.follow_mean(numbers["output/w1"], model.config.mean_decay)
    assert near(model.G.w_mean, numbers["output/w_avg_after_one_training_pass"], OUTPUT)


@pytest.mark.parametrize("mode", LEVELS)
def test_golden_discriminator(mode):
    numbers, D = stored("stylegan_d"), build(16, **GOLDEN).double().D
    take_weights(D, numbers, D_NAMES)
    D.grow(LEVELS[mode])
    images = numbers["input/images8" if mode == "level8" else "input/images16"]
    images.requires_grad_()

    def judge(images):
        return D(upsample(images, 16 // images.shape[2]))

    logits = judge(images)
    assert near(logits, numbers[f"output/{mode}"].flatten(), OUTPUT)
    (logits * numbers[f"probe/{mode}"].flatten()).sum().backward()
    assert near(images.grad[:2], numbers[f"grad/{mode}/input/images"], GRADIENT)
    check_gradients(D, numbers, D_NAMES, mode)
    assert near(squared_norm(judge, images), numbers[f"output/{mode}_grad_norm_squared"], GRADIENT)


def test_golden_penalty():
    """At a level below the last, the gradient is taken at the enlarged image, as the authors take it."""
    numbers, model = stored("stylegan_d"), build(16, **GOLDEN, **StyleGAN.presets["F"]).double()
    take_weights(model.D, numbers, D_NAMES)
    images = numbers["input/images16"]
    penalty = model.penalties["r1"](model.discriminate, images, images, images, images)
    assert near(penalty, numbers["output/level16_r1_gamma10"], GRADIENT)
    penalty.backward()
    check_gradients(model.D, numbers, D_NAMES, "level16_r1")
    model.D.grow(1)
    found = squared_norm(model.discriminate, upsample(numbers["input/images8"]))
    assert near(found, numbers["output/level8_grad_norm_squared_full_resolution_input"], GRADIENT)


@pytest.fixture
def tiny():
    """A model with weights that make a difference: noise of some strength, a mean of w that is not 0."""
    torch.manual_seed(0)
    model = build(16, fmap_base=32, fmap_max=4, latent_dim=8).eval()
    with torch.no_grad():
        for layer in model.G.layers:
            layer.strength.normal_()
            layer.bias.normal_()
        model.G.w_mean.copy_(model.mapping(torch.randn(100, 8)).mean(0))
    return used(model)


def test_truncation_by_nothing_gives_the_mean_image(tiny):
    images = tiny.sample(3, seed=1, truncation=0.0)
    mean = tiny.architecture.synthesis(tiny.architecture.G.w_mean[None]).clamp(-1, 1)
    assert torch.allclose(images, mean.expand(3, -1, -1, -1), atol=1e-6)
    assert not torch.allclose(tiny.sample(3, seed=1), images, atol=1e-2)
    spread = [tiny.sample(16, truncation=psi).std(0).mean() for psi in (0.3, 0.6, 1.0)]
    assert spread == sorted(spread)


@pytest.mark.parametrize("psi", [float("nan"), float("inf")])
def test_truncation_takes_a_finite_number(tiny, psi):
    for make in (
        lambda: tiny.sample(1, truncation=psi),
        lambda: tiny.interpolate(2, 2, truncation=psi),
        lambda: tiny.mix(tiny.noise(1), tiny.noise(1), truncation=psi),
    ):
        with pytest.raises(UsageError, match=f"Truncation takes a number, 1 for none, not {psi}"):
            make()


def test_a_map_that_is_nearly_constant_is_normalised_as_exactly_as_others():
    """The learned constant begins as ones: a rounded mean would be a thousand times as wrong in units of its spread."""
    torch.manual_seed(0)
    x, style = 1 + 1e-3 * torch.randn(4, 8, 4, 4), torch.zeros(4, 16)
    assert torch.allclose(adain(x, style).double(), adain(x.double(), style.double()), atol=2e-6)


def test_an_image_depends_on_its_latents_alone(tiny):
    few, many = tiny.sample(3, seed=5), tiny.sample(100, seed=5)
    assert torch.allclose(few, many[:3], atol=1e-5)
    assert torch.equal(few, tiny.sample(3, seed=5))
    fixed = [layer.fixed for layer in tiny.architecture.G.layers]
    assert not torch.equal(fixed[0], fixed[1])
    assert not any("fixed" in key for key in tiny.architecture.state_dict())


def test_mixing_takes_styles_from_both_sides_of_the_cutoff(tiny):
    model, coarse, fine = tiny.architecture, tiny.noise(2, seed=1), tiny.noise(3, seed=2)
    images = tiny.mix(coarse, fine, cutoff=2)
    assert images.shape == (2, 3, 3, 16, 16)
    w = torch.cat(
        [model.mapping(coarse[1:])[:, None].expand(1, 2, 8), model.mapping(fine[2:])[:, None].expand(1, 4, 8)], 1
    )
    assert torch.allclose(images[1, 2], model.synthesis(w)[0].clamp(-1, 1), atol=1e-5)
    assert torch.allclose(tiny.mix(fine, fine)[1, 1], tiny.generate(fine)[1], atol=1e-5)
    assert torch.equal(tiny.mix(coarse, fine), tiny.mix(coarse, fine, cutoff=3))
    assert torch.allclose(tiny.mix(coarse, fine, truncation=0.0)[0, 0], tiny.sample(1, truncation=0.0)[0], atol=1e-6)
    for cutoff in (0, 6, -1):
        with pytest.raises(UsageError, match="it takes 1 to 5 here"):
            tiny.mix(coarse, fine, cutoff)
    model.G.grow(0)
    assert tiny.mix(coarse, fine, cutoff=1).shape == (2, 3, 3, 16, 16)


def test_mixing_regularization(tiny):
    model = tiny.architecture
    torch.manual_seed(0)
    random.seed(0)
    w = model.mapping(torch.randn(2, 8))
    cutoffs = []
    for _ in range(300):
        mixed = model.mixed(w)
        if mixed.dim() == 3:
            own = [bool(torch.equal(mixed[:, i], w)) for i in range(6)]
            cutoffs.append(own.index(False))
            assert not any(own[cutoffs[-1] :])
    assert set(cutoffs) == {1, 2, 3, 4, 5}
    assert 0.83 < len(cutoffs) / 300 < 0.97


def test_noise_and_mean_while_training(tiny):
    model = tiny.architecture.train()
    z, before = torch.randn(4, 8), model.G.w_mean.clone()
    with torch.no_grad():
        torch.manual_seed(0)
        random.seed(0)
        whole = model.generate(z)
        expected = before.lerp(model.mapping(z).mean(0), 0.005)
        assert torch.allclose(model.G.w_mean, expected, atol=1e-7)
        halves = []
        for index in range(2):
            torch.manual_seed(0)
            random.seed(0)
            with sharing(index, 2):
                halves.append(model.generate(z[2 * index : 2 * index + 2]))
    assert torch.allclose(torch.cat(halves), whole, atol=1e-5)
    assert not torch.allclose(model.generate(z), whole, atol=1e-2)


@pytest.mark.parametrize("name", "ABCDEF")
def test_each_of_the_papers_steps_trains(name, make_trainer):
    row = {key: value for key, value in StyleGAN.presets[name].items() if key != "batch_size"}
    items = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    trainer = make_trainer(StyleGAN, items=items, batch_size=4, fmap_base=32, fmap_max=4, latent_dim=4, **row)
    trainer.images = 1000  # fully grown
    for _ in range(2):
        values = trainer.step()
    assert all(value.isfinite() for value in values.values())
    moved = {key for key, parameter in trainer.model.G.named_parameters() if parameter in trainer.optimizers["G"].state}
    assert moved == {key for key, _ in trainer.model.G.named_parameters() if "to_rgb.0" not in key}
    model = used(trainer.model)
    if name in "AB":
        with pytest.raises(UsageError, match="without styles"):
            model.sample(2, truncation=0.5)
        with pytest.raises(UsageError, match="without styles"):
            model.mix(model.noise(1), model.noise(1))
    else:
        assert model.sample(2, truncation=0.5).shape == (2, 3, 8, 8)


def test_styles_cannot_be_half_left_out():
    with pytest.raises(UsageError, match="presets A and B"):
        build(8, styles=False)


def test_optimizers_and_defaults():
    (group,) = build(8, fmap_max=4, latent_dim=4).optimizer("D", [torch.nn.Parameter(torch.ones(1))]).param_groups
    assert (group["lr"], group["betas"]) == (1e-3, (0.0, 0.99))
    table = option_table(StyleGAN)
    assert (table["loss"].default, table["penalty"].default) == ("nonsaturating", "r1:gamma=10,at=1024")


def test_ganzoo_mix(train):
    run = train("run", "stylegan", resolution=8, fmap_base=32, fmap_max=4, latent_dim=4, batch_size=4, steps=2)
    assert cli("mix", run.path, "--rows", 2, "--columns", 3).exit_code == 0
    with Image.open(run.path / "samples" / "mix-seed-0.png") as picture:
        assert picture.width > 16 * (4 * 10 + 2) > picture.height > 16 * (3 * 10 + 2)
    for words in (["--cutoff", 9], ["--rows", 0], ["-o", "mixed.gif"]):
        refused = cli("mix", run.path, *words)
        assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    other = train("other", steps=1)
    refused = cli("mix", other.path)
    said = "Error: TinyGAN has no styles to mix; `ganzoo interpolate` goes from image to image.\n"
    assert (refused.exit_code, refused.stderr) == (2, said)


def cli(*words):
    return CliRunner().invoke(app, [str(word) for word in words])
