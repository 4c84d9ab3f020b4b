"""Clips: read, cut, drawn and written; the drawn set; VGAN's counts, parts and one training."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from ganzoo_clip.clip import Bouncing, Clip
from PIL import Image
from support.command_line import cli, refusal

import ganzoo
from ganzoo import data
from ganzoo.api import DataSpec, Unreadable, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import parameter_counts
from ganzoo.data.loader import _varied
from ganzoo.loop.samples import small

VGAN = load_architecture(find("architecture", "vgan"))


def moving(frames=6, size=(12, 10), mode="RGB", form="GIF", **options) -> bytes:
    """A square that goes to the right by a pixel a frame; what a file of it holds. `size` is (width, height)."""
    pictures = []
    for place in range(frames):
        picture = Image.new(mode, size, {"RGB": (0, 0, 255), "L": 0, "RGBA": (0, 0, 0, 0)}[mode])
        picture.paste({"RGB": (255, 0, 0), "L": 255, "RGBA": (255, 0, 0, 255)}[mode], (place, 2, place + 3, 5))
        pictures.append(picture)
    file = io.BytesIO()
    pictures[0].save(file, form, save_all=True, append_images=pictures[1:], duration=40, **options)
    return file.getvalue()


def build(shape=(16, 3, 32, 32), **options):
    return VGAN(VGAN.Config(**options), DataSpec(shape, modality="clip"))


# ---- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True})])
def test_frames_are_read_in_order(form, options):
    frames, said = Clip.read(moving(form=form, **options))
    assert frames.shape == (6, 3, 10, 12)
    assert said == {"pause": 40}
    red = frames[:, 0, 3] == 255
    assert [int(row.argmax()) for row in red] == [0, 1, 2, 3, 4, 5]
    assert frames[0, :, 9, 11].tolist() == [0, 0, 255]


def test_grey_frames_have_one_channel_and_transparent_ones_lie_on_white():
    assert Clip.read(moving(mode="L"))[0].shape == (6, 1, 10, 12)
    frames, _ = Clip.read(moving(mode="RGBA", form="PNG"))
    assert frames[0, :, 9, 11].tolist() == [255, 255, 255]
    assert frames[0, :, 3, 1].tolist() == [255, 0, 0]


def test_what_is_no_clip_says_why():
    still = io.BytesIO()
    Image.new("RGB", (8, 8)).save(still, "GIF")
    for bad, why in ((still.getvalue(), "does not move"), (b"GIF89a", "cut short"), (b"", "is no animated GIF")):
        with pytest.raises(Unreadable, match=why):
            Clip.read(bad)


def test_every_cut_of_a_file_is_read_or_refused():
    whole = moving()
    for end in range(0, len(whole), 7):
        try:
            frames, _ = Clip.read(whole[:end])
        except Unreadable:
            continue
        assert frames.shape[1:] == (3, 10, 12)


def test_a_file_of_very_many_frames_is_read_as_far_as_memory_is_for(monkeypatch):
    monkeypatch.setattr("ganzoo_clip.clip.MOST", 3 * 3 * 10 * 12)
    assert Clip.read(moving())[0].shape[0] == 3


def folder_of(path: Path, **files: bytes) -> Path:
    path.mkdir()
    for name, content in files.items():
        (path / f"{name}.gif").write_bytes(content)
    return path


def test_a_folder_is_added_as_clips_only_where_that_is_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    clips = folder_of(tmp_path / "clips", a=moving(), b=moving(frames=7), c=moving(mode="L", size=(20, 16)))
    assert data.add("pictures", clips).modality == "image"
    with pytest.raises(UsageError, match=r"6 to 7 frames; say one, such as --as clip:frames=6,side=32, or remove"):
        data.add("mine", clips, modality="clip")
    with pytest.raises(UsageError, match=r"6 to 7 frames"):
        data.add("mine", clips, modality="clip:frames=7,side=8")
    with pytest.raises(UsageError, match=r"The clips have 2 sizes; say one, such as --as clip:frames=6,side=32\."):
        data.add("mine", clips, modality="clip:frames=4")
    info = data.add("mine", clips, modality="clip:frames=4,side=8")
    assert (info.modality, info.shape) == ("clip", (4, 3, 8, 8))
    assert info.details["pause"] == 40
    items = data.prepare("mine").parts["train"].gather(torch.arange(3))
    assert (float(items.min()), float(items.max())) == (-1, 1)
    assert torch.equal(items[2, :, 0], items[2, :, 1])  # the grey one, in a set with colour


def test_a_folder_of_grey_clips_has_one_channel_and_its_own_size(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    clips = folder_of(tmp_path / "clips", a=moving(mode="L"), b=moving(mode="L"), still=b"GIF89a")
    refused = refusal(cli("data", "add", "mine", clips, "--as", "clip"), 1)
    assert "still.gif is no animated GIF, WebP or PNG, or is cut short" in refused
    assert cli("data", "add", "mine", clips, "--as", "clip", "--skip-bad").exit_code == 0
    assert data.info("mine").shape == (6, 1, 10, 12)


# ---- showing and writing ---------------------------------------------------------------------------------------------


def test_a_sheet_has_a_row_for_each_clip():
    clips = torch.zeros(3, 6, 3, 8, 10)
    assert Clip({}).sheet(clips, gap=2).size == (16 * (6 * 12 + 2), 16 * (3 * 10 + 2))  # enlarged 16 times
    assert Clip({}).sheet(clips, columns=2, gap=0).size == (10 * 2 * 60, 10 * 2 * 8)
    assert Clip({}).sheet(torch.zeros(2, 40, 1, 32, 32), gap=0).size == (2 * 14 * 32, 2 * 2 * 32)  # every third


def test_a_clip_is_written_and_read_again(tmp_path):
    clip = torch.from_numpy(np.stack([Bouncing().read(0)]))
    Clip({"pause": 60}).save(clip, tmp_path / "a.gif")
    again, said = Clip.read((tmp_path / "a.gif").read_bytes())
    assert said == {"pause": 60}
    assert np.abs(again / 127.5 - 1 - clip[0].numpy()).max() < 0.1  # 256 colours a frame
    Clip({}).save(clip.expand(5, -1, -1, -1, -1), tmp_path / "five.gif")
    assert Clip.read((tmp_path / "five.gif").read_bytes())[0].shape == (16, 3, 2 * 34 + 2, 3 * 34 + 2)


def test_clips_are_mirrored_from_side_to_side():
    clips = torch.randn(2, 4, 3, 5, 6)
    varied = _varied(clips, torch.tensor([True, False]), None, None)
    assert torch.equal(varied[0], clips[0].flip(-1))
    assert torch.equal(varied[1], clips[1])


def test_clips_are_compared_by_smaller_frames():
    """Their distances are nearly those of the frames, each averaged down."""
    clips = torch.randn(6, 4, 3, 32, 32)
    frames = torch.cat([small(clips[:, time]) for time in range(4)], 1)
    compared = small(clips)
    assert compared.shape == (6, 768)
    torch.testing.assert_close(torch.pdist(compared), torch.pdist(frames), rtol=0.15, atol=0)


# ---- the drawn set ---------------------------------------------------------------------------------------------------


def test_bouncing_draws_the_same_again():
    one = Bouncing(images=20).read(7)
    assert one.shape == (16, 3, 32, 32)
    assert one.dtype == np.float32
    assert np.array_equal(one, Bouncing(images=500).read(7))
    assert not np.array_equal(one, Bouncing(seed=1).read(7))
    assert float(one.mean()) == pytest.approx(-0.39939, abs=1e-4)  # raise the fingerprint's version if it changes
    assert {Bouncing().label(index) for index in range(20)} == {0, 1, 2}


def test_balls_move_stay_inside_and_keep_their_colour():
    source = Bouncing(side=24, frames=40)
    index = next(index for index in range(20) if source.label(index) == 0)
    clip = source.read(index)
    still = np.median(clip, axis=0)
    ball = np.abs(clip - still).max(1) > 0.3  # [T, H, W]
    sizes = ball.sum((1, 2))
    assert sizes.min() > 0.8 * sizes.max()
    colours = np.stack([frame[:, mask].max(1) for frame, mask in zip(clip, ball, strict=True)])
    assert colours.std(0).max() < 0.1
    places = np.stack([np.argwhere(mask).mean(0) for mask in ball])
    steps = np.abs(np.diff(places, axis=0))
    assert steps.max() < 0.12 * 24
    assert np.median(steps, axis=0).min() > 0.3


# ---- VGAN ------------------------------------------------------------------------------------------------------------


def test_parameter_counts():
    """By hand, of the paper's networks with a bias in each convolution; their D has two logits, 16,385 numbers more."""
    g = (100 * 512 * 32 + 512) + 2 * 512 + sum(64 * a * b + b for a, b in ((512, 256), (256, 128), (128, 64), (64, 4)))
    g += 2 * (256 + 128 + 64)
    g += (100 * 512 * 16 + 512) + 2 * 512 + sum(16 * a * b + b for a, b in ((512, 256), (256, 128), (128, 64), (64, 3)))
    g += 2 * (256 + 128 + 64)
    d = sum(64 * a * b + b for a, b in ((3, 64), (64, 128), (128, 256), (256, 512))) + 2 * (128 + 256 + 512)
    d += 512 * 32 + 1
    with torch.device("meta"):
        assert tuple(parameter_counts(build((32, 3, 64, 64))).values()) == (g, d) == (16_245_383, 11_041_473)


