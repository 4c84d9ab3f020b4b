"""What can be done with latents: walks between them, the latent of a given image, and its neighbours.

Everything is a function of the seed. Z stands for the latents' length, P for points, T for frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganzoo.contract.architecture import Architecture
from ganzoo.contract.codes import chosen_codes, code_range
from ganzoo.contract.labels import repeated
from ganzoo.contract.randomness import derive
from ganzoo.errors import UsageError, suggest

if TYPE_CHECKING:
    from ganzoo.model.model import Model

CANDIDATES = 256  # samples that a descent's starts are chosen from
ENCODED = 32  # of them that an encoder gives where there are labels, of which the image's own is not known
RATE = 0.1  # of the descent, in standard deviations of a latent
REACH = 2.0  # how much longer than a Gaussian latent's usual length sqrt(Z) a projected one may be


@dataclass(frozen=True)
class Projection:
    """The image nearest to a given one that a descent over latents found.

    Attributes:
        latent: z [Z], or the style w [Z] where the architecture has styles, or [L, Z], one for each layer.
        label: the class's number, of attributes or numbers [K]; None where there are none.
        image: what the latent makes, [C, H, W] in [-1, 1].
        target: what was asked for, [C, H, W] in [-1, 1].
        error: mean squared difference between the two.
        mean_error: the same for the mean of many samples in place of the image, to judge `error` by.
    """

    latent: Tensor
    label: int | Tensor | None
    image: Tensor
    target: Tensor
    error: float
    mean_error: float


def slerp(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """From latents `start` to `end` [..., Z] along the arc between them: t [...] in [0, 1] -> [..., Z].

    A Gaussian latent's length is nearly constant, and the straight line would leave it; here the direction turns
    evenly and the length goes from the one's to the other's.
    """
    t = t[..., None]
    lengths = start.norm(dim=-1, keepdim=True), end.norm(dim=-1, keepdim=True)
    a, b = start / lengths[0], end / lengths[1]
    angle = (a * b).sum(-1, keepdim=True).clamp(-1, 1).acos()
    turned = ((1 - t) * angle).sin() * a + (t * angle).sin() * b
    arc = turned / angle.sin() * torch.lerp(*lengths, t)
    return torch.where(angle.sin() > 1e-3, arc, torch.lerp(start, end, t))


def walk(stops: Tensor, frames: int, ends: bool = False) -> Tensor:
    """From each of the stops [P, Z] to the next, and from the last to the first: [P, T, Z].

    Args:
        ends: every stretch has its end too, for looking at each alone; without, the walk repeats nothing.
    """
    times = _times(frames, ends)
    return slerp(stops[:, None], stops.roll(-1, 0)[:, None], times.expand(len(stops), frames))


def _times(frames: int, ends: bool) -> Tensor:
    """Where the frames [T] of a stretch stand between its stops, from 0 on; with `ends` up to 1."""
    return torch.linspace(0, 1, frames if ends else frames + 1)[:frames]


def interpolate(
    model: Model, points: int, frames: int, seed: int, label: str | int | None, truncation: float, ends: bool,
    code: str | None = None, between: Tensor | None = None, index: Sequence[int] = (), count: int = 64,
) -> Tensor:  # fmt: skip
    """Images [P * T, C, H, W] along a walk; see `Model.interpolate`."""
    points = len(index) or (points if between is None else len(between))
    least = 2 if code is None else 1
    if points < least:
        example = ", such as 3,17" if index else ""
        raise UsageError(f"A walk goes between {least} images or more, not {points}{example}.")
    if frames < 2:
        raise UsageError(f"A walk has 2 frames or more from one image to the next, not {frames}.")
    if index:
        stops, labels = of_sheet(model, index, count, seed, label)
    else:
        labels = repeated(model.labels(1, seed, label), points)
        stops = model.noise(points, seed) if between is None else model.encode(between, labels)
    if code is None:
        z = walk(stops, frames, ends).flatten(0, 1)
    else:
        z = walk_code(model, code, stops, frames, back=not ends)
    if labels is not None:  # each image has the label of the stop that is nearer
        late = torch.zeros(frames) if code else _times(frames, ends) > 0.5
        labels = labels[(torch.arange(points)[:, None] + late.long()).flatten() % points]
    return model.generate(z, labels, truncation)


def of_sheet(
    model: Model, index: Sequence[int], count: int, seed: int, label: str | int | None, code: str | int | None = None
) -> tuple[Tensor, Tensor | None]:
    """Latents [K, Z] and labels of some images of `Model.sample(count, seed)`, counted from 1. Raises: UsageError."""
    if beyond := [place for place in index if not 1 <= place <= count]:
        raise UsageError(f"--index {beyond[0]} is none of the {count:,} images, which are counted from 1; see -n.")
    places = torch.tensor(index) - 1
    z, labels = choose(model, model.noise(count, seed), code), model.labels(count, seed, label)
    return z[places], None if labels is None else labels[places]


def choose(model: Model, z: Tensor, code: str | int | None) -> Tensor:
    """Latents [n, Z] like z with the codes that are chosen, such as ``3`` or ``3,c1=-0.5``. Raises: UsageError."""
    if code is None:
        return z
    architecture = _with_codes(model)
    for name, value in chosen_codes(architecture.codes, code).items():
        z = architecture.coded(z, name, torch.full((len(z),), value))
    return z


def walk_code(model: Model, code: str, stops: Tensor, frames: int, back: bool) -> Tensor:
    """Latents [P * T, Z]: at each of the stops [P, Z], a code from its least to its greatest value, in `frames` steps.

    Args:
        back: and to the least again, for a movie without a jump.
    Raises: UsageError when there is no such code.
    """
    architecture = _with_codes(model)
    if code not in architecture.codes:
        raise UsageError(f"There is no code {code!r} in this model; {suggest(code, architecture.codes)}")
    kind = architecture.codes[code]
    times = torch.linspace(0, 2, frames + 1)[:frames] if back else torch.linspace(0, 1, frames)
    low, high = code_range(kind)
    values = low + (high - low) * (1 - (1 - times).abs() if back else times)
    values = values.round() if isinstance(kind, int) else values
    return architecture.coded(stops.repeat_interleave(frames, 0), code, values.repeat(len(stops)))


def _with_codes(model: Model) -> Architecture:
    """Raises: UsageError when its latents have none."""
    if not model.architecture.abilities.codes:
        raise UsageError(f"{type(model.architecture).__name__} has no codes in its latents; leave out --code.")
    return model.architecture


def project(
    model: Model,
    target: Tensor,
    steps: int,
    starts: int,
    seed: int,
    label: str | int | None = None,
    each_layer: bool = False,
) -> Projection:
    """Descends from the `starts` best of many samples and the encoder's answer, all at once; see `Model.project`."""
    if steps < 0:
        raise UsageError(f"A descent takes 0 steps or more, not {steps}.")
    if not 1 <= starts <= CANDIDATES:
        raise UsageError(f"A descent takes 1 to {CANDIDATES} starts, not {starts}.")
    shape, layers = model.architecture.data.shape, model.architecture.style_layers
    if each_layer and layers is None:
        raise UsageError(f"{type(model.architecture).__name__} has no style for each layer; leave --each-layer out.")
    z = model.noise(CANDIDATES, derive(seed, "project"))
    if tuple(target.shape) != shape:
        raise UsageError(f"The image has shape {tuple(target.shape)}, and the model makes {shape}.")
    labels = model.labels(CANDIDATES, derive(seed, "project"), label)
    encoded = 0
    if model.architecture.abilities.encode:  # what the encoder says of the image, with labels as they are drawn
        encoded = 1 if labels is None else ENCODED
        z[:encoded] = model.encode(target.expand(encoded, *shape), None if labels is None else labels[:encoded])
    samples = model.generate(z, labels)
    best = errors(samples, target).argsort(stable=True)[:starts]
    chosen = None if labels is None else labels[best]
    first = model.latents(z[best], chosen)
    if each_layer:
        first = first[:, None].repeat(1, layers or 1, 1)
    last = descend(model, first, chosen, target, steps, scale=model.latents(z, labels).std(0).mean().item())
    both = torch.cat([first, last])
    found_labels = None if chosen is None else torch.cat([chosen, chosen])
    images = model.render(both, found_labels)
    i = int(errors(images, target).argmin())
    return Projection(
        latent=both[i],
        label=None if found_labels is None else found_labels[i] if found_labels.dim() > 1 else int(found_labels[i]),
        image=images[i],
        target=target,
        error=errors(images[i], target).item(),
        mean_error=errors(samples[encoded:].mean(0), target).item(),
    )


