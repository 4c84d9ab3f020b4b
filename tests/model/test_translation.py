"""Translation: any size in and out, the sheet of a run, `ganzoo translate`, and what is said when it cannot be done."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from ganzoo_scores.translation import CycleConsistency, TranslationError
from PIL import Image
from support.command_line import cli, refusal

import ganzoo
from ganzoo import data
from ganzoo.api import Abilities, Architecture, DataSpec, UsageError
from ganzoo.cli.pictures import side_by_side
from ganzoo.contract.metric import Evidence, TranslationEvidence
from ganzoo.errors import GanzooError
from ganzoo.loop.display import Display
from ganzoo.model.model import Model
from ganzoo.model.translation import there_and_back
from ganzoo.pictures.grid import from_picture
from ganzoo.plan.plan import make_plan, plan_run
from ganzoo.runs.header import DataHeader, ModelHeader
from ganzoo.scoring.evaluator import translations
from ganzoo.training.prepare import prepare

TINY = {"resolution": 24, "blocks": 0, "width_g": 2, "width_d": 2, "layers_d": 2, "pool": 2}
OPTIONS = {"samples": 4, "device": "cpu", "display": Display(), "steps": 3}


class Mirror(Architecture):
    """Brightens towards "day" and darkens towards "night"; remembers the sizes it was given."""

    abilities = Abilities(translate=True)

    def __init__(self, multiple: int | None = 4, smallest: int = 8, shape=(3, 16, 16), domains=("day", "night")):
        super().__init__(None, DataSpec(shape, domains=domains))
        self.G = torch.nn.ModuleDict({"AB": torch.nn.Linear(1, 1)})
        self.side_multiple, self.smallest_side = multiple, smallest
        self.sizes = []

    def translate(self, images, to):
        self.sizes.append(tuple(images.shape[2:]))
        return images + (0.25 if to == "day" else -0.25)


def model(*args, **options) -> Model:
    return used(Mirror(*args, **options))


def used(architecture: Architecture) -> Model:
    """An architecture as a trained model."""
    name = type(architecture).__name__.lower()
    return Model(architecture, ModelHeader(name, DataHeader.of(architecture.data, "it", "here"), {}))


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) - 0.5


def size_of(file: Path) -> tuple[int, int]:
    with Image.open(file) as picture:
        return picture.size


# ---- any size --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "inside"), [((16, 16), (16, 16)), ((17, 22), (20, 24)), ((8, 9), (8, 12)), ((300, 500), (300, 500))]
)
def test_sides_are_padded_to_what_the_networks_take_and_cut_again(size, inside):
    images, mirror = noise(2, 3, *size), model()
    there = mirror.translate(images, "day")
    assert torch.equal(there, images + 0.25)
    assert set(mirror.architecture.sizes) == {inside}


def test_networks_of_one_size_scale_there_and_back():
    mirror = model(None)
    images = noise(1, 3, 4, 4).repeat_interleave(8, 2).repeat_interleave(6, 3)
    there = mirror.translate(images, "night")
    assert there.shape == images.shape
    assert mirror.architecture.sizes == [(16, 16)]
    assert (there.mean() - images.mean() + 0.25).abs() < 0.02


def test_values_out_of_range_are_clamped():
    assert model().translate(torch.ones(1, 3, 8, 8), "day").max() == 1


def test_large_images_go_through_few_at_a_time():
    mirror = model()
    mirror.translate(torch.zeros(5, 3, 512, 1024), "day")
    assert len(mirror.architecture.sizes) == 3


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "I;16", "CMYK"])
def test_pictures_come_back_as_pictures_of_their_size(mode):
    picture = Image.new("RGBA", (19, 11), (200, 100, 50, 255)).convert(mode if mode != "I;16" else "L")
    if mode == "I;16":
        picture = Image.new("I;16", (19, 11), 30000)
    result = model().translate(picture, "day")
    assert (result.size, result.mode) == ((19, 11), "RGB")
    if mode == "RGB":
        assert result.getpixel((0, 0)) == (232, 132, 82)


def test_several_pictures_of_several_sizes():
    pictures = [Image.new("RGB", size) for size in ((8, 8), (30, 9))]
    assert [result.size for result in model().translate(pictures, "day")] == [(8, 8), (30, 9)]


def test_what_cannot_be_translated_is_said():
    with pytest.raises(UsageError, match=r"9×7 pixels is too small; Mirror translates images of 8 pixels or more"):
        model().translate(torch.zeros(1, 3, 7, 9), "day")
    with pytest.raises(UsageError, match=r"must be \[N, 3, H, W\], not \[1, 1, 16, 16\]"):
        model().translate(torch.zeros(1, 1, 16, 16), "day")
    with pytest.raises(UsageError, match="no domain 'dya' in this model; did you mean day"):
        model().translate(torch.zeros(1, 3, 16, 16), "dya")
    with pytest.raises(UsageError, match="`ganzoo translate` takes images to day or night"):
        model().sample(1)


@pytest.mark.parametrize(
    "error",
    [RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."), MemoryError()],
    ids=repr,
)
def test_an_image_too_large_for_the_memory(error, monkeypatch):
    mirror = model()

    def translate(images, to):
        raise error

    monkeypatch.setattr(mirror.architecture, "translate", translate)
    with pytest.raises(GanzooError, match=r"^An image of 64×32 pixels takes more memory than the cpu has; scale it"):
        mirror.translate(torch.zeros(1, 3, 32, 64), "day")


def test_an_architecture_without_domains_does_not_translate(finished):
    tiny = ganzoo.load(finished.path)
    assert tiny.domains == ()
    with pytest.raises(
        UsageError, match="tinygan does not translate between domains; `ganzoo list --task translation`"
    ):
        tiny.translate(Image.new("RGB", (8, 8)), "B")
    with pytest.raises(UsageError, match="TinyGAN does not translate"):
        tiny.architecture.translate(torch.zeros(1, 3, 8, 8), "B")


# ---- dropout in use --------------------------------------------------------------------------------------------------


class Leaky(Mirror):
    """Drops pixels of what it is given, in use too."""

    abilities = Abilities(translate=True, dropout=True)

    def __init__(self):
        super().__init__(shape=(1, 8, 8))
        self.G = torch.nn.ModuleDict({"AB": torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Dropout(0.5))})

    def translate(self, images, to):
        assert not self.training
        return self.G["AB"][1](images)


def test_dropout_in_use_follows_from_the_seed_and_the_position():
    leaky, images = used(Leaky()), torch.full((3, 1, 8, 8), 0.5)
    torch.manual_seed(5)
    there = leaky.translate(images, "day", seed=1)
    drawn = torch.rand(1)
    assert set(there.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(there[0], there[1])
    assert torch.equal(there[1:], leaky.translate(images[1:], "day", seed=1, first=1))
    assert not torch.equal(there, leaky.translate(images, "day", seed=2))
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))  # the shared stream stands where it stood
    assert torch.equal(leaky.architecture.translate(images, "day"), images)  # off again, as in exported programs


def test_a_list_of_images_drops_as_a_batch_does():
    leaky = used(Leaky())
    pictures = [Image.new("L", (8, 8), 200)] * 3
    batch = leaky.translate(torch.cat([from_picture(each, 1) for each in pictures]), "day", seed=3)
    listed = leaky.translate(pictures, "day", seed=3)
    assert torch.equal(torch.cat([from_picture(each, 1) for each in listed]) > 0.5, batch > 0.5)


# ---- sheets ----------------------------------------------------------------------------------------------------------


def test_the_sheet_of_a_run_shows_images_there_and_back():
    reals = {"day": torch.full((5, 3, 20, 20), -0.1), "night": torch.full((5, 3, 20, 20), 0.1)}
    picture, names = there_and_back(model(), reals, 3)
    assert names == ["day", "→ night", "→ day", "night", "→ day", "→ night"]
    assert picture.size == (3 * 18 + 2, 6 * 18 + 2)  # cut to 16×16
    rows = [picture.getpixel((5, 5 + 18 * row))[0] for row in range(6)]
    assert rows == [round((value + 1) * 127.5) for value in (-0.1, -0.35, -0.1, 0.1, 0.35, 0.1)]


def test_side_by_side_scales_large_images_down():
    small, large = Image.new("RGB", (10, 20)), Image.new("RGB", (2000, 1000))
    assert side_by_side([(small, small), (large, large)]).size == (256 + 256 + 12, 20 + 128 + 12)


# ---- training --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of a small CycleGAN on the drawn faces."""
    out = tmp_path_factory.mktemp("translation") / "run"
    return ganzoo.train("cyclegan", "anime-hair:images=12", out=out, **TINY, **OPTIONS)


