"""What a run's model makes for the page: walks, mixed styles, sounds, and a search for copies.

Weights are kept of few moments, those of the checkpoints, so these pictures have fewer moments than the sheets have.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy
import torch
from ganzoo_scores.nearest_neighbours import nearest
from PIL import Image
from torch import Tensor

from ganzoo.api import GanzooError, Model, Report, grid, judged_data, load_model, load_tensors, silent
from ganzoo_report.album import Album
from ganzoo_report.story import Moment, Story

QUERIES, NEAREST = 8, 2  # samples looked up, and training images shown beside each
HELD_OUT = 256  # real images looked up likewise
STRETCHES, STEPS = 4, 8  # of a walk
MIXED = 5  # styles a side
SOUNDS = 4


def make(story: Story, album: Album, quick: bool = False, report: Report = silent) -> None:
    """Adds what the model makes; what cannot be made is left out, with the reason.

    Args:
        quick: only say what it can, such as its classes, and make nothing.
    """
    try:
        model = load_model(story.run.path, device="cpu")
    except GanzooError as error:
        story.left_out.append(f"{story.name}: nothing was made with its model: {error}")
        return
    story.made["domains"], story.made["classes"] = list(model.domains), list(model.classes)
    if model.architecture.abilities.translate and not model.domains:
        data = story.run.header.data
        story.made["goals"] = ["none", *data.label_names] if data.label_names else list(data.classes)
    image, sounds = model.modality.name == "image", ".wav" in model.modality.writes
    if quick:
        if image or sounds:
            what = "walks and the search for copies" if image else "sounds to hear"
            story.left_out.append(f"{story.name}: {what}, which take long; the page of ganzoo report has them.")
        return
    if model.architecture.abilities.generate and image:
        for images, words in _weights(story, model, report):
            for kind, draw in _drawings(model).items():
                with suppress(GanzooError):
                    _add(story, kind, Moment(images, album.add(draw()), words))
    if image and story.grid is not None and model.architecture.abilities.generate and story.series:
        try:
            _copies(story, album, report)
        except GanzooError as error:
            story.left_out.append(f"{story.name}: nearest training images were not looked for: {error}")
    if sounds and not image:
        story.made["sounds"] = [_sounds(model, model.sample(SOUNDS, seed=0))]
        with suppress(GanzooError):
            part, _ = judged_data(story.run.header.data, story.name).split()
            story.made["sounds"].append(_sounds(model, part.gather(torch.arange(min(SOUNDS, len(part))))))


def _add(story: Story, kind: str, moment: Moment) -> None:
    story.series.setdefault(f"{story.key}-{kind}", []).append(moment)


def _weights(story: Story, model: Model, report: Report) -> Iterator[tuple[int, str]]:
    """Puts the averaged weights of each checkpoint into the model, oldest first; images seen, and that in words."""
    files = [file for file in story.run.checkpoints() if file.exists()]
    for number, file in enumerate(files):
        report(f"{story.name}: walks and mixed styles", number, len(files))
        try:
            tensors, facts = load_tensors(file)
            model.load_generators({name[4:]: value for name, value in tensors.items() if name.startswith("ema/")})
        except GanzooError:  # damaged, or gone on with another version
            continue
        model.settle()
        images, step = int(facts["counters"]["images"]), int(facts["counters"]["step"])
        yield images, f"by the weights kept at {images:,} images seen (step {step:,})"
    if not files:
        images, step = model.header.images, model.header.step
        yield images, f"by the weights kept at {images:,} images seen (step {step:,})"


def _drawings(model: Model) -> dict[str, Callable[[], Image.Image]]:
    able = model.architecture.abilities
    drawings: dict[str, Callable[[], Image.Image]] = {"walk": lambda: _walk(model)}
    if able.codes:
        for name in model.architecture.codes:
            drawings[f"code-{name}"] = lambda name=name: grid(  # type: ignore[misc]
                model.interpolate(STRETCHES, STEPS, ends=True, code=name), STEPS
            )
    if able.mix:
        drawings["mix"] = lambda: _mix(model)
    return drawings


def _walk(model: Model) -> Image.Image:
    return grid(model.interpolate(STRETCHES, STEPS, ends=True), STEPS)


def _mix(model: Model) -> Image.Image:
    """Coarse styles of the images at the left with fine styles of those above."""
    coarse, fine = model.noise(MIXED - 1, seed=0), model.noise(MIXED, seed=1)
    mixed = model.mix(coarse, fine)
    left, above = (model.generate(z, model.labels(len(z))) for z in (coarse, fine))
    rows = [
        torch.ones_like(above[:1]),
        above,
        *(torch.cat([one[None], row]) for one, row in zip(left, mixed, strict=True)),
    ]
    return grid(torch.cat(rows), MIXED + 1)


def _copies(story: Story, album: Album, report: Report) -> None:
    """Samples of every moment on the page with the training images nearest to them, and their distances in words."""
    sheets, layout = story.series[story.sheet], story.grid
    assert layout is not None
    data = judged_data(story.run.header.data, story.name)
    training, held_out = data.split()
    count = min(QUERIES, layout.columns * layout.rows)
    samples = [
        _tensor(layout.cut(album.pictures[moment.picture], place), data.shape[0])
        for moment in sheets
        for place in range(count)
    ]
    if len(training) < NEAREST or not len(held_out) or any(each.shape != data.shape for each in samples):
        return
    report(f"{story.name}: nearest training images", 0, 1)
    real = held_out.gather(torch.arange(min(HELD_OUT, len(held_out))))
    distances, places = nearest(torch.cat([torch.stack(samples), real]), training, NEAREST)
    usual = distances[len(samples) :, 0].mean().item()
    for number, moment in enumerate(sheets):
        mine = slice(number * count, (number + 1) * count)
        found = [training.gather(column) for column in places[mine].unbind(1)]
        rows = torch.cat([torch.stack(samples[mine]), *found])
        away = distances[mine, 0].mean().item()
        _add(story, "nearest", Moment(moment.images, album.add(grid(rows, count)), f"{moment.words}: {away:.3f} away"))
    last = distances[(len(sheets) - 1) * count : len(sheets) * count, 0]
    story.made["copies"] = [last.mean().item(), last.min().item(), usual, len(real), len(training), count]
    report(f"{story.name}: nearest training images", 1, 1)


def _tensor(picture: Image.Image, channels: int) -> Tensor:
    """An item of a sheet as [C, H, W] in [-1, 1]."""
    pixels = numpy.asarray(picture.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])).copy()
    return torch.from_numpy(pixels).reshape(*pixels.shape[:2], channels).permute(2, 0, 1).float().div(127.5).sub(1)


def _sounds(model: Model, items: Tensor) -> list[str]:
    """Each as the address of a WAV that is in the page."""
    found: list[Any] = []
    with TemporaryDirectory() as folder:
        for number in range(len(items)):
            file = Path(folder) / f"{number}.wav"
            model.modality.save(items[number : number + 1], file)
            found.append("data:audio/wav;base64," + b64encode(file.read_bytes()).decode())
    return found
