"""StarGAN: the published networks, numbers and losses; domains, classes and attributes."""

from __future__ import annotations

from pathlib import Path

import ganzoo_stargan
import pytest
import torch
from PIL import Image
from support.command_line import cli, refusal
from support.golden_numbers import GRADIENT, OUTPUT, near, stored

import ganzoo
from ganzoo.api import Batch, DataSpec, Progress, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts

StarGAN = load_architecture(find("architecture", "stargan"))
TINY = {"width_g": 2, "width_d": 2, "layers_d": 2, "blocks": 1}
FIVE = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
START = Progress(0, 0, 0, 0, 100)


def build(*shape: int, attributes=(), classes=(), domains=(), **options):
    label = "attributes" if attributes else ""
    data = DataSpec(shape, classes=classes, domains=domains, label=label, label_names=attributes)
    return StarGAN(StarGAN.Config(**options), data)


def on_meta(*shape: int, **options):
    with torch.device("meta"):
        return build(*shape, **options)


@pytest.mark.parametrize(
    ("side", "kinds", "g", "d"),
    [
        (128, {"attributes": FIVE}, 8_430_528, 44_762_048),
        (256, {"attributes": FIVE}, 8_430_528, 44_884_928),
        (128, {"classes": tuple("12345678")}, 8_439_936, 44_786_624),
        (128, {"domains": tuple("12345678")}, 8_439_936, 44_786_624),
        (96, {"attributes": FIVE, "layers_d": 5}, 8_430_528, 11_201_472),
    ],
)
def test_parameter_counts(side, kinds, g, d):
    assert parameter_counts(on_meta(3, side, side, **kinds)) == {"G": g, "D": d}


def golden():
    numbers = stored("stargan")
    model = build(
        3, 32, 32, attributes=("a", "b", "c"), width_g=4, width_d=4, layers_d=4, blocks=2, n_critic=1
    ).double()
    for name, network in (("G", model.G), ("D", model.D)):
        start = f"weights/{name}/"
        found = {key.removeprefix(start): numbers[key] for key in numbers if key.startswith(start)}
        network.load_state_dict({key: value for key, value in found.items() if ".running_" not in key})
    return model, numbers


def check_gradients(model, numbers, mode):
    known = dict(model.named_parameters())
    names = [key for key in numbers if key.startswith((f"grad/{mode}/G/", f"grad/{mode}/D/"))]
    assert names
    for key in names:
        ours = known[key.removeprefix(f"grad/{mode}/").replace("/", ".")].grad
        assert near(ours, numbers[key], GRADIENT), key


def test_golden_networks():
    """stargan.safetensors; `g_eval`, by running statistics, is what the released test program never does."""
    model, numbers = golden()
    images = numbers["input/images"].clone().requires_grad_()
    target = numbers["input/labels_target"]
    out = model.translate(images, target)
    assert near(out, numbers["output/g_train"], OUTPUT)
    (out * numbers["probe/train"]).sum().backward()
    assert near(images.grad[:1], numbers["grad/g_train/input/images_first"], GRADIENT)
    check_gradients(model, numbers, "g_train")
    assert near(model.eval().translate(images, target), numbers["output/g_train"], OUTPUT)
    scores, said = model.D(numbers["input/images"])
    assert near(scores, numbers["output/d_source"], OUTPUT)
    assert near(said, numbers["output/d_class"], OUTPUT)
    classes = build(3, 32, 32, classes=("a", "b", "c"), **TINY)
    wrong = classes.wrong(said.double(), numbers["input/class_ids"])
    assert near(wrong.double(), numbers["output/d_loss_cls_rafd"], OUTPUT)