def test_a_run_keeps_its_domains_and_shows_translations(run):
    assert run.facts["data"]["domains"] == ["A", "B"]
    assert run.facts["data"]["images"] == 12
    assert run.facts["settings"]["load_size"] == 27  # 286 for 256
    width, height = size_of(run.path / "samples" / "step-000003.png")  # enlarged, with names at the left and a caption
    assert width > 4 * (2 * 26 + 2)
    assert height > 4 * (6 * 26 + 2)
    assert {file.name for file in run.path.glob("real-*.png")} == {"real-A.png", "real-B.png"}
    assert list(run.facts["parameters"]) == ["G.AB", "G.BA", "D.A", "D.B"]


def test_the_model_translates_as_its_networks_do(run):
    loaded = ganzoo.load(run.path, device="cpu")
    assert loaded.domains == ("A", "B")
    assert not hasattr(loaded.architecture, "D")
    images = noise(2, 3, 24, 28)
    with torch.no_grad():
        expected = loaded.architecture.G["BA"](images)
    assert torch.allclose(loaded.translate(images, "A"), expected, atol=1e-6)
    assert not torch.allclose(loaded.translate(images, "B"), expected, atol=1e-3)


def test_it_resumes_with_its_pool(run, tmp_path):
    """Ended after two steps and extended by one, it has the pool of the run that was not."""
    from safetensors.torch import load_file

    options = {**TINY, "decay": 0.0, "out": None, **OPTIONS}
    whole = ganzoo.train("cyclegan", "anime-hair:images=12", **{**options, "out": tmp_path / "whole"})
    parts = ganzoo.train("cyclegan", "anime-hair:images=12", **{**options, "out": tmp_path / "parts", "steps": 2})
    ganzoo.extend(parts, steps=1, display=Display())
    ours, theirs = (load_file(each.checkpoints()[-1]) for each in (parts, whole))
    assert ours["model/pool_a.filled"].item() == 2
    assert set(ours) == set(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_load_size_goes_with_the_resolution():
    def load(**given):
        return make_plan("cyclegan", "anime-hair", given, preset=given.pop("preset", None)).settings.load_size

    assert [load(resolution=side) for side in (256, 128, 64)] == [286, 143, 72]
    assert load(preset="small", resolution=128) == 144
    assert load(resolution=64, load_size=100) == 100
    with pytest.raises(UsageError, match="--load-size 50 is smaller than the 64×64 that is cut from it"):
        load(resolution=64, load_size=50)


def test_data_without_two_domains_is_refused(tmp_path):
    with pytest.raises(UsageError, match="has classes, even, odd; name two of them, such as --domains even,odd"):
        ganzoo.train("cyclegan", "tiny", out=tmp_path / "run", **{**TINY, "resolution": 8}, **OPTIONS)


def test_two_folders_are_domains_and_an_empty_one_is_refused(tmp_path):
    for name, count in (("cats", 3), ("dogs", 4), ("none", 0)):
        (tmp_path / name).mkdir()
        for number in range(count):
            Image.new("RGB", (32, 32), (number * 40, 90, 10)).save(tmp_path / name / f"{number}.png")
    data.add("pets", [tmp_path / "cats", tmp_path / "dogs"])
    trained = ganzoo.train("discogan", "pets", out=tmp_path / "run", resolution=32, width_g=2, width_d=2, batch_size=2,
                           **OPTIONS)  # fmt: skip
    assert trained.facts["data"]["domains"] == ["A", "B"]
    with pytest.raises(UsageError, match=r"There are no images in .*none"):
        data.add("few", [tmp_path / "cats", tmp_path / "none"])
    (tmp_path / "half").mkdir()
    for name, folder in (("cats", "trainA"), ("dogs", "testB")):
        (tmp_path / name).rename(tmp_path / "half" / folder)
    with pytest.raises(UsageError, match="no images for the domain B; they should be in a folder trainB"):
        data.add("half", tmp_path / "half")
    (tmp_path / "half" / "trainA").rename(tmp_path / "half" / "testA")
    (tmp_path / "half" / "trainB").mkdir()
    (tmp_path / "half" / "testB").rename(tmp_path / "half" / "trainB" / "deeper")
    shutil.rmtree(tmp_path / "half" / "testA")
    with pytest.raises(UsageError, match="no images for the domain A; they should be in a folder trainA"):
        data.add("half", tmp_path / "half")


# ---- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for name, size in (("one.jpg", (33, 21)), ("two words.PNG", (24, 40)), ("three.bmp", (64, 9))):
        Image.effect_noise(size, 50).convert("RGB").save(Path("photos") / name)
    (Path("photos") / "notes.txt").write_text("no image", encoding="utf-8")
    return Path("photos")


def test_translate_keeps_names_and_sizes(run, photos):
    Image.new("RGBA", (25, 30), (9, 99, 199, 0)).save("four.png")
    result = cli("translate", run.path, "photos", "four.png", "--to", "B", "-o", "out", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == "4 images translated to B, and side-by-side.png, are in out"
    sizes = {file.name: size_of(file) for file in Path("out").iterdir()}
    width, height = sizes.pop("side-by-side.png")  # twice as large, with a caption below
    assert width == 2 * (64 + 64 + 12)
    assert height > 2 * (21 + 40 + 9 + 30 + 20)
    assert sizes == {"one.jpg": (33, 21), "two words.PNG": (24, 40), "three.bmp": (64, 9), "four.png": (25, 30)}


def test_translate_writes_into_the_run_unless_told(run, photos):
    assert cli("translate", run.path, photos / "one.jpg", "--to", "A", "--device", "cpu").exit_code == 0
    assert (run.path / "translated-to-A" / "one.jpg").exists()
    assert cli("translate", run.model_file, photos / "one.jpg", "--to", "A", "--device", "cpu").exit_code == 0
    assert Path("translated-to-A", "one.jpg").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["photos", "--to", "C"], 2, "There is no domain 'C' in this model; known: A, B."),
        (["photos"], 2, "Say which domain to translate to: --to A or --to B."),
        (["--to", "B"], 2, "Say which images to translate: files, or a folder of them."),
        (["absent.jpg", "--to", "B"], 2, "There is no image absent.jpg."),
        (["empty", "--to", "B"], 2, "There are no images in the folder empty."),
        (["small.png", "--to", "B"], 2, "small.png: An image of 4×4 pixels is too small;"),
        (["photos", "broken.jpg", "--to", "B"], 1, "broken.jpg is not a readable image, or is cut short."),
        (["photos", "--to", "B", "-o", "photos"], 2, "The translation of photos"),
        (["photos", "again/one.jpg", "--to", "B"], 2, "have one name"),
        (["plain", "--to", "B"], 2, "plain has a name that says no format to write in; rename it, such as plain.png."),
        (["side-by-side.png", "--to", "B"], 2, "side-by-side.png has the name of the sheet; rename it."),
    ],
)
def test_translate_says_what_is_wrong(run, photos, words, code, said):
    Path("empty").mkdir()
    Path("again").mkdir()
    Image.new("RGB", (33, 21)).save("again/one.jpg")
    Image.new("RGB", (4, 4)).save("small.png")
    Image.new("RGB", (9, 9)).save("plain", "png")
    Image.new("RGB", (9, 9)).save("side-by-side.png")
    Path("broken.jpg").write_bytes((photos / "one.jpg").read_bytes()[:200])
    out = [] if "-o" in words else ["-o", "out"]
    assert said in refusal(cli("translate", run.path, *words, *out, "--device", "cpu"), code)
    assert not Path("out").exists()


