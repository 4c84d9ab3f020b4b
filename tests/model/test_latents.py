"""Walks through latents, projections of images and their neighbours; movies; the commands for them."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from click.testing import CliRunner
from ganzoo_animate import movie as movies
from PIL import Image
from tinyzoo.model import TinyGAN
from torch import nn

import ganzoo
from ganzoo.cli.app import app
from ganzoo.contract.abilities import Abilities
from ganzoo.contract.data_spec import DataSpec
from ganzoo.errors import GanzooError, UsageError
from ganzoo.model import latents
from ganzoo.model.model import Model
from ganzoo.runs.header import DataHeader, ModelHeader

SPEC = DataSpec((3, 8, 8))


class StyledGAN(TinyGAN):
    """With styles: w [B, 2, Z], one for each of two layers, far from being Gaussian."""

    abilities = Abilities(generate=True, styles=True, realness=True)

    def __init__(self, config, data):
        super().__init__(config, data)
        self.map = nn.Linear(config.latent_dim, config.latent_dim)

    def generate(self, z, label=None, truncation=1.0):
        return self.synthesis(self.mapping(z, label))

    def mapping(self, z, label=None):
        return (3 + 0.1 * self.map(z))[:, None].expand(-1, 2, -1)

    def synthesis(self, w):
        return self.G(w.mean(1))


class ConditionalGAN(TinyGAN):
    """Cats are dark, dogs are bright."""

    abilities = Abilities(generate=True, realness=True, labels=frozenset({"class"}))

    def generate(self, z, label=None, truncation=1.0):
        return self.G(z).abs() * (2 * label[:, None, None, None] - 1)


class AttributesGAN(TinyGAN):
    """An attribute is a quarter of the image that is bright; the latents are the rest, and E reads them."""

    abilities = Abilities(generate=True, encode=True, labels=frozenset({"attributes"}))
    generators = ("G", "E")

    def __init__(self, config, data):
        super().__init__(config, data)
        self.E = nn.Conv2d(3, 3, 1, bias=False)
        self.E.weight.data = torch.eye(3)[..., None, None]

    def generate(self, z, label=None, truncation=1.0):
        images = (z[:, :3, None, None] / 4).expand(-1, -1, 8, 8).clone()
        images[:, :, :4, :4] = 2 * label[:, :1, None, None] - 1
        images[:, :, :4, 4:] = 2 * label[:, 1:2, None, None] - 1
        return images

    def encode(self, items, label=None):
        means = 4 * self.E(items)[:, :, 4:].mean((2, 3))
        return torch.cat([means, torch.zeros(items.shape[0], self.latent_dim - 3)], 1)


def make(cls, data=SPEC) -> Model:
    torch.manual_seed(0)
    config = cls.Config(width=16)
    header = ModelHeader(cls.__name__.lower(), DataHeader.of(data, "it", "here"), {}, run="run")
    return Model(cls(config, data), header)


@pytest.fixture(params=[TinyGAN, StyledGAN], ids=["z", "w"])
def model(request) -> Model:
    return make(request.param)


# ---- walks -----------------------------------------------------------------------------------------------------


def test_slerp_turns_evenly_and_keeps_the_length():
    start, end, t = torch.tensor([2.0, 0]), torch.tensor([0, 4.0]), torch.linspace(0, 1, 5)
    path = latents.slerp(start, end, t)
    angles = torch.atan2(path[:, 1], path[:, 0])
    assert torch.allclose(angles, t * math.pi / 2, atol=1e-6)
    assert torch.allclose(path.norm(dim=1), 2 + 2 * t, atol=1e-5)


@pytest.mark.parametrize("end", [[1.0, 2.0], [2.0, 4.0], [-1.0, -2.0]])
def test_slerp_between_parallel_latents_is_the_straight_line(end):
    start, end = torch.tensor([1.0, 2.0]), torch.tensor(end)
    path = latents.slerp(start, end, torch.tensor([0, 0.25, 1]))
    assert torch.allclose(path, torch.stack([start, start + (end - start) / 4, end]), atol=1e-5)


def test_a_walk_passes_through_its_stops_and_returns():
    stops = torch.randn(3, 6, generator=torch.Generator().manual_seed(1))
    path = latents.walk(stops, frames=4)
    assert path.shape == (3, 4, 6)
    assert torch.allclose(path[:, 0], stops, atol=1e-6)
    whole = latents.walk(stops, frames=5, ends=True)
    assert torch.allclose(whole[:, 0], stops, atol=1e-6)
    assert torch.allclose(whole[:, -1], stops.roll(-1, 0), atol=1e-5)
    assert torch.allclose(whole[:, :-1], path, atol=1e-6)


def test_interpolation_begins_with_samples_and_depends_on_the_seed_alone(model):
    images = model.interpolate(points=3, frames=4, seed=5)
    assert images.shape == (12, 3, 8, 8)
    assert torch.allclose(images[::4], model.sample(3, seed=5), atol=1e-5)
    torch.manual_seed(99)
    assert torch.equal(images, model.interpolate(points=3, frames=4, seed=5))
    assert not torch.equal(images, model.interpolate(points=3, frames=4, seed=6))


def test_interpolation_keeps_one_label():
    model = make(ConditionalGAN, DataSpec((3, 8, 8), ("cat", "dog")))
    z = latents.walk(model.noise(2, 1), 3).flatten(0, 1)
    assert torch.equal(model.interpolate(2, 3, 1, label="dog"), model.generate(z, torch.ones(6, dtype=torch.int64)))
    with pytest.raises(UsageError, match="There is no label 'cow'"):
        model.interpolate(label="cow")


def test_a_walk_between_images_of_a_sheet_has_their_labels(model):
    """The label changes half-way: nothing in between has to be one."""
    sheet = model.sample(16, seed=5)
    made = model.interpolate(frames=5, seed=5, ends=True, index=[3, 12], count=16)
    assert torch.allclose(made[[0, 4, 5, 9]], sheet[[2, 11, 11, 2]], atol=1e-5)
    pets = make(ConditionalGAN, DataSpec((3, 8, 8), ("cat", "dog")))
    bright = (pets.sample(16, seed=5).mean((1, 2, 3)) > 0).tolist()
    cat, dog = bright.index(False), bright.index(True)
    made = pets.interpolate(frames=4, seed=5, index=[cat + 1, dog + 1], count=16)
    assert (made.mean((1, 2, 3)) > 0).tolist() == [False, False, False, True, True, True, True, False]
    with pytest.raises(UsageError, match="--index 17 is none of the 16 images, which are counted from 1; see -n"):
        model.interpolate(index=[3, 17], count=16)


FACES = DataSpec((3, 8, 8), label="attributes", label_names=("Young", "Male"), label_scale=((0.7, 0.4), (0.4, 0.5)))


def test_an_encoder_gives_the_stops_of_a_walk():
    model = make(AttributesGAN, FACES)
    images = model.sample(3, seed=2, label="Young=1,Male=0").clamp(-0.9, 0.9)
    made = model.interpolate(frames=4, label="Young=1,Male=0", between=images)
    assert made.shape == (12, 3, 8, 8)
    assert torch.allclose(made[::4, :, 4:], images[:, :, 4:], atol=1e-5)
    with pytest.raises(UsageError, match="A walk goes between 2 images"):
        model.interpolate(between=images[:1])
    with pytest.raises(UsageError, match="tinygan has no encoder"):
        make(TinyGAN).interpolate(between=images)


def test_an_encoder_gives_an_image_another_label():
    model = make(AttributesGAN, FACES)
    image = model.sample(1, seed=2, label="Young=1,Male=0")
    made = model.translate(image, "Young=0,Male=1")
    assert torch.equal(made[0, :, 0, 0], torch.full((3,), -1.0))
    assert torch.equal(made[0, :, 0, 7], torch.ones(3))
    assert torch.allclose(made[:, :, 4:], image[:, :, 4:], atol=1e-5)
    assert model.translate(torch.zeros(2, 3, 16, 12), "Young=0,Male=1").shape == (2, 3, 16, 12)
    with pytest.raises(UsageError, match="The label says nothing of Male"):
        model.translate(image, "Young=0")


def test_projection_finds_the_attributes_too():
    model = make(AttributesGAN, FACES)
    target = model.sample(1, seed=3, label="Young=0,Male=1")[0]
    found = model.project(target, steps=5)
    assert found.label.tolist() == [0, 1]
    assert found.error < 1e-3
    assert model.vary(found, 2).shape == (2, 3, 8, 8)


# ---- projections -----------------------------------------------------------------------------------------------


def test_projecting_a_sample_finds_it_again(model):
    target = model.sample(1, seed=11)[0]
    found = model.project(target, steps=150)
    assert found.error < 0.02 * found.mean_error
    assert torch.equal(found.target, target)
    assert found.image.shape == target.shape
    assert found.error == pytest.approx((found.image - target).square().mean().item(), rel=1e-4)
    assert found.label is None
    styled = model.architecture.abilities.styles
    assert found.latent.shape == ((2, 6) if styled else (6,))
    if not styled:
        assert found.latent.norm() <= math.sqrt(6) + latents.REACH + 1e-4


def test_the_mean_error_is_of_the_mean_of_samples(model):
    target = torch.zeros(3, 8, 8)
    found = model.project(target, steps=0, starts=1)
    mean = model.sample(2000, seed=3).mean(0)
    assert found.mean_error == pytest.approx(mean.square().mean().item(), rel=0.2)


def test_more_steps_are_never_worse_and_the_seed_decides(model):
    target = torch.linspace(-1, 1, 192).reshape(3, 8, 8)
    errors = [model.project(target, steps=steps, starts=2, seed=4).error for steps in (0, 20, 60)]
    assert errors[0] > errors[1] >= errors[2]
    torch.manual_seed(99)
    again = model.project(target, steps=20, starts=2, seed=4)
    assert again.error == errors[1]


def test_projection_finds_the_class_too():
    model = make(ConditionalGAN, DataSpec((3, 8, 8), ("cat", "dog")))
    target = model.sample(1, seed=3, label="dog")[0]
    free, cat = model.project(target, steps=30), model.project(target, steps=30, label="cat")
    assert (free.label, cat.label) == (1, 0)
    assert free.error < cat.error
    assert model.vary(free, 2).shape == (2, 3, 8, 8)


def test_variations_grow_with_their_strength(model):
    found = model.project(model.sample(1, seed=11)[0], steps=20)
    away = []
    for strength in (0.0, 0.2, 0.6, 1.0):
        images = model.vary(found, 16, strength, seed=2)
        assert images.shape == (16, 3, 8, 8)
        away.append((images - found.image).square().mean().item())
    assert away[0] < 1e-10
    assert away == sorted(away)
    assert torch.equal(model.vary(found, 4, seed=2), model.vary(found, 4, seed=2))
    assert not torch.equal(model.vary(found, 4, seed=2), model.vary(found, 4, seed=3))


def test_versions_of_a_sample_grow_with_their_strength_and_keep_its_label():
    pets = make(ConditionalGAN, DataSpec((3, 8, 8), ("cat", "dog")))
    sheet = pets.sample(16, seed=5)
    dog = int((sheet.mean((1, 2, 3)) > 0).nonzero()[0])
    away = []
    for strength in (0.0, 0.2, 0.6, 1.0):
        images = pets.vary_sample(dog + 1, 16, n=12, strength=strength, seed=5)
        assert images.shape == (12, 3, 8, 8)
        assert (images.mean((1, 2, 3)) > 0).all()
        away.append((images - sheet[dog]).square().mean().item())
    assert away[0] < 1e-10
    assert away == sorted(away)
    with pytest.raises(UsageError, match="--index 17 is none of the 16"):
        pets.vary_sample(17, 16)


def test_what_cannot_be(model, tmp_path):
    for work, words in (
        (lambda: model.interpolate(points=1), "A walk goes between 2 images or more, not 1."),
        (lambda: model.interpolate(index=[3]), "A walk goes between 2 images or more, not 1, such as 3,17."),
        (lambda: model.interpolate(frames=1), "A walk has 2 frames or more from one image to the next, not 1."),
        (lambda: model.project(tmp_path / "no.png"), "no.png cannot be read"),
        (lambda: model.project(torch.zeros(1, 8, 8)), r"The image has shape \(1, 8, 8\), and the model makes"),
        (lambda: model.project(torch.zeros(3, 8, 8), steps=-1), "A descent takes 0 steps or more, not -1."),
        (lambda: model.vary(model.project(torch.zeros(3, 8, 8), 0), 0), "Variations are 1 or more"),
        (lambda: model.vary(model.project(torch.zeros(3, 8, 8), 0), 1, 1.5), "of a strength from 0 to 1"),
        (lambda: model.project(torch.zeros(3, 8, 8), label="7"), "was trained without labels"),
    ):
        with pytest.raises(UsageError, match=words):
            work()
    (tmp_path / "text.png").write_text("no image", encoding="utf-8")
    with pytest.raises(UsageError, match=r"text.png is not a readable image, or is cut short; give another image\."):
        model.project(tmp_path / "text.png")


def test_an_architecture_without_latents_has_no_latent_tools():
    model = make(TinyGAN)
    model.architecture.latent_dim = None
    for work in (model.interpolate, lambda: model.project("any.png")):
        with pytest.raises(UsageError, match="no latents"):
            work()


# ---- movies ----------------------------------------------------------------------------------------------------


def frames(channels=3, side=8):
    return torch.stack([torch.full((channels, side, side), value) for value in torch.linspace(-1, 1, 5)])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_gif(channels, tmp_path):
    ganzoo.save_movie(frames(channels), tmp_path / "deep" / "a.gif")
    with Image.open(tmp_path / "deep" / "a.gif") as movie:
        assert (movie.n_frames, movie.size, movie.info["duration"], movie.info["loop"]) == (5, (256, 256), 40, 0)


def test_transparency_is_laid_on_white():
    image = torch.tensor([-1.0, 0, 1, -1]).reshape(1, 4, 1, 1)
    assert movies.on_white(image).flatten().tolist() == [1, 1, 1]
    assert movies.on_white(-image)[0, :, 0, 0].tolist() == [1, 0, -1]


def test_an_mp4_by_whatever_encoder_there_is(tmp_path, monkeypatch):
    """The encoder is handed the size and every frame; here it is a script that writes down what it got."""
    script = tmp_path / "ffmpeg.py"
    script.write_text(
        f"#!{sys.executable}\nimport sys\n"
        "data = sys.stdin.buffer.read()\nopen(sys.argv[-1], 'w').write(' '.join(sys.argv[1:-1]) + f' {len(data)}')\n",
        encoding="utf-8",
    )
    script.chmod(0o755)
    monkeypatch.setattr(movies.shutil, "which", lambda name: str(script))
    ganzoo.save_movie(frames(side=300), tmp_path / "a.mp4")
    said = (tmp_path / "a.mp4").read_text(encoding="utf-8")
    assert "-s 300x300" in said
    assert said.endswith(f" {5 * 300 * 300 * 3}")
    script.write_text(f"#!{sys.executable}\nraise SystemExit('no such codec')\n", encoding="utf-8")
    with pytest.raises(GanzooError, match="no such codec"):
        ganzoo.save_movie(frames(), tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_text(encoding="utf-8") == said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "ffmpeg.py"]


def test_no_encoder(monkeypatch, tmp_path):
    monkeypatch.setattr(movies.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(GanzooError, match=r"no encoder for MP4 here; type: pip install 'ganzoo\[movie\]'"):
        ganzoo.save_movie(frames(), tmp_path / "a.mp4")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", SimpleNamespace(get_ffmpeg_exe=lambda: "there"))
    assert movies.find_encoder() == "there"
    for name, images in (("a.avi", frames()), ("a.gif", torch.zeros(5, 2))):
        with pytest.raises(UsageError):
            ganzoo.save_movie(images, tmp_path / name)


# ---- the commands ------------------------------------------------------------------------------------------------


def cli(*words) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout


def refusal(*words) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code in (1, 2)
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture
def weights(finished, tmp_path, monkeypatch) -> Path:
    """A model.safetensors in the working folder."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(finished.model_file.read_bytes())
    return file