def test_what_the_mask_leaves_stands_still():
    model = build((8, 3, 16, 16), width=2, latent_dim=4).eval()
    with torch.no_grad():
        model.G.moving[-1].bias[-1] = -100  # the mask's
        clips, mask = model.G.masked(torch.randn(3, 4))
    assert clips.shape == (3, 8, 3, 16, 16)
    assert float(mask.max()) < 1e-6
    assert torch.allclose(clips, clips[:, :1].expand_as(clips), atol=1e-5)
    with torch.no_grad():
        model.G.moving[-1].bias[-1] = 100
        clips, mask = model.G.masked(torch.randn(3, 4))
    assert float(mask.min()) == 1
    assert not torch.allclose(clips, clips[:, :1].expand_as(clips), atol=1e-5)


@pytest.mark.parametrize("shape", [(4, 1, 8, 8), (8, 3, 16, 24), (6, 1, 14, 14), (2, 3, 8, 8)])
def test_shapes_that_it_makes(shape):
    model = build(shape, width=2, latent_dim=4)
    clips = model.generate(torch.randn(2, 4))
    assert clips.shape == (2, *shape)
    assert model.D(clips).shape == (2,)


@pytest.mark.parametrize("shape", [(15, 3, 32, 32), (16, 3, 22, 32), (16, 3, 36, 36), (4, 3, 6, 6)])
def test_shapes_that_it_refuses(shape):
    with pytest.raises(
        UsageError, match=rf"{shape[0]} frames of {shape[2]}×{shape[3]} do not allow; add the data again"
    ):
        build(shape)