def test_translate_needs_an_architecture_that_does(finished, photos):
    said = refusal(cli("translate", finished.path, "photos", "--to", "B"))
    assert said == (
        "Error: tinygan does not translate between domains; `ganzoo list --task translation` names those that do."
    )


def test_after_training_the_command_to_use_it_is_named(run):
    from ganzoo.cli.follow import next_commands

    unit, length = next(iter(run.header.stages[-1].length.items()))
    _, use, look, more = next_commands(run)
    assert use == f"  ganzoo translate {run.path} IMAGE --to B"
    assert look == f"  ganzoo animate {run.path}"
    assert more == f"  ganzoo extend {run.path} --{unit} {length}"
    other = SimpleNamespace(path="my runs/x", header=replace(run.header, architecture="dcgan"))
    assert next_commands(other)[1:3] == ["  ganzoo sample 'my runs/x' --seed 1", "  ganzoo interpolate 'my runs/x'"]
    table = replace(run.header.data, modality="table", domains=())
    rows = SimpleNamespace(path="x", header=replace(run.header, architecture="ctgan", data=table))
    assert next_commands(rows)[1:3] == ["  ganzoo sample x -o samples.csv", "  ganzoo animate x"]
    classes = replace(run.header.data, domains=(), classes=("a cat", "dog"))
    cats = SimpleNamespace(path="x", header=replace(run.header, architecture="cgan", data=classes))
    assert next_commands(cats)[2] == "  ganzoo sample x --label 'a cat'"


