"""The changes of adaptive discriminator augmentation (Karras et al. 2020, arXiv:2006.06676, appendix B).

Geometry is one matrix [B, 3, 3] from output to input pixels, x right and y down from the image's centre; colour is one
matrix [B, 4, 4]. Everything is made of what torch can differentiate twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.api import full_precision, rows
from ganzoo_ada.corruptions import (
    CUTOUT,
    FILTER,
    HOLE,
    LOUDEST,
    NOISE,
    amplified,
    band_gains,
    without_a_rectangle,
)

Draws = Mapping[str, tuple[Tensor, Tensor]]  # of each change: its numbers [B, n], and [B, 1] in [0, 1) to decide by

# The wavelet sym6's scaling filter (Daubechies 1992), whose sum is the root of 2.
SYM6 = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466,
    0.787641141030194, 0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578,
    0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
MARGIN = 3  # pixels around the output that the filter on the way down reaches to

# change -> how it is drawn, and how many numbers; in the order of drawing
BLIT = {"xflip": (torch.rand, 1), "rotate90": (torch.rand, 1), "xint": (torch.rand, 2)}
GEOMETRIC = {
    "scale": (torch.randn, 1), "rotate_pre": (torch.rand, 1), "aniso": (torch.randn, 1), "rotate_post": (torch.rand, 1),
    "xfrac": (torch.randn, 2),
}  # fmt: skip
COLOR = {
    "brightness": (torch.randn, 1), "contrast": (torch.randn, 1), "lumaflip": (torch.rand, 1), "hue": (torch.rand, 1),
    "saturation": (torch.randn, 1),
}  # fmt: skip


class Groups(NamedTuple):
    """Which changes are done at all."""

    blit: bool = True
    geometric: bool = True
    color: bool = True
    filter: bool = False
    noise: bool = False
    cutout: bool = False
    color_chance: float = 1.0  # in shares of the strength


def draw(shape: torch.Size, device: torch.device, groups: Groups) -> Draws:
    """The draws of all changes for images [B, C, H, W]; of those that are usually off, only where they are done."""
    count, *item = shape
    changes = BLIT | GEOMETRIC | COLOR
    if groups.filter:
        changes |= FILTER
    if groups.noise:
        changes |= NOISE | {"grain": (torch.randn, math.prod(item))}  # of each pixel
    if groups.cutout:
        changes |= CUTOUT
    return {
        name: (rows((count, numbers), how, device), rows((count, 1), torch.rand, device))
        for name, (how, numbers) in changes.items()
    }


def augment(images: Tensor, draws: Draws, strength: Tensor, groups: Groups) -> Tensor:
    """images [B, C, H, W], each change done to each of them with the chance `strength` -> the same shape and type."""
    with full_precision(images.device):
        found = images.float()
        if groups.blit or groups.geometric:
            found = warp(found, geometry(draws, strength, found.shape[2:], groups))
        if groups.color:
            found = recolor(found, color(draws, strength * groups.color_chance, found.shape[1] > 1))
        if groups.filter or groups.noise or groups.cutout:
            found = corrupt(found, draws, strength, groups)
    return found.to(images.dtype)


def corrupt(images: Tensor, draws: Draws, strength: Tensor, groups: Groups) -> Tensor:
    """images [B, C, H, W] with bands amplified, noise added and a rectangle cut out, where these are asked for."""
    colors, alpha = images[:, :3], images[:, 3:]
    if groups.filter:
        gains = band_gains(torch.cat([_if(draws[name], strength, lambda n: n) for name in FILTER], 1))
        colors = on_touched(colors, (gains != 1).any(1), lambda some, places: amplified(some, gains[places]))
    if groups.noise:
        spread = _if(draws["noise"], strength, lambda n: LOUDEST * n.abs())
        colors = colors + spread[..., None, None] * draws["grain"][0].view(images.shape)[:, : colors.shape[1]]
    found = torch.cat([colors, alpha], 1)
    if groups.cutout:
        center, _ = draws["cutout"]
        found = without_a_rectangle(found, center, _if(draws["cutout"], strength, torch.ones_like)[:, :1] * HOLE)
    return found


def on_touched(images: Tensor, touched: Tensor, change: Callable[[Tensor, Tensor | slice], Tensor]) -> Tensor:
    """`change` of those images of [B, C, H, W] that are touched, bool [B]; it is given them and their places."""
    if images.device.type != "cpu":  # to ask which these are would make a GPU wait
        return change(images, slice(None))
    places = touched.nonzero()[:, 0]
    return images.index_copy(0, places, change(images[places], places)) if len(places) else images


def geometry(draws: Draws, strength: Tensor, size: tuple[int, ...], groups: Groups) -> Tensor:
    """The matrix [B, 3, 3] from output to input pixels."""
    height, width = size
    sides = torch.tensor([width, height], device=strength.device)
    # Two rotations are to happen as often together as one change does.
    half = 1 - (1 - strength).clamp(min=0).sqrt()
    matrix = torch.eye(3, device=strength.device)
    if groups.blit:
        flipped = _if(draws["xflip"], strength, lambda u: (2 * u).floor())
        quarters = _if(draws["rotate90"], strength, lambda u: (4 * u).floor())
        shift = _if(draws["xint"], strength, lambda u: (2 * u - 1) / 8)
        matrix = matrix @ _scaling(1 - 2 * flipped, torch.ones_like(flipped)) @ _rotation(quarters * math.pi / 2)
        matrix = matrix @ _translation(-(shift * sides).round())
    if groups.geometric:
        zoom = 2 ** _if(draws["scale"], strength, lambda n: 0.2 * n)
        before = _if(draws["rotate_pre"], half, lambda u: (2 * u - 1) * math.pi)
        stretch = 2 ** _if(draws["aniso"], strength, lambda n: 0.2 * n)
        after = _if(draws["rotate_post"], half, lambda u: (2 * u - 1) * math.pi)
        shift = _if(draws["xfrac"], strength, lambda n: n / 8)
        matrix = matrix @ _scaling(1 / zoom, 1 / zoom) @ _rotation(before) @ _scaling(1 / stretch, stretch)
        matrix = matrix @ _rotation(after) @ _translation(-shift * sides)
    return matrix


def warp(images: Tensor, matrix: Tensor) -> Tensor:
    """images [B, C, H, W], each looked up by its matrix, but for those that it leaves as they are."""
    touched = (matrix != torch.eye(3, device=matrix.device)).flatten(1).any(1)
    return on_touched(images, touched, lambda some, places: resample(some, matrix[places]))


def resample(images: Tensor, matrix: Tensor) -> Tensor:
    """images [B, C, H, W], mirrored beyond their edges, looked up by the matrix at twice their resolution."""
    # Pixels of the output with its margin, in halves of a pixel from the centre, and where they are in the images.
    height, width = images.shape[2:]
    x, y = (torch.arange(2 * (n + 2 * MARGIN), device=images.device) - (n + 2 * MARGIN) + 1.0 for n in (width, height))
    grid = torch.stack([x.expand(len(y), -1), y[:, None].expand(-1, len(x)), torch.full_like(x, 2).expand(len(y), -1)])
    across, down = (matrix[:, :2] @ grid.flatten(1)).unbind(1)  # [B, N] each

    # The images, mirrored as far as is looked, at twice their resolution.
    wide, tall = _beyond(across, width), _beyond(down, height)
    images = F.pad(images, (wide, wide, tall, tall), "reflect")
    images = _filter(_filter(images, 2, up=True), 3, up=True)
    found = _lookup(images, across + images.shape[3] / 2 - 1, down + images.shape[2] / 2 - 1)
    found = found.view(*images.shape[:2], len(y), len(x))[:, :, 1:-1, 1:-1]
    return _filter(_filter(found, 2, up=False), 3, up=False)


def _beyond(places: Tensor, side: int) -> int:
    """Pixels beyond an edge that are looked at, with the filter's reach: at most side - 1."""
    if places.device.type != "cpu":  # to ask would make a GPU wait
        return side - 1
    return min(max(0, math.ceil((float(places.abs().max()) - side) / 2) + MARGIN + 1), side - 1)


