"""TransGAN: the released networks' layers and numbers, and what its training step must do."""

from __future__ import annotations

import dataclasses
import random

import ganzoo_transgan.blocks
import pytest
import torch
from ganzoo_transgan.blocks import Attention, Style, displacements, make_norm
from support.golden_numbers import GRADIENT, OUTPUT, near, stored, weights

from ganzoo.api import DataSpec, DiffAugment, Progress, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.data_spec import Batch
from ganzoo.contract.networks import parameter_counts
from ganzoo.contract.options import build as build_options
from ganzoo.plan.options import option_table

TransGAN = load_architecture(find("architecture", "transgan"))
TINY = {"latent_dim": 4, "width_g": 32, "depths_g": (1, 1, 1), "heads": 2, "mlp_ratio": 2, "width_d": 16, "depth_d": 1}


def build(*shape: int, preset: str | None = None, **options):
    row = {**(TransGAN.presets[preset] if preset else {}), **options}
    row = {name: value for name, value in row.items() if name not in ("flip", "ema")}
    return TransGAN(build_options(TransGAN.Config, row, "transgan"), DataSpec(shape))


def on_meta(*shape: int, **options):
    with torch.device("meta"):
        return build(*shape, **options)


# ---- counts and shapes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "side", "counts"),
    [
        ({"preset": "cifar"}, 32, {"G": 83_312_495, "D": 10_210_400}),
        ({"preset": "stl"}, 48, {"G": 168_466_623, "D": 10_341_536}),
        ({"preset": "v1"}, 32, {"G": 83_260_878, "D": 12_458_504}),
        ({"preset": "v1", "depths_g": (5, 2, 2)}, 32, {"G": 81_682_892, "D": 12_458_504}),
        ({"preset": "v1", "patch": 2}, 32, {"G": 83_260_878, "D": 12_518_408}),
        ({"preset": "v1-s"}, 32, {"G": 15_493_812, "D": 12_458_504}),
        ({"preset": "v1-s", "depths_g": (5, 4, 2)}, 32, {"G": 15_716_918, "D": 12_458_504}),
        ({"width_g": 384, "noise_d": False}, 32, {"G": 15_768_535, "D": 10_210_393}),
        ({"width_g": 512}, 32, {"G": 25_142_415, "D": 10_210_400}),
        ({"width_g": 768}, 32, {"G": 50_092_543, "D": 10_210_400}),
    ],
    ids=str,
)
def test_parameter_counts(options, side, counts):
    assert parameter_counts(on_meta(3, side, side, **options)) == counts


# Each block's norm, attention, norm, MLP with its output [N, C] and its parameters, as the references list them.
def block(count, width, attention, norm, mlp):
    return [("LayerNorm", (count, width), norm), ("Attention", (count, width), attention),
            ("LayerNorm", (count, width), norm), ("Sequential", (count, width), mlp)]  # fmt: skip


LAYERS = {
    "cifar G": [
        ("Linear", (65536,), 16_842_752),
        *5 * block(64, 1024, 4_196_228, 2_048, 8_393_728),
        *4 * block(256, 256, 266_244, 512, 525_568),
        *2 * block(1024, 64, 32_324, 128, 33_088),
        ("Conv2d", (3, 32, 32), 195),
    ],
    "cifar D": [
        ("Conv2d", (288, 16, 16), 3_744),
        *3 * block(256, 288, 335_909, 576, 664_992),
        ("Conv2d", (96, 8, 8), 4_704),
        *3 * block(64, 384, 591_109, 768, 1_181_568),
        *block(65, 384, 590_209, 768, 1_181_568),
        ("LayerNorm", (384,), 768),
        ("Linear", (1,), 385),
    ],
    "v1 D": [
        ("Conv2d", (384, 8, 8), 18_816),
        *7 * block(65, 384, 590_209, 768, 1_181_568),
        ("LayerNorm", (384,), 768),
        ("Linear", (1,), 385),
    ],
}