def test_interpolate(weights):
    assert (
        cli("interpolate", weights, "--points", 2) == f"50 images are in {weights.parent.name}-interpolate-seed-0.gif\n"
    )
    with Image.open(f"{weights.parent.name}-interpolate-seed-0.gif") as movie:
        assert movie.n_frames == 50
    assert cli("interpolate", weights, "-o", "a.png", "--points", 3, "--frames", 4) == "12 images are in a.png\n"
    with Image.open("a.png") as grid:
        assert grid.width > 16 * (4 * 10 + 2)  # 8 pixels, 16 times, and names at the left
        assert grid.height > 16 * (3 * 10 + 2)
    assert cli("interpolate", weights, "-o", "b.png", "--index", "3,1", "-n", 4) == "20 images are in b.png\n"
    for words, said in (
        (("--index", "3,x"), "--index takes numbers of images such as 3,17, not 3,x."),
        (("--index", "3,65"), "--index 65 is none of the 64 images"),
        (("--index", "3,1", "--points", 2), "leave out --points"),
        (("-n", 4), "leave it out, or give --index 3,17"),
    ):
        assert said in refusal("interpolate", weights, *words)
    assert "-o takes a .png, .jpg, .jpeg, .webp, .gif or .mp4 file, not a.bmp." in refusal(
        "interpolate", weights, "-o", "a.bmp"
    )
    assert "has no truncation" in refusal("interpolate", weights, "--truncation", 0.5)
    assert "trained without labels" in refusal("interpolate", weights, "--label", 3)
    Path("file").write_text("", encoding="utf-8")
    assert "cannot be written" in refusal("interpolate", weights, "-o", "file/a.png")