# ---- scores ----------------------------------------------------------------------------------------------------------


def test_translations_are_judged_by_the_true_answers():
    dataset = data.prepare("anime-hair:images=12", resolution=(24, 24))
    mirror = model(shape=(3, 24, 24), domains=("A", "B"))
    evidence, split = translations(mirror, dataset, 4, seed=3)
    assert split == "training"
    assert torch.allclose(evidence.fake, (evidence.given - 0.25).clamp(-1, 1), atol=1e-6)
    source = data.open_source("anime-hair:images=12")
    dark = [from_picture(source.read(item, (24, 24)), 3)[0] for item in source.domains["A"]]
    bright = [from_picture(source.partner(item, (24, 24)), 3)[0] for item in source.domains["A"]]
    for given, truth in zip(evidence.given, evidence.truth, strict=True):
        matches = [torch.allclose(given, a, atol=1e-6) for a in dark]
        assert sum(matches) == 1
        assert torch.equal(truth, bright[matches.index(True)])


def test_the_error_is_in_steps_of_a_pixel():
    truth = noise(2, 3, 8, 8)
    evidence = TranslationEvidence(real=truth, fake=truth + 2 / 255, given=truth - 10 / 255, truth=truth)
    values = TranslationError()(evidence)
    assert values == pytest.approx(
        {"translation": 1.0, "translation-doing-nothing": 5.0, "translation-changed": 1.0}, rel=1e-3
    )
    with pytest.raises(UsageError, match="needs data that knows the true answers"):
        TranslationError()(Evidence(truth, truth))