@pytest.mark.parametrize("which", LAYERS)
def test_published_layers(which):
    preset, network = which.split()
    model = on_meta(3, 32, 32, preset=preset)
    net = getattr(model, network)
    names = ("norm1", "attention", "norm2", "mlp", "to_image", "patches", "patches1", "patches2", "norm", "head")
    shown = [module for path, module in net.named_modules() if path.split(".")[-1] in names]
    seen = []

    def note(layer, _, out):
        count = sum(parameter.numel() for parameter in layer.parameters())
        seen.append((type(layer).__name__, tuple(out.shape[1:]), count))

    for layer in shown:
        layer.register_forward_hook(note)
    net(torch.empty((2, 256) if network == "G" else (2, 3, 32, 32), device="meta"))
    assert seen == LAYERS[which]


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((1, 32, 32), {}),
        ((3, 48, 48), {}),
        ((4, 28, 40), {}),
        ((3, 16, 24), {"discriminator": "v1", "patch": 4}),
        ((3, 64, 64), {"depths_g": (1, 1, 1, 1), "heads": 1, "width_g": 64, "window": 16}),
        ((1, 16, 16), {"depths_g": (1,)}),
    ],
    ids=str,
)
def test_sizes(shape, options):
    model = on_meta(*shape, **{**TINY, **options})
    images = model.generate(torch.empty((5, 4), device="meta"))
    assert images.shape == (5, *shape)
    assert model.D(images).shape == (5,)


@pytest.mark.parametrize(
    ("shape", "options", "said"),
    [
        ((3, 30, 32), {}, "multiples of 4, such as 32"),
        ((3, 36, 36), {"depths_g": (1, 1, 1, 1), "heads": 1, "width_g": 64}, "multiples of 8, such as 32"),
        ((3, 128, 128), {}, "give --window 16"),
        ((3, 512, 512), {"window": 16}, "give a larger --patch"),
        ((3, 48, 48), {"window": 20}, "windows of 20; use --window 12"),
        ((3, 32, 32), {"width_g": 40}, "multiple of 32"),
        ((3, 32, 32), {"width_d": 20}, "multiple of 8"),
        ((3, 32, 32), {"width_d": 15, "discriminator": "v1", "patch": 4}, "multiple of 2"),
        ((3, 32, 32), {"depths_g": ()}, "at least one stage"),
        ((2,), {}, "TransGAN makes images"),
    ],
    ids=str,
)
def test_what_it_cannot_do_is_refused_in_one_sentence(shape, options, said):
    with pytest.raises(UsageError) as error:
        on_meta(*shape, **{**TINY, **options})
    text = str(error.value)
    assert said in text
    assert text.endswith(".")
    assert "\n" not in text


# ---- numbers of the released code ----------------------------------------------------------------------------------

RENAMED = (
    ("l1.", "mlp."), ("deconv.0", "to_image"), ("upsample_blocks.0.block", "stages.1.blocks"),
    ("upsample_blocks.1.block", "stages.2.blocks"), ("blocks.block", "stages.0.blocks"),
    ("fRGB_1", "patches1"), ("fRGB_2", "patches2"), ("blocks_1", "stage1.blocks"), ("blocks_2", "stage2.blocks"),
    ("last_block.0", "last"), ("patch_embed", "patches"), ("cls_token", "cls"),
    (".attn.", ".attention."), ("relative_position_bias_table", "bias_table"), ("noise_strength_1", "strength"),
    (".norm.", "."), ("norm.norm", "norm"), ("fc1", "0"), ("fc2", "2"),
)  # fmt: skip
POSITIONS = {
    "G": {"pos_embed_1": "stages.0.position", "pos_embed_2": "stages.1.position", "pos_embed_3": "stages.2.position"},
    "D": {"pos_embed_1": "stage1.position", "pos_embed_2": "stage2.position", "pos_embed": "position"},
}


def ours(name: str, network: str) -> str:
    """Our name of one of the reference's tensors."""
    if name in POSITIONS[network]:
        return POSITIONS[network][name]
    for theirs, mine in RENAMED:
        name = name.replace(theirs, mine)
    return name