def test_versions_of_a_sample(weights):
    assert cli("sample", weights, "-n", 4, "--index", 3, "--vary", 5, "-o", "v/") == "5 images are in v\n"
    assert len([*Path("v").iterdir()]) == 5
    assert cli("sample", weights, "--index", 3, "--vary", 5).endswith("-samples-index-3-versions.png\n")
    assert "say which with --index" in refusal("sample", weights, "--vary", 5)
    assert "leave it out, or add --vary 8" in refusal("sample", weights, "--index", 3, "--strength", 0.5)
    assert "of a strength from 0 to 1, not 5 of 2" in refusal(
        "sample", weights, "--index", 3, "--vary", 5, "--strength", 2
    )


def test_project(weights):
    Image.effect_noise((20, 12), 50).save("photo.png")
    said = cli("project", weights, "photo.png", "--steps", 3, "--vary", 2)
    assert said.startswith("Mean squared error 0.")
    assert said.endswith(
        f"photo.png, the nearest image, then 2 new versions are in {weights.parent.name}-project-photo-seed-0.png\n"
    )
    with Image.open(f"{weights.parent.name}-project-photo-seed-0.png") as sheet:
        assert (sheet.width, sheet.height > 16 * 12) == (16 * (4 * 10 + 2), True)  # 8 pixels, 16 times
        assert sheet.info["command"] == "ganzoo project model.safetensors photo.png --steps 3 --vary 2"
    said = cli("project", weights, "photo.png", "--steps", 0, "-o", "alone.png")
    assert said.endswith("photo.png and the nearest image are in alone.png\n")
    assert "cannot be read" in refusal("project", weights, "none.png")
    assert "-o takes a .png, .jpg, .jpeg or .webp file, not a.gif." in refusal(
        "project", weights, "photo.png", "-o", "a.gif"
    )
    assert "--vary -1 is too small" in refusal("project", weights, "photo.png", "--vary", -1)
    assert "of a strength from 0 to 1" in refusal("project", weights, "photo.png", "--vary", 1, "--strength", 2)