def test_what_should_change_and_what_should_stay_are_judged_apart():
    given = torch.zeros(4, 3, 8, 8)
    truth = given.clone()
    truth[:, 0, :4] = 100 / 127.5  # the upper half turns, in one channel
    fake = given.clone()
    fake[:3, 0, :4] = torch.tensor([60.0, 100.0, 40.0])[:, None, None] / 127.5  # the fourth does nothing
    fake[:, :, 4:] = 2 / 127.5
    values = TranslationError()(TranslationEvidence(real=truth, fake=fake, given=given, truth=truth))
    assert values["translation-changed"] == 0.5, "60 of 100 and 100 are nearer to the answer, 40 and nothing are not"
    assert values["translation-elsewhere"] == pytest.approx(2.0, rel=1e-5)


def test_there_and_back_is_measured_in_steps_of_a_pixel():
    given = noise(2, 3, 8, 8)
    values = CycleConsistency()(TranslationEvidence(real=given, fake=given, given=given, back=given - 3 / 127.5))
    assert values == pytest.approx({"there-and-back": 3.0}, rel=1e-5)
    with pytest.raises(UsageError, match="for models that translate between domains"):
        CycleConsistency()(Evidence(given, given))


def test_a_run_is_judged_where_its_data_lets_it(run):
    scores = ganzoo.evaluate(run.path, samples=5, device="cpu")
    names = [score["name"] for score in scores]
    assert {"swd", "translation", "translation-doing-nothing", "there-and-back"} <= set(names)
    assert {score["protocol"]["samples"] for score in scores} == {5}


def test_held_out_images_are_judged_where_there_are_some(tmp_path):
    for folder in ("trainA", "trainB", "testA", "testB"):
        (tmp_path / "set" / folder).mkdir(parents=True)
        for number in range(3):
            Image.effect_noise((24, 24), 40 + number).save(tmp_path / "set" / folder / f"{number}.png")
    data.add("judged", tmp_path / "set")
    dataset = data.prepare("judged", resolution=(24, 24), channels=1)
    assert dataset.items == 6, "what is held out is not trained on"
    evidence, split = translations(model(shape=(1, 24, 24), domains=("A", "B")), dataset, 9, seed=0)
    assert (split, len(evidence.real), evidence.truth) == ("held out", 3, None)
    held = dataset.held_out["testA"].gather(torch.arange(3))
    assert all(any(torch.equal(given, each) for each in held) for given in evidence.given)


# ---- one direction, and statistics that `generate` does not reach ----------------------------------------------------


def test_one_direction_only():
    """`translate` is never called for a domain that is no target, also where a sheet is drawn."""
    mirror = model()
    mirror.architecture.targets = ("night",)
    assert mirror.domains == ("night",)
    with pytest.raises(UsageError, match="There is no domain 'day'"):
        mirror.translate(noise(1, 3, 16, 16), "day")
    reals = {name: noise(2, 3, 16, 16) for name in ("day", "night")}
    sheet, names = there_and_back(mirror, reals, 2)
    assert names == ["day", "→ night"]
    assert sheet.height == 2 * 16 + 3 * 2  # two rows: there, and not back