def descend(model: Model, latents: Tensor, label: Tensor | None, target: Tensor, steps: int, scale: float) -> Tensor:
    """Latents [N, ...] whose images are nearer to the target [C, H, W], each after `steps` steps of Adam of its own.

    The rate falls from `RATE` latents' standard deviations (`scale`) to 0 along half a cosine. A latent z stays within
    the lengths that Gaussian noise has; a style w goes where it likes.
    """
    architecture, device = model.architecture, model.architecture.device
    styled = architecture.abilities.styles
    wanted, label = target.to(device), None if label is None else label.to(device)
    place = latents.to(device).clone().requires_grad_()
    optimizer = torch.optim.Adam([place], lr=RATE * scale)
    furthest = math.sqrt(latents[0].numel()) + REACH
    with torch.enable_grad():
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = RATE * scale * (1 + math.cos(math.pi * step / steps)) / 2
            images = architecture.synthesis(place) if styled else architecture.generate(place, label)
            (place.grad,) = torch.autograd.grad(errors(images, wanted).sum(), [place])
            optimizer.step()
            if not styled:
                place.data.mul_((furthest / place.data.norm(dim=1, keepdim=True)).clamp(max=1))
    return place.detach().cpu()


def vary(model: Model, projection: Projection, n: int, strength: float, seed: int) -> Tensor:
    """Images [n, C, H, W] of neighbours of a projection's latent; see `Model.vary`."""
    check_strength(n, strength)
    label = None if projection.label is None else repeated(torch.as_tensor(projection.label)[None], n)
    others = model.latents(model.noise(n, derive(seed, "vary")), label)
    if model.architecture.abilities.styles:
        if projection.latent.dim() == others.dim():  # a style for each layer
            others = others[:, None].expand(-1, len(projection.latent), -1)
        near = torch.lerp(projection.latent.expand_as(others), others, strength)
    else:
        near = neighbours(projection.latent, others, strength)
    return model.render(near, label)


def vary_sample(
    model: Model,
    index: int,
    count: int,
    n: int,
    strength: float,
    seed: int,
    label: str | int | None,
    truncation: float,
    code: str | int | None,
) -> Tensor:
    """Images [n, C, H, W] of neighbours of a sample's latent; see `Model.vary_sample`."""
    check_strength(n, strength)
    z, labels = of_sheet(model, [index], count, seed, label, code)
    near = neighbours(z[0], model.noise(n, derive(seed, "vary", index)), strength)
    near = choose(model, near, code)
    return model.generate(near, repeated(labels, n), truncation)


def check_strength(n: int, strength: float) -> None:
    """Raises: UsageError when one of them is out of range."""
    if n < 1 or not 0 <= strength <= 1:
        raise UsageError(f"Variations are 1 or more, of a strength from 0 to 1, not {n} of {strength:g}.")


def neighbours(latent: Tensor, others: Tensor, strength: float) -> Tensor:
    """Latents [n, Z] near one [Z]: the sum of two Gaussian latents with these weights is one again."""
    return math.sqrt(1 - strength**2) * latent + strength * others


def errors(images: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference between images [..., C, H, W] and one image [C, H, W]: [...]."""
    return (images.float() - target.float()).square().mean((-3, -2, -1))
