"""CUT and FastCUT: the published networks, numbers, losses and order of play."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.command_line import cli, refusal
from support.golden_numbers import GRADIENT, OUTPUT, near, stored

import ganzoo
from ganzoo.api import Batch, DataSpec, Progress, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts

CUT = load_architecture(find("architecture", "cut"))
TINY = {"width_g": 2, "width_d": 2, "layers_d": 1, "width_f": 4, "blocks": 1, "layers": (0, 4, 12), "patches": 8}


def build(*shape: int, **options):
    return CUT(CUT.Config(**options), DataSpec(shape, domains=("A", "B")))


def on_meta(*shape: int, **options):
    with torch.device("meta"):
        return build(*shape, **options)


@pytest.mark.parametrize(("options", "g"), [({}, 11_378_179), ({"blocks": 6}, 7_837_699), ({"to": "A"}, 11_378_179)])
def test_parameter_counts(options, g):
    counts = parameter_counts(on_meta(3, 256, 256, **options))
    assert list(counts.values()) == [g, 2_764_737, 560_384]
    assert list(counts) == (["G.BA", "D.A", "F"] if options.get("to") else ["G.AB", "D.B", "F"])


def test_published_sizes():
    model = on_meta(3, 256, 256)
    features = model.G["AB"].encode(torch.empty(1, 3, 256, 256, device="meta"), model.config.layers)
    assert [tuple(each.shape[1:]) for each in features] == [
        (3, 262, 262), (128, 256, 256), (256, 128, 128), (256, 64, 64), (256, 64, 64),
    ]  # fmt: skip
    assert model.G["AB"](torch.empty(1, 3, 256, 256, device="meta")).shape == (1, 3, 256, 256)


def golden(**options):
    numbers = stored("cut")
    model = build(3, 32, 32, width_g=4, blocks=6, width_f=16, patches=16, layers_d=1, **options).double()
    for name, network in (("G", model.G["AB"]), ("F", model.F)):
        start = f"weights/{name}/"
        network.load_state_dict({key.removeprefix(start): numbers[key] for key in numbers if key.startswith(start)})
    return model, numbers


@pytest.fixture
def stored_places(monkeypatch):
    """Patches are drawn at the places that the file has."""
    numbers = stored("cut")
    places = [numbers[f"input/patch_ids{number}"] for number in range(5)]
    calls = iter(places * 2)
    monkeypatch.setattr(torch, "randperm", lambda count, device: next(calls))


def check_gradients(model, numbers, mode):
    known = dict(model.G["AB"].named_parameters(prefix="G")) | dict(model.F.named_parameters(prefix="F"))
    names = [key for key in numbers if key.startswith((f"grad/{mode}/G/", f"grad/{mode}/F/"))]
    assert names
    for key in names:
        ours = known[key.removeprefix(f"grad/{mode}/").replace("/", ".")].grad
        assert near(ours, numbers[key], GRADIENT), key


def test_golden_generator_and_its_encoder():
    """cut.safetensors."""
    model, numbers = golden()
    images = numbers["input/real_a"].clone().requires_grad_()
    for layer, found in zip((0, 4, 8, 12, 16), model.G["AB"].encode(images, (0, 4, 8, 12, 16)), strict=True):
        assert near(found[:1], numbers[f"output/encoder{layer}_first"], OUTPUT), layer
    out = model.G["AB"](images)
    assert near(out, numbers["output/out"], OUTPUT)
    (out * numbers["probe/out"]).sum().backward()
    assert near(images.grad[:1], numbers["grad/out/input/real_a_first"], GRADIENT)
    check_gradients(model, numbers, "out")


def test_golden_patches():
    model, numbers = golden()
    places = [numbers[f"input/patch_ids{number}"] for number in range(5)]
    encode = model.G["AB"].encode
    queries = model.F(encode(numbers["input/fake_b"], model.config.layers), places)
    keys = model.F(encode(numbers["input/real_a"], model.config.layers), places)
    for layer, query, key in zip(model.config.layers, queries, keys, strict=True):
        assert near(query.flatten(0, 1)[:4], numbers[f"output/nce_features_q{layer}"], OUTPUT)
        assert near(key.flatten(0, 1)[:4], numbers[f"output/nce_features_k{layer}"], OUTPUT)


@pytest.mark.parametrize(
    ("mode", "given", "made", "options", "mirrored", "gradient"),
    [
        ("nce", "real_a", "fake_b", {}, False, "fake_b"),
        ("nce_y", "real_b", "idt_b", {}, False, "idt_b_first"),
        ("fastcut_flipped", "real_a", "fake_b", {"nce": 10.0}, True, "fake_b_first"),
    ],
)
def test_golden_contrast(stored_places, mode, given, made, options, mirrored, gradient):
    model, numbers = golden(**options)
    image = numbers[f"input/{made}"].clone().requires_grad_()
    loss = model.contrast(numbers[f"input/{given}"], image, mirrored)
    assert near(loss, numbers[f"output/{mode}"], OUTPUT)
    loss.backward()
    stored_gradient = numbers[f"grad/{mode}/input/{gradient}"]
    assert near(image.grad[: len(stored_gradient)], stored_gradient, GRADIENT)
    check_gradients(model, numbers, mode)


def test_golden_discriminator():
    """cut_d.safetensors."""
    numbers = stored("cut_d")
    model = build(3, 64, 64, width_d=4).double()
    net = model.D["B"]
    net.load_state_dict({key.removeprefix("weights/"): numbers[key] for key in numbers if key.startswith("weights/")})
    images = numbers["input/images"].clone().requires_grad_()
    out = net(images)
    assert near(out, numbers["output/out"], OUTPUT)
    (out * numbers["probe/out"]).sum().backward()
    assert near(images.grad[:1], numbers["grad/out/input/images_first"], GRADIENT)
    for key in (key for key in numbers if key.startswith("grad/out/model")):
        assert near(dict(net.named_parameters())[key.removeprefix("grad/out/")].grad, numbers[key], GRADIENT), key
    to_1, to_0 = numbers["output/mse_to_1"], numbers["output/mse_to_0"]
    terms, _ = model.discriminator_terms("B", images, images, model.config.adversarial_d)
    assert near(terms["adversarial B"], (to_1 + to_0) / 2, OUTPUT)
    assert near(model.loss.generator(out), to_1, OUTPUT)


def turns(model, **images):
    batch = Batch(images["A"], None, images)
    return model.step(iter([batch]), Progress(0, 0, 0, 0, 10))


def test_who_moves_and_by_what():
    images = {"A": torch.rand(2, 3, 16, 16), "B": torch.rand(2, 3, 16, 16)}
    first, second = turns(build(3, 16, 16, **TINY), **images)
    assert (first.networks, second.networks) == ("D", ("G.AB", "F"))
    assert set(second.terms) == {"adversarial", "nce", "nce identity"}
    second = list(turns(build(3, 16, 16, **TINY, to="A", identity=False), **images))[1]
    assert second.networks == ("G.BA", "F")
    assert set(second.terms) == {"adversarial", "nce"}


def test_half_of_each_contrast_counts_with_identity_and_all_of_the_one_without():
    images = {"A": torch.rand(1, 3, 16, 16), "B": torch.rand(1, 3, 16, 16)}
    found = []
    for identity in (True, False):
        torch.manual_seed(0)
        model = build(3, 16, 16, **{**TINY, "patches": 10_000}, identity=identity)
        found.append(list(turns(model, **images))[1].terms["nce"].item())
    assert found[0] == pytest.approx(found[1] / 2, rel=1e-5)  # all patches: their order is all one


def test_fastcut_compares_mirrored_images_in_place(monkeypatch):
    """Whatever the lot, a generator that does nothing with the image keeps every patch where it was."""
    model = build(3, 16, 16, **{**TINY, "layers": (0,)}, flipped=True, identity=False)
    monkeypatch.setattr(model.G["AB"], "forward", lambda images: images + 0 * model.G["AB"].model[1].bias.sum())
    images = {"A": torch.rand(1, 3, 16, 16) * 2 - 1, "B": torch.rand(1, 3, 16, 16)}
    draw, seen = torch.rand, []
    for lot in (0.1, 0.9):
        monkeypatch.setattr(
            torch, "rand", lambda *size, lot=lot, **more: torch.tensor(lot) if size == ((),) else draw(*size, **more)
        )
        torch.manual_seed(0)
        seen.append(list(turns(model, **images))[1].terms["nce"].item())
    assert seen[0] == pytest.approx(seen[1], rel=1e-5)


def test_defaults_are_the_published_ones():
    config = CUT.Config()
    assert (config.nce, config.identity, config.flipped, config.patches, config.temperature) == (
        1,
        True,
        False,
        256,
        0.07,
    )
    assert (config.layers, config.width_f, config.blocks, config.adversarial_d) == ((0, 4, 8, 12, 16), 256, 9, 0.5)
    assert (config.lr, config.beta1, config.beta2, config.batch_size, config.epochs) == (2e-4, 0.5, 0.999, 1, 400)
    assert (config.load_size, config.resolution, config.flip) == (286, 256, True)
    fast = CUT.Config(**CUT.presets["fastcut"])
    assert (fast.nce, fast.identity, fast.flipped, fast.epochs) == (10, False, True, 200)
    for options, constant, falling in (({}, 200, 200), (CUT.presets["fastcut"], 150, 50)):
        model, total = on_meta(3, 64, 64, **options), constant + falling
        factors = [model.learning_rate(Progress(0, epoch, epoch, 0, total), "F") for epoch in range(total)]
        assert factors == pytest.approx([1] * constant + [1 - (k + 1) / (falling + 1) for k in range(falling)])


def test_first_weights():
    torch.manual_seed(0)
    for name, parameter in build(3, 64, 64, width_g=16, width_d=16, blocks=5).named_parameters():
        if name.endswith("bias"):
            assert parameter.abs().max() == 0, name
        else:
            fans = torch.nn.init._calculate_fan_in_and_fan_out(parameter)
            wanted = 0.02 * (2 / sum(fans)) ** 0.5
            assert parameter.std().item() == pytest.approx(wanted, rel=5 / parameter.numel() ** 0.5), name


@pytest.mark.parametrize(
    ("shape", "options", "said"),
    [
        ((3, 66, 64), {}, "multiples of 4, 24 or more"),
        ((3, 16, 16), {}, "multiples of 4, 24 or more"),
        ((3, 64, 64), {"to": "C"}, "--to C is no domain"),
        ((3, 64, 64), {"layers": (0, 30)}, "name some of 0 to 20"),
        ((3, 64, 64), {"layers": (4, 0)}, "in this order"),
        ((3, 64, 64), {"layers": ()}, "name some"),
        ((2,), {}, "images"),
    ],
)
def test_what_it_cannot_do_is_refused(shape, options, said):
    with pytest.raises(UsageError, match=said):
        on_meta(*shape, **options)


def test_it_translates_one_way_at_any_size(tmp_path: Path):
    words = [
        f"--{name.replace('_', '-')}={','.join(map(str, value)) if isinstance(value, tuple) else value}"
        for name, value in TINY.items()
    ]
    data = "anime-hair:images=16"
    result = cli(
        "train",
        "cut",
        data,
        *words,
        "--resolution",
        "16",
        "--load-size",
        "16",
        "--batch-size",
        "2",
        "--steps",
        "2",
        "--device",
        "cpu",
        "--out",
        tmp_path / "run",
    )
    assert result.exit_code == 0, result.output
    model = ganzoo.load(tmp_path / "run")
    assert model.translate(torch.rand(1, 3, 37, 50), "B").shape == (1, 3, 37, 50)
    with pytest.raises(UsageError, match="B"):
        model.translate(torch.rand(1, 3, 16, 16), "A")
    assert "translat" in refusal(cli("train", "cut", "digits:images=16", "--out", tmp_path / "no"))