def test_golden_losses(monkeypatch):
    model, numbers = golden()
    images, label, target = (numbers[f"input/{name}"] for name in ("images", "labels_original", "labels_target"))
    monkeypatch.setattr(model, "wanted", lambda _: target)
    monkeypatch.setattr("ganzoo.gan.penalties.rows", lambda *_, **__: numbers["input/alpha"])
    turns = model.step(iter([Batch(images, label)]), START)
    turn = next(turns)
    assert turn.networks == "D"
    numbers_of = {name: numbers[f"output/d_loss_{name}"] for name in ("real", "fake", "cls", "gp")}
    assert near(turn.terms["adversarial"], numbers_of["real"] + numbers_of["fake"], OUTPUT)
    assert near(turn.terms["classes"], numbers_of["cls"], OUTPUT)
    assert near(turn.terms["wgan-gp"], 10 * numbers_of["gp"], OUTPUT)
    total = sum(turn.terms.values())
    assert near(total, numbers["output/d_loss"], OUTPUT)
    total.backward(inputs=list(model.D.parameters()), retain_graph=True)
    check_gradients(model, numbers, "d_loss")
    turn = next(turns)
    assert turn.networks == "G"
    assert near(turn.terms["adversarial"], numbers["output/g_loss_fake"], OUTPUT)
    assert near(turn.terms["classes"], numbers["output/g_loss_cls"], OUTPUT)
    assert near(turn.terms["reconstruction"], 10 * numbers["output/g_loss_rec"], OUTPUT)
    total = sum(turn.terms.values())
    assert near(total, numbers["output/g_loss"], OUTPUT)
    total.backward(inputs=list(model.G.parameters()))
    check_gradients(model, numbers, "g_loss")
    assert next(turns, None) is None


def test_d_moves_five_times_on_batches_of_its_own():
    model = build(3, 16, 16, classes=("a", "b", "c"), **TINY)
    batches = iter([Batch(torch.rand(4, 3, 16, 16), torch.tensor([0, 1, 2, 0])) for _ in range(9)])
    turns = list(model.step(batches, START))
    assert [turn.networks for turn in turns] == ["D"] * 5 + ["G"]
    assert len(list(batches)) == 4
    assert set(turns[0].terms) == {"adversarial", "classes", "wgan-gp"}
    assert set(turns[-1].terms) == {"adversarial", "classes", "reconstruction"}


def test_what_is_wanted_is_the_batch_in_another_order():
    torch.manual_seed(0)
    model = build(3, 16, 16, classes=("a", "b", "c"), **TINY)
    label = torch.arange(3).repeat(20)
    wanted = model.wanted(label)
    assert wanted.bincount().tolist() == [20, 20, 20]
    assert 10 < (wanted != label).sum() < 60


def test_each_image_goes_with_its_domain():
    model = build(3, 16, 16, domains=("a", "b", "c"), **TINY)
    domains = {name: torch.full((50, 3, 16, 16), float(place)) for place, name in enumerate(model.data.domains)}
    images, label = model.known(Batch(domains["a"], None, domains))
    assert torch.equal(images[:, 0, 0, 0], label.float())
    assert set(label.tolist()) == {0, 1, 2}
    assert images.shape == (50, 3, 16, 16)


def test_a_domain_by_its_name_is_its_code():
    model = build(3, 16, 16, domains=("a", "b", "c"), **TINY).eval()
    images = torch.rand(2, 3, 16, 16)
    assert torch.equal(model.translate(images, "c"), model.G(images, torch.tensor([[0.0, 0, 1], [0, 0, 1]])))
    assert not torch.equal(model.translate(images, "c"), model.translate(images, "a"))


def test_what_it_takes_follows_from_the_data():
    assert build(3, 16, 16, domains=("a", "b", "c"), **TINY).abilities.labels == frozenset()
    assert build(3, 16, 16, attributes=("Young",), **TINY).abilities.labels == {"attributes"}
    assert build(3, 16, 16, classes=("a", "b"), **TINY).abilities.labels == {"class"}


def test_defaults_are_the_published_ones():
    config = StarGAN.Config()
    assert (config.classes, config.reconstruction, config.penalty) == (1, 10, "wgan-gp:weight=10")
    assert (config.n_critic, config.blocks, config.layers_d, config.width_g, config.width_d) == (5, 6, 6, 64, 64)
    assert (config.lr, config.beta1, config.beta2, config.batch_size, config.resolution) == (1e-4, 0.5, 0.999, 16, 128)


@pytest.mark.parametrize(
    ("shape", "options", "said"),
    [
        ((3, 64, 64), {}, "has none"),
        ((3, 64, 64), {"classes": ("one",)}, "only one"),
        (
            (3, 66, 66),
            {
                "domains": ("a", "b"),
            },
            "multiples of 4",
        ),
        ((2,), {"domains": ("a", "b")}, "images"),
    ],
)
def test_what_it_cannot_do_is_refused(shape, options, said):
    with pytest.raises(UsageError, match=said):
        on_meta(*shape, **options)


def words(**options):
    return [f"--{name.replace('_', '-')}={value}" for name, value in {**TINY, "n_critic": 1, **options}.items()]