def golden(file: str, network: str, **options):
    """The network with the stored weights, and everything stored."""
    numbers = stored(file)
    net = getattr(build(3, 32, 32, heads=4, **options).double(), network)
    net.load_state_dict({ours(name, network): value for name, value in weights(numbers).items()})
    return net.train(), numbers


def check_gradients(net, network, numbers):
    parameters = dict(net.named_parameters())
    names = [name for name in numbers if name.startswith("grad/out/") and "input" not in name]
    assert len(names) >= 7
    for name in names:
        tolerance = 1e-3 if name.endswith("noise_strength_1") else GRADIENT
        assert near(parameters[ours(name[9:], network)].grad, numbers[name], tolerance), name


def test_golden_generator():
    net, numbers = golden("transgan_g", "G", latent_dim=4, width_g=64, depths_g=(1, 1, 1), mlp_ratio=2)
    tokens = []
    for stage in net.stages:
        stage.register_forward_hook(lambda stage, _, out: tokens.append(out[:1]))
    z = numbers["input/z"].requires_grad_()
    images = net(z)
    assert near(images, numbers["output/out"], OUTPUT)
    assert near(tokens[0], numbers["output/tokens_stage1_first"], OUTPUT)
    assert near(tokens[1], numbers["output/tokens_stage2_first"], OUTPUT)
    (images * numbers["probe/out"]).sum().backward()
    assert near(z.grad, numbers["grad/out/input/z"], GRADIENT)
    check_gradients(net, "G", numbers)
    assert images.abs().max() > 1, "not bounded"


@pytest.mark.parametrize(
    ("file", "options", "draws"),
    [
        ("transgan_d", {"depth_d": 1}, ["noise_blocks_1", "noise_blocks_2", "noise_last_block"]),
        (
            "transgan_v1_d",
            {"depth_d": 2, "discriminator": "v1", "patch": 4, "mlp_ratio": 2},
            ["noise_block0", "noise_block1"],
        ),
    ],
)
def test_golden_discriminators(file, options, draws, monkeypatch):
    net, numbers = golden(file, "D", width_d=32, **options)
    queue = [numbers[f"input/{name}"] for name in draws]

    def rows(shape, draw=torch.randn, device=None):
        drawn = queue.pop(0)
        assert tuple(drawn.shape) == tuple(shape)
        return drawn

    monkeypatch.setattr(ganzoo_transgan.blocks, "rows", rows)
    images = numbers["input/images"].requires_grad_()
    logits = net(images)
    assert not queue
    assert near(logits, numbers["output/out"].flatten(), OUTPUT)
    (logits * numbers["probe/out"].flatten()).sum().backward()
    assert near(images.grad[:1], numbers["grad/out/input/images_first"], GRADIENT)
    check_gradients(net, "D", numbers)
    assert near(net.eval()(images), numbers["output/without_noise"].flatten(), OUTPUT), "noise is for training only"


# ---- the parts -----------------------------------------------------------------------------------------------------


def test_displacements_are_rows_and_columns_apart():
    index = displacements(2, 3)  # a table of 3 × 5
    assert index[0, 0] == index[5, 5] == 1 * 5 + 2
    assert index[0, 5] == 0 * 5 + 0, "the query is one row above and two columns left of the key"
    assert index[5, 0] == 2 * 5 + 4
    assert index[1, 3] == 0 * 5 + 3


def test_attention_in_windows_stays_in_them():
    torch.manual_seed(0)
    attention = Attention(Style(heads=2, window=2), 4, (4, 6))
    x = torch.randn(1, 24, 4, requires_grad=True)
    attention(x).reshape(4, 6, 4)[3, 2].sum().backward()  # row 3, column 2: of the window of rows 2-3, columns 2-3
    reached = x.grad.abs().sum(2).reshape(4, 6) > 0
    expected = torch.zeros(4, 6, dtype=torch.bool)
    expected[2:4, 2:4] = True
    assert torch.equal(reached, expected)
    whole = Attention(Style(heads=2), 4, (2, 2))
    whole.load_state_dict(attention.state_dict())
    window = x.detach().reshape(1, 4, 6, 4)[:, 2:4, 2:4].reshape(1, 4, 4)
    torch.testing.assert_close(whole(window).reshape(2, 2, 4), attention(x.detach()).reshape(4, 6, 4)[2:4, 2:4])


