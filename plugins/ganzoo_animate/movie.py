"""Moving pictures: GIF by Pillow, MP4 by ffmpeg where there is one."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ganzoo.api import GanzooError, UsageError, to_picture, written

RATE = 25  # frames a second; a GIF counts in hundredths of a second
SIDE = 256  # smaller frames are enlarged to about this, in whole steps
KINDS = (".gif", ".mp4")


def save_movie(images: Tensor, file: str | os.PathLike[str]) -> None:
    """Images [T, C, H, W] in [-1, 1] as a movie that repeats, 25 frames a second; small ones are enlarged.

    Raises:
        UsageError: the name's ending is neither .gif nor .mp4, or these are no images.
        GanzooError: there is no encoder for MP4 here (says what to install), or it failed.
    """
    check_movie(file)
    if images.dim() != 4:
        raise UsageError("These are points, not images, and make no movie; write a .png.")
    save_frames((to_picture(frame) for frame in enlarged(on_white(images))), Path(file), RATE)


def check_movie(file: str | os.PathLike[str]) -> None:
    """Looks whether a movie can be written there.

    Raises: UsageError when the ending is neither .gif nor .mp4, GanzooError when there is no encoder for .mp4.
    """
    ending = Path(file).suffix.lower()
    if ending not in KINDS:
        raise UsageError(f"A movie is a .gif or an .mp4, not {Path(file).name}.")
    if ending == ".mp4":
        find_encoder()


def save_frames(frames: Iterable[Image.Image], target: Path, rate: int) -> None:
    """Pictures of one size, grey or RGB, as a movie that repeats, so many a second. Raises: as `save_movie`."""
    check_movie(target)
    if target.suffix.lower() == ".mp4":
        encode(find_encoder(), frames, target, rate)
        return
    first, *rest = frames
    with written(target) as part:
        first.save(part, save_all=True, append_images=rest, duration=1000 // rate, loop=0)


def find_encoder() -> str:
    """Where ffmpeg is: on the path, or the one that imageio-ffmpeg brings. Raises: GanzooError where it is nowhere."""
    encoder = shutil.which("ffmpeg")
    if encoder:
        return encoder
    try:
        return str(importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise GanzooError(
            "There is no encoder for MP4 here; type: pip install 'ganzoo[movie]', install ffmpeg, or write a .gif."
        ) from error


def encode(encoder: str, frames: Iterable[Image.Image], target: Path, rate: int = RATE) -> None:
    """An MP4 of grey or RGB pictures of one size; what is there already stays when it fails."""
    pictures = list(frames)
    (width, height), form = pictures[0].size, "gray" if pictures[0].mode == "L" else "rgb24"
    command = [
        encoder, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", form,
        "-s", f"{width}x{height}", "-r", str(rate), "-i", "-", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2",
        "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-fflags", "+bitexact",
    ]  # fmt: skip
    pixels = b"".join(picture.tobytes() for picture in pictures)
    with written(target) as temporary:
        done = subprocess.run([*command, str(temporary)], input=pixels, capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines() or ["it did not say why"]
            raise GanzooError(f"{encoder} could not write {target} ({said[-1]}); write a .gif instead.")


def on_white(images: Tensor) -> Tensor:
    """Images with transparency [T, 4, H, W] laid on white, [T, 3, H, W]; others as they are."""
    if images.shape[1] != 4:
        return images
    opacity = images[:, 3:].clamp(-1, 1).add(1).div(2)
    return torch.lerp(torch.ones_like(opacity), images[:, :3], opacity)


def enlarged(images: Tensor) -> Tensor:
    """Images with every pixel repeated so often that the longer side is as near below `SIDE` as can be."""
    times = max(1, SIDE // max(images.shape[2:]))
    return images.repeat_interleave(times, 2).repeat_interleave(times, 3)
