"""pix2pix: the published networks, numbers, losses and order of play; pairs, both ways, other channels."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from support.command_line import cli, refusal
from support.golden_numbers import GRADIENT, OUTPUT, near, stored, weights
from torch.nn.functional import binary_cross_entropy_with_logits as bce

import ganzoo
from ganzoo.api import Batch, DataSpec, Progress, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts

Pix2Pix = load_architecture(find("architecture", "pix2pix"))
TINY = {"width_g": 2, "width_d": 2, "layers_d": 1}
MIXED = {"A": 1, "B": 3}


def build(*shape: int, channels: dict[str, int] | None = None, **options):
    shapes = {name: (each, *shape[1:]) for name, each in (channels or {}).items()}
    return Pix2Pix(Pix2Pix.Config(**options), DataSpec(shape, domains=("A", "B"), shapes=shapes, paired=True))


def on_meta(*shape: int, **options):
    with torch.device("meta"):
        return build(*shape, **options)


@pytest.mark.parametrize(
    ("side", "layers_d", "g", "d"),
    [(256, 3, 54_413_955, 2_768_705), (128, 3, 41_828_995, 2_768_705), (256, 0, 54_413_955, 9_024)],
)
def test_parameter_counts(side: int, layers_d: int, g: int, d: int) -> None:
    assert parameter_counts(on_meta(3, side, side, layers_d=layers_d)) == {"G.AB": g, "D.B": d}


def test_published_sizes() -> None:
    model = on_meta(3, 256, 256)
    inner = {}
    for name, module in model.G["AB"].named_modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Dropout):
            module.register_forward_hook(lambda _, __, out, name=name: inner.update({name: tuple(out.shape[1:])}))
    images = torch.empty(1, 3, 256, 256, device="meta")
    assert model.G["AB"](images).shape == images.shape
    sides = [128, 64, 32, 16, 8, 4, 2, 1]
    dropped = [shape for name, shape in inner.items() if name.endswith(".7")]
    convolutions = [shape for name, shape in inner.items() if not name.endswith(".7")]
    assert convolutions == list(zip([64, 128, 256, 512, 512, 512, 512, 512], sides, sides, strict=True))
    assert dropped == [(512, 4, 4), (512, 8, 8), (512, 16, 16)]
    assert model.D["B"](torch.empty(1, 6, 256, 256, device="meta")).shape == (1, 1, 30, 30)


def test_golden_generator() -> None:
    """pix2pix_g.safetensors: outputs, gradients and running statistics of the authors' U-Net."""
    numbers = stored("pix2pix_g")
    for mode in ("train", "eval"):
        net = build(3, 32, 32, width_g=4, running=True, layers_d=1).double().G["AB"].train(mode == "train")
        net.load_state_dict(weights(numbers), strict=False)
        assert {name for name, _ in net.named_parameters()} <= set(weights(numbers))
        images = numbers["input/images"].clone().requires_grad_()
        out = net.eval()(images) if mode == "eval" else without_dropout(net)(images)
        assert near(out, numbers[f"output/{mode}"], OUTPUT)
        (out * numbers[f"probe/{mode}"]).sum().backward()
        if mode == "train":
            assert near(images.grad, numbers["grad/train/input/images"], GRADIENT)
            state = net.state_dict()
            for key in (key for key in numbers if key.startswith("after_train/")):
                assert near(state[key.removeprefix("after_train/")], numbers[key], OUTPUT), key
        else:
            assert near(images.grad[:1], numbers["grad/eval/input/images_first"], GRADIENT)
        check_gradients(net, numbers, mode)


def without_dropout(net: torch.nn.Module) -> torch.nn.Module:
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout):
            module.eval()
    return net


def check_gradients(net: torch.nn.Module, numbers: dict[str, torch.Tensor], mode: str) -> None:
    parameters = dict(net.named_parameters())
    names = [key for key in numbers if key.startswith(f"grad/{mode}/model")]
    assert names
    for key in names:
        assert near(parameters[key.removeprefix(f"grad/{mode}/")].grad, numbers[key], GRADIENT), key