def test_pixel_norm():
    out = make_norm(Style(norm="pixel"), 2)(torch.tensor([[[3.0, 4.0]]]))[0]
    torch.testing.assert_close(out, torch.tensor([[3.0, 4.0]]) / 12.5**0.5)


def test_first_weights():
    torch.manual_seed(0)
    model = build(3, 32, 32, **{**TINY, "width_g": 256, "width_d": 128}, noise_g=True)
    for name, parameter in model.named_parameters():
        values = parameter.detach()
        drawn = (
            ("position", "bias_table", "cls") if name.startswith("G.") else ("position", "bias_table", "cls", "weight")
        )
        if name.endswith("strength") or (name.startswith("D.") and name.endswith("bias") and "patches" not in name):
            assert values.abs().max() == 0, name
        elif "norm" in name:
            assert torch.equal(values, torch.ones_like(values) if name.endswith("weight") else 0 * values), name
        elif name.split(".")[-1] in drawn and "patches" not in name:
            slack = 5 / values.numel() ** 0.5
            assert values.std() == pytest.approx(0.02, rel=slack), name
    dense = model.G.mlp.weight  # torch's own: uniform within 1 / sqrt(inputs)
    assert 0.45 < dense.abs().max() <= 0.5
    patches = model.D.patches1.weight  # Xavier: uniform within sqrt(6 / (inputs + outputs))
    bound = (6 / (4 * (patches.shape[0] + patches.shape[1]))) ** 0.5
    assert 0.95 * bound < patches.abs().max() <= bound


# ---- the step ------------------------------------------------------------------------------------------------------


def test_turns_batches_and_clipping(monkeypatch):
    model = build(1, 32, 32, **TINY, n_critic=3)
    seen, fed = [], []
    monkeypatch.setattr(model, "discriminate", lambda images, label=None: seen.append(images) or model.D(images))
    batches = (fed.append(1) or Batch(torch.rand(2, 1, 32, 32)) for _ in range(9))
    updates = list(model.step(batches, Progress(0, 0, 0, 0, 1)))
    assert [update.names for update in updates] == [("D",)] * 3 + [("G",)]
    assert len(fed) == 3
    assert [len(images) for images in seen] == 3 * [2, 2, 2] + [4], "real, fake, between; then twice as many fakes"
    assert all(update.clip == 5 for update in updates)
    assert set(updates[0].terms) == {"adversarial", "wgan-gp", "mean-drift"}
    assert not updates[0].watch["D(x)"].requires_grad


@pytest.mark.parametrize("options", [{}, {"discriminator": "v1", "patch": 4}, {"norm": "pixel", "window": 8}], ids=str)
def test_the_penalty_keeps_its_gradient(options):
    """Second derivatives flow through attention, augmentation and norms; only additive constants have none."""
    torch.manual_seed(0)
    model = build(1, 32, 32, **{**TINY, **options}).train()
    images = torch.rand(2, 1, 32, 32)
    model.penalties["wgan-gp"](model.discriminate, images, -images, torch.zeros(2), torch.zeros(2)).backward()
    without = [name for name, value in model.D.named_parameters() if value.grad is None or value.grad.abs().max() == 0]
    assert without == [name for name in ("norm.bias", "head.bias") if name in dict(model.D.named_parameters())]