def _lookup(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """images [B, C, H, W] at columns x and rows y, each [B, N]; bilinear, 0 outside -> [B, C, N].

    `grid_sample` does the same, and cannot be differentiated twice.
    """
    height, width = images.shape[2:]
    left, top = x.floor(), y.floor()
    total = torch.zeros((), device=images.device)
    for column, across in ((left, 1 - (x - left)), (left + 1, x - left)):
        for row, down in ((top, 1 - (y - top)), (top + 1, y - top)):
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            place = row.clamp(0, height - 1).long() * width + column.clamp(0, width - 1).long()
            values = images.flatten(2).gather(2, place[:, None].expand(-1, images.shape[1], -1))
            total = total + values * (across * down * inside)[:, None]
    return total


def _filter(images: Tensor, axis: int, up: bool) -> Tensor:
    """Along one axis: twice as many pixels, or half as many less the filter's reach."""
    taps = torch.tensor(SYM6, device=images.device) / math.sqrt(2)
    kernel = (2 * taps.flip(0) if up else taps).view((1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1))
    alone = images.flatten(0, 1)[:, None]  # [B * C, 1, H, W]
    if up:
        alone = torch.stack([alone, torch.zeros_like(alone)], axis + 1).flatten(axis, axis + 1)
        alone = F.conv2d(F.pad(alone, (0, 0, 6, 5) if axis == 2 else (6, 5, 0, 0)), kernel)
    else:
        alone = F.conv2d(alone, kernel, stride=(2, 1) if axis == 2 else (1, 2))
    return alone.view(*images.shape[:2], *alone.shape[2:])


def color(draws: Draws, strength: Tensor, colorful: bool) -> Tensor:
    """The matrix [B, 4, 4] on red, green, blue and 1; hue and saturation where the images have a colour."""
    identity = torch.eye(4, device=strength.device)
    luma = torch.tensor([1.0, 1.0, 1.0, 0.0], device=strength.device)[:, None] / math.sqrt(3)
    grey = luma @ luma.T  # what of a colour is luma

    def each(name: str) -> Tensor:
        value, gate = draws[name]
        return torch.where(gate < strength, value, torch.zeros_like(value))[..., None]  # [B, 1, 1]

    offset = torch.zeros(4, 4, device=strength.device)
    offset[:3, 3] = 0.2
    only_color = torch.diag(torch.tensor([1.0, 1.0, 1.0, 0.0], device=strength.device))
    matrix = identity + each("brightness") * offset
    matrix = (identity + (2 ** (0.5 * each("contrast")) - 1) * only_color) @ matrix
    matrix = (identity - 2 * grey * (2 * each("lumaflip")).floor()) @ matrix
    if colorful:
        turn = _if(draws["hue"], strength, lambda u: (2 * u - 1) * math.pi)[..., None]
        # Rodrigues: around the axis of greys.
        a = 1 / math.sqrt(3)
        cross = torch.tensor([[0, -a, a, 0], [a, 0, -a, 0], [-a, a, 0, 0], [0, 0, 0, 0]], device=strength.device)
        across = only_color - grey
        matrix = (identity + turn.sin() * cross + (turn.cos() - 1) * across) @ matrix
        matrix = (identity + (2 ** each("saturation") - 1) * across) @ matrix
    return matrix


def recolor(images: Tensor, matrix: Tensor) -> Tensor:
    """images [B, C, H, W] by a matrix [B, 4, 4]; grey ones by the mean of its rows, alpha not at all."""
    if images.shape[1] < 3:
        gain, offset = matrix[:, :3, :3].sum(2).mean(1), matrix[:, :3, 3].mean(1)
        return images * gain[:, None, None, None] + offset[:, None, None, None]
    found = matrix[:, :3, :3] @ images[:, :3].flatten(2) + matrix[:, :3, 3:]
    return torch.cat([found.view(len(found), 3, *images.shape[2:]), images[:, 3:]], 1)


def _if(drawn: tuple[Tensor, Tensor], chance: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """A change's numbers [B, n] where it is done, 0 elsewhere."""
    value, gate = drawn
    changed = change(value)
    return torch.where(gate < chance, changed, torch.zeros_like(changed))


def _scaling(x: Tensor, y: Tensor) -> Tensor:
    """[B, 1] each -> [B, 3, 3]."""
    return torch.diag_embed(torch.cat([x, y, torch.ones_like(x)], 1))


def _rotation(angle: Tensor) -> Tensor:
    """[B, 1] -> [B, 3, 3]."""
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([cos, -sin, zero, sin, cos, zero, zero, zero, one], 1).view(-1, 3, 3)


def _translation(shift: Tensor) -> Tensor:
    """[B, 2] -> [B, 3, 3]."""
    corner = torch.eye(3, device=shift.device).expand(len(shift), 3, 3).clone()
    corner[:, :2, 2] = shift
    return corner