def test_golden_discriminator_and_its_losses() -> None:
    """pix2pix_d.safetensors: D on pairs, both losses, and the gradient that reaches what G made."""
    numbers = stored("pix2pix_d")

    def fresh():
        model = build(3, 32, 32, width_d=4).double()
        model.D["B"].load_state_dict(weights(numbers), strict=False)
        return model, model.D["B"]

    a, b, fake = (numbers[f"input/{name}"] for name in ("a", "b", "fake_b"))
    model, net = fresh()
    pair = torch.cat([a, b], 1).requires_grad_()
    assert near(net.eval()(pair), numbers["output/eval"], OUTPUT)
    out = net.train()(pair)
    assert near(out, numbers["output/train"], OUTPUT)
    (out * numbers["probe/train"]).sum().backward()
    assert near(pair.grad[:1], numbers["grad/train/input/pair_first"], GRADIENT)
    check_gradients(net, numbers, "train")
    for key in (key for key in numbers if key.startswith("after_train/")):
        assert near(net.state_dict()[key.removeprefix("after_train/")], numbers[key], OUTPUT), key

    model, net = fresh()
    fake = fake.requires_grad_()
    model.G["AB"].forward = lambda _: fake
    turns = model.step(iter([Batch(a, None, {"A": a, "B": b})]), Progress(0, 0, 0, 0, 10))
    turn = next(turns)
    assert turn.networks == "D"
    assert near(turn.terms["adversarial B"], numbers["output/d_loss"], OUTPUT)
    turn.terms["adversarial B"].backward()
    check_gradients(net, numbers, "d_loss")
    turn = next(turns)
    assert turn.networks == "G"
    assert near(turn.terms["adversarial"], numbers["output/g_gan"], OUTPUT)
    assert near(turn.terms["l1"], 100 * numbers["output/g_l1"], OUTPUT)
    total = sum(turn.terms.values())
    assert near(total, numbers["output/g_total"], OUTPUT)
    total.backward()
    assert near(fake.grad, numbers["grad/g_total/input/fake_b"], GRADIENT)
    assert next(turns, None) is None


@pytest.mark.parametrize(("to", "way", "given", "made"), [("", "AB", 1, 3), ("B", "AB", 1, 3), ("A", "BA", 3, 1)])
def test_both_directions_with_other_channels(to: str, way: str, given: int, made: int) -> None:
    model = build(3, 16, 16, channels=MIXED, to=to, **TINY)
    a, b = torch.rand(2, 1, 16, 16), torch.rand(2, 3, 16, 16)
    turns = list(model.step(iter([Batch(a, None, {"A": a, "B": b})]), Progress(0, 0, 0, 0, 10)))
    assert [turn.networks for turn in turns] == ["D", "G"]
    assert model.targets == (to or "B",)
    assert list(parameter_counts(model)) == [f"G.{way}", f"D.{way[1]}"]
    assert model.eval().translate((a if given == 1 else b), to or "B").shape == (2, made, 16, 16)


def test_the_discriminator_sees_the_given_image_first() -> None:
    model = build(3, 16, 16, channels=MIXED, to="A", **TINY)
    seen = []
    model.D["A"].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    a, b = torch.rand(2, 1, 16, 16), torch.rand(2, 3, 16, 16)
    list(model.step(iter([Batch(a, None, {"A": a, "B": b})]), Progress(0, 0, 0, 0, 10)))
    assert torch.equal(seen[0], torch.cat([b, a], 1))
    assert all(torch.equal(pair[:, :3], b) for pair in seen)