def test_every_parameter_moves_and_nothing_is_lost(make_trainer):
    items = torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    trainer = make_trainer(TransGAN, items=items, batch_size=2, **TINY, noise_g=True)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    values = trainer.step()
    assert {"loss/D", "loss/D/wgan-gp", "loss/D/mean-drift", "loss/G", "D(x)", "D(G(z)) after"} <= set(values)
    assert trainer.images == 8, "four turns of D, two images each"
    moved = {name for name, value in trainer.model.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == set(before)


def test_one_process_equals_parts(make_trainer):
    """All that is random belongs to an item or is drawn alike: only the drift of the mean sees the parts."""
    items = torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    given = {**TINY, "n_critic": 1, "penalty": "wgan-gp", "noise_g": True}
    whole, parts = (make_trainer(TransGAN, items=items, batch_size=4, accumulate=parts, **given) for parts in (1, 2))
    for trainer in (whole, parts):
        with torch.no_grad():
            for name, parameter in trainer.model.named_parameters():
                if name.endswith("strength"):
                    parameter.fill_(0.5)
    first, second = whole.step(), parts.step()
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=1e-4, atol=1e-5)


def test_samples_are_a_function_of_the_noise():
    model = build(1, 16, 16, **TINY, noise_g=True)
    with torch.no_grad():
        model.G.stages[0].blocks[0].attention.strength.fill_(1.0)
    z = torch.randn(2, 4)
    assert torch.equal(model.eval().generate(z), model.generate(z))
    assert not torch.equal(model.train().generate(z), model.generate(z))


def test_the_generator_exports_with_any_batch():
    net = build(1, 16, 16, **TINY, window=8).G.eval()
    z = torch.randn(3, 4)
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(net, (torch.randn(2, 4),), dynamic_shapes=({0: batch},))
    torch.testing.assert_close(exported.module()(z), net(z))


def test_augmentation_as_released():
    assert build(3, 32, 32, **TINY).augment.changes == {"diffaug": DiffAugment("translation,cutout,color", 0.2, 0.3)}
    images = torch.rand(4, 3, 32, 32)
    assert build(3, 32, 32, **TINY, augment="none").augment(images) is images


def test_stl_cuts_out_as_released():
    """What `stl_erase_ratio` does at 48×48: 20 to 44 pixels, height and width drawn apart, once for a batch."""
    model = build(3, 48, 48, preset="stl", **{**TINY, "depths_g": (1, 1, 1), "cutout": 1.0})
    diffaug = model.augment.changes["diffaug"]
    assert (diffaug.cutout_least, TransGAN.presets["stl"]["erase"]) == (20, 20)
    random.seed(0)
    seen = set()
    for _ in range(400):
        gone = dataclasses.replace(diffaug, policy="cutout")(torch.ones(8, 1, 48, 48)).eq(0)
        seen.add((gone.any(3).sum(2).max().item(), gone.any(2).sum(2).max().item()))
    for sides in zip(*seen, strict=True):
        assert min(sides) in range(18, 22)  # what is over the edge does not count
        assert max(sides) in range(43, 45)
    assert len(seen) > 100


def test_optimizers_and_defaults():
    model = on_meta(3, 32, 32, **TINY)
    for network in ("G", "D"):
        (group,) = model.optimizer(network, getattr(model, network).parameters()).param_groups
        assert (group["lr"], group["betas"], group["weight_decay"]) == (1e-4, (0.0, 0.99), 0)
    table = option_table(TransGAN)
    assert (table["batch_size"].default, table["resolution"].default) == (64, "32")
    assert (table["n_critic"].default, table["batch_ratio"].default) == (4, 2)


@pytest.mark.parametrize("preset", TransGAN.presets)
def test_presets_are_options_there_are(preset):
    row = TransGAN.presets[preset]
    assert set(row) <= set(option_table(TransGAN))
    side = row.get("resolution", 32)
    on_meta(3, side, side, preset=preset)


def test_python_random_decides_about_cutout():
    random.seed(0)
    images = torch.ones(2, 1, 8, 8)
    cut = [DiffAugment("cutout", cutout_chance=0.3)(images).min().item() == 0 for _ in range(500)]
    assert 110 < sum(cut) < 190