def test_images_are_refused():
    with pytest.raises(UsageError, match="VGAN makes clips"):
        VGAN(VGAN.Config(), DataSpec((3, 64, 64)))


def test_clips_that_do_not_halve_are_told_what_does_added_or_drawn():
    with pytest.raises(UsageError, match=r"--as clip:frames=16,side=32 .* write bouncing:frames=16,side=32\."):
        VGAN(VGAN.Config(), DataSpec((15, 3, 32, 32), modality="clip"))
    VGAN(VGAN.Config(), DataSpec((16, 3, 32, 32), modality="clip"))


def test_from_drawn_clips_to_moving_pictures(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    words = ("bouncing:images=16,side=16,frames=8", "--width", "2", "--latent-dim", "4", "--batch-size", "4", "--flip")
    done = cli("train", "vgan", *words, "--steps", "2", "--samples", "3", "--device", "cpu", "--out", "run")
    assert done.exit_code == 0, done.output
    with Image.open(next(Path("run/samples").glob("*.png"))) as sheet:
        assert sheet.width == 8 * (8 * 18 + 2)  # a strip of 8 frames, enlarged 8 times
    assert cli("sample", "run", "-n", "3", "-o", "three.gif").exit_code == 0
    assert cli("sample", "run", "-n", "3", "-o", "each").exit_code == 0
    assert Clip.read(next(Path("each").glob("*.gif")).read_bytes())[0].shape[2:] == (16, 16)
    assert cli("sample", "run", "-n", "2", "-o", "two.npy").exit_code == 0
    assert np.load("two.npy").shape == (2, 8, 3, 16, 16)
    assert ganzoo.load("run", device="cpu").sample(2).shape == (2, 8, 3, 16, 16)
    assert "makes no images" in refusal(cli("project", "run", next(Path("run/samples").glob("*.png"))))
    assert "no movie" in refusal(cli("interpolate", "run", "-o", "walk.gif"))
    assert "\n swd " in cli("evaluate", "run", "--samples", "4").output
    assert "The score ms-ssim judges images" in refusal(cli("evaluate", "run", "--metric", "ms-ssim"))