def test_three_hair_colours_in_one_model(tmp_path: Path):
    data, run = "anime:images=64", tmp_path / "run"
    out = cli("train", "stargan", data, "--domains", "black,blond,pink", *words(), "--resolution", "16",
              "--batch-size", "2", "--steps", "2", "--device", "cpu", "--out", run)  # fmt: skip
    assert out.exit_code == 0, out.output
    model = ganzoo.load(run)
    assert model.domains == ("black", "blond", "pink")
    assert model.translate(torch.rand(1, 3, 37, 50), "pink").shape == (1, 3, 37, 50)
    with pytest.raises(UsageError, match=r"no domain 'pnik'.*pink"):
        model.translate(torch.rand(1, 3, 16, 16), "pnik")


def test_a_class_that_is_not_there(tmp_path: Path):
    said = refusal(cli("train", "stargan", "anime:images=64", "--domains", "black,blnd", "--out", tmp_path / "run"))
    assert "blnd" in said
    assert "blond" in said


def picture(file: Path, seed: int) -> Path:
    pixels = torch.randint(0, 256, (16, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.numpy()).save(file)
    return file


def test_attributes_and_what_must_be_said_of_them(tmp_path: Path):
    names = [picture(tmp_path / "faces" / f"{number}.png", number).name for number in range(8)]
    rows = [f"{name},{place % 2},{place // 4}" for place, name in enumerate(names)]
    (tmp_path / "list.csv").write_text("\n".join(["file,Young,Male", *rows]))
    given = ("--labels", tmp_path / "list.csv", "--label-column", "Young,Male")
    assert cli("data", "add", "ages", tmp_path / "faces", *given).exit_code == 0
    run = tmp_path / "run"
    sizes = ("--resolution", "16", "--batch-size", "2", "--steps", "2", "--samples", "4", "--device", "cpu")
    out = cli("train", "stargan", "ages", *words(), *sizes, "--out", run)
    assert out.exit_code == 0, out.output
    with Image.open(next((run / "samples").glob("*.png"))) as sheet:
        width, height = sheet.size
    assert height > 1.5 * width  # two columns, with names beside them; real, none, Young, Male

    face = picture(tmp_path / "me.png", 9)
    out = cli("translate", run, face, "--label", "Young=0,Male=1", "-o", tmp_path / "old")
    assert out.exit_code == 0, out.output
    model = ganzoo.load(run)
    image = torch.rand(1, 3, 16, 16)
    young, old = (model.translate(image, f"Young={age},Male=1") for age in (1, 0))
    assert not torch.equal(young, old)
    for label, said in (("Young=0", "say all, such as Male=1"), ("Old=1,Male=1", "no column 'Old'")):
        assert said in refusal(cli("translate", run, face, "--label", label))
    assert "--label" in refusal(cli("translate", run, face, "--to", "A"))


def test_the_recipe_for_face_ageing(tmp_path: Path):
    files = [picture(tmp_path / "faces" / f"{number}.png", number).name for number in range(4)]
    marks = "\n".join(f"{name} {(-1) ** place} {(-1) ** (place // 2)}" for place, name in enumerate(files))
    (tmp_path / "list_attr_celeba.txt").write_text(f"4\nYoung Male\n{marks}\n")
    given = ("--labels", tmp_path / "list_attr_celeba.txt", "--label-column", "Young,Male")
    assert cli("data", "add", "celeba-young", tmp_path / "faces", *given).exit_code == 0
    recipe = Path(ganzoo_stargan.__file__).with_name("face-ageing.toml")
    options = ("--resolution", "32", "--width-g", "2", "--width-d", "2", "--batch-size", "2", "--images", "10")
    out = cli("train", "--recipe", recipe, *options, "--samples", "4", "--device", "cpu", "--out", tmp_path / "run")
    assert out.exit_code == 0, out.output
    assert ganzoo.load(tmp_path / "run").architecture.data.label_names == ("Young", "Male")


def test_classes_without_domains_are_labels(tmp_path: Path):
    run = tmp_path / "run"
    sizes = ("--resolution", "16", "--batch-size", "2", "--steps", "2", "--samples", "4", "--device", "cpu")
    out = cli("train", "stargan", "anime:images=32,hair=black+blond", *words(), *sizes, "--out", run)
    assert out.exit_code == 0, out.output
    model = ganzoo.load(run)
    assert model.translate(torch.rand(2, 3, 16, 16), "blond").shape == (2, 3, 16, 16)
    with pytest.raises(UsageError, match="no label 'green'"):
        model.translate(torch.rand(2, 3, 16, 16), "green")