class Encoding(Architecture):
    """A generator and an encoder, both with batch norm, of which `generate` reaches one."""

    abilities = Abilities(generate=True, encode=True)
    generators = ("G", "E")

    def __init__(self):
        super().__init__(None, DataSpec((2,)))
        self.latent_dim = 2
        self.G = torch.nn.BatchNorm1d(2)
        self.E = torch.nn.BatchNorm1d(2)

    def encode(self, items, label=None):
        return self.E(items)


def test_statistics_that_generate_does_not_reach_are_kept():
    architecture = Encoding()
    with torch.no_grad():
        for norm in (architecture.G, architecture.E):
            norm.running_mean.fill_(5), norm.running_var.fill_(3), norm.num_batches_tracked.fill_(7)
    loaded = used(architecture)
    loaded.settle()
    assert architecture.E.running_mean.tolist() == [5, 5]
    assert architecture.E.running_var.tolist() == [3, 3]
    assert architecture.E.num_batches_tracked == 7
    assert architecture.G.running_mean.abs().max() < 0.2
    assert loaded.encode(torch.full((1, 2), 5.0)).abs().max() < 1e-6


def test_no_encoder_is_said_in_a_sentence():
    with pytest.raises(UsageError, match="mirror has no encoder"):
        model().encode(noise(1, 3, 16, 16))


def test_deep_images_of_several_pages_and_transparency_are_read_as_data_sets_are(run, tmp_path, monkeypatch):
    """16 bits that use 12 of them are no darker than their 8-bit twins; alpha is kept where the format can hold it."""
    monkeypatch.chdir(tmp_path)
    grey = np.linspace(0, 255, 32 * 32).round().reshape(32, 32)
    Image.fromarray(grey.astype(np.uint8)).save("twin.png")
    Image.fromarray(np.round(grey / 255 * 4095).astype(np.uint16)).save("deep.png")
    assert cli("translate", run.path, "twin.png", "--to", "B", "-o", "a", "--device", "cpu").exit_code == 0
    result = cli("translate", run.path, "deep.png", "--to", "B", "-o", "b", "--device", "cpu")
    assert "Stored values 0-4095 are taken from black to white; results have 8 bits." in result.output
    difference = np.asarray(Image.open("a/twin.png")).astype(int) - np.asarray(Image.open("b/deep.png"))
    assert abs(difference).max() <= 2
    clear = Image.new("RGBA", (32, 32), (200, 10, 10, 255))
    clear.paste((0, 0, 0, 0), (0, 0, 16, 32))
    clear.save("clear.png")
    clear.save("pages.gif", save_all=True, append_images=[Image.new("RGBA", (32, 32), "green")])
    result = cli("translate", run.path, "clear.png", "pages.gif", "--to", "B", "-o", "c", "--device", "cpu")
    assert "1 further pages or frames are left out" in result.output
    assert "The transparency of 1 is lost" in result.output
    alpha = np.asarray(Image.open("c/clear.png").getchannel("A"))
    assert (alpha[:, :16] == 0).all()
    assert (alpha[:, 16:] == 255).all()


@pytest.mark.parametrize(
    "given", [{}, {"preset": "small"}, {"resolution": 100}, {"load_size": 300}, {"resolution": 64}]
)
@pytest.mark.parametrize("side", [20, 33, 40, 90])
def test_the_size_that_is_advised_is_accepted(tmp_path, side, given):
    """Images must be at least half of what is loaded, which is more than what is cut from it."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(4):
            Image.new("RGB", (side, side), (number * 40, 90, 10)).save(tmp_path / name / f"{number}.png")
    data.add("small", [tmp_path / "a", tmp_path / "b"])
    given = {"width_g": 2, "width_d": 2, "blocks": 1, "batch_size": 1, "device": "cpu", **given}
    plan = plan_run("cyclegan", "small", **given)
    try:
        prepare(plan, Display())
    except UsageError as refused:
        advised = dict(re.findall(r"--(resolution|load-size) (\d+)", str(refused).partition("choose")[2]))
        if not advised:
            assert side < 32  # cyclegan's smallest, 64, is cut from 72
            return
        typed = {name.replace("-", "_"): int(value) for name, value in advised.items()}
        assert typed.keys() == {"resolution", "load_size"}
        prepare(plan_run("cyclegan", "small", **{**given, **typed}), Display())