def test_dropout_is_where_the_paper_has_it_and_batch_norm_goes_by_the_image() -> None:
    torch.manual_seed(0)
    model = build(3, 64, 64, width_g=2, width_d=2).eval()
    images = torch.rand(2, 3, 64, 64)
    plain = model.translate(images, "B")
    assert torch.allclose(plain[:1], model.translate(images[:1], "B"), atol=1e-6)
    noisy = [module for module in model.G.modules() if isinstance(module, torch.nn.Dropout)]
    assert len(noisy) == 1
    noisy[0].train()
    assert not torch.allclose(model.translate(images, "B"), plain, atol=1e-4)
    kept = noisy[0](torch.ones(4, 2, 64, 64))
    assert set(kept.unique().tolist()) == {0.0, 2.0}
    assert model.abilities.dropout
    assert not build(3, 64, 64, width_g=2, width_d=2, dropout=0.0).abilities.dropout
    assert not build(3, 32, 32, width_g=2, width_d=2).abilities.dropout  # too few levels to have some in the middle


def test_defaults_are_the_published_ones() -> None:
    config = Pix2Pix.Config()
    assert (config.l1, config.adversarial_d, config.dropout, config.loss) == (100, 0.5, 0.5, "nonsaturating")
    assert (config.lr, config.beta1, config.beta2, config.batch_size) == (2e-4, 0.5, 0.999, 1)
    assert (config.load_size, config.resolution, config.flip, config.epochs) == (286, 256, True, 200)
    model, constant = on_meta(3, 64, 64), on_meta(3, 64, 64, decay=Pix2Pix.presets["paper"]["decay"])
    last = Progress(0, 199, 0, 0, 200)
    assert model.learning_rate(last, "G.AB") == pytest.approx(1 / 101)
    assert constant.learning_rate(last, "G.AB") == 1


def test_losses_are_those_of_the_paper_whatever_their_names() -> None:
    model = build(3, 16, 16, **TINY)
    logits = torch.tensor([[-1.0], [2.0]])
    assert model.loss.generator(logits).item() == pytest.approx(bce(logits, torch.ones(2, 1)).item(), rel=1e-5)


@pytest.mark.parametrize(
    ("spec", "options", "said"),
    [
        (DataSpec((3, 36, 64), domains=("A", "B"), paired=True), {}, "multiples of 8, 24 or more"),
        (DataSpec((3, 16, 16), domains=("A", "B"), paired=True), {}, "multiples of 8, 24 or more"),
        (DataSpec((3, 64, 64), domains=("A", "B"), paired=True), {"to": "C"}, "--to C is no domain"),
        (DataSpec((3, 64, 64)), {}, "two domains"),
        (DataSpec((2,)), {}, "images"),
    ],
)
def test_what_it_cannot_do_is_refused(spec: DataSpec, options: dict[str, str], said: str) -> None:
    with torch.device("meta"), pytest.raises(UsageError, match=said):
        Pix2Pix(Pix2Pix.Config(**options), spec)


def test_images_that_are_no_pairs_are_refused(tmp_path: Path) -> None:
    said = refusal(cli("train", "pix2pix", "anime-hair:images=8", "--steps", "1", "--out", tmp_path / "run"))
    assert "learns from pairs" in said
    assert not (tmp_path / "run").exists()


def test_edges_become_faces(tmp_path: Path) -> None:
    words = ("--preset", "small", "--resolution", "32", "--width-g", "4", "--width-d", "4", "--steps", "2")
    result = cli("train", "pix2pix", "anime-edges:images=16", *words, "--device", "cpu", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    model = ganzoo.load(tmp_path / "run")
    edges = torch.rand(1, 1, 50, 70) * 2 - 1
    assert model.translate(edges, "faces").shape == (1, 3, 50, 70)
    with pytest.raises(UsageError, match="faces"):
        model.translate(torch.rand(1, 3, 32, 32), "edges")
    Image.new("L", (40, 40)).save(tmp_path / "plan.png")
    assert cli("translate", tmp_path / "run", tmp_path / "plan.png", "-o", tmp_path / "made").exit_code == 0  # one way
    with Image.open(tmp_path / "made" / "plan.png") as made:
        assert (made.mode, made.size) == ("RGB", (40, 40))
