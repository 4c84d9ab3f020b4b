"""Images from one domain to another, of any size, with an architecture that translates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate, pad
from torch.nn.modules.dropout import _DropoutNd

from ganzoo.contract.architecture import Architecture
from ganzoo.contract.distributed import share
from ganzoo.contract.networks import is_generator, networks
from ganzoo.contract.randomness import restore_shared, seed_everything, shared_state
from ganzoo.devices import out_of_memory
from ganzoo.errors import GanzooError, UsageError
from ganzoo.pictures.grid import grid

if TYPE_CHECKING:
    from ganzoo.model.model import Model

PIXELS = 2**20  # that go through the networks at a time


def targets(architecture: Architecture) -> tuple[str, ...]:
    """The domains that an architecture translates to; () where it does not translate."""
    if not architecture.abilities.translate:
        return ()
    return architecture.data.domains if architecture.targets is None else architecture.targets


def to_labels(architecture: Architecture) -> bool:
    """Whether it translates to labels, since its data has these in place of domains."""
    able = architecture.abilities
    return able.translate and bool(able.labels) and not targets(architecture)


def by_encoder(architecture: Architecture) -> bool:
    """Whether images get another label by their latents: what the encoder finds is made again with that label."""
    able = architecture.abilities
    return able.encode and able.generate and bool(able.labels) and not able.translate


@torch.no_grad()
def through(architecture: Architecture, images: Tensor, to: str | Tensor, seed: int = 0, first: int = 0) -> Tensor:
    """Images [N, C, H, W] in [-1, 1], of any size, translated to a domain: [N, C, H, W] in [-1, 1] on the CPU, their
    sides in the proportion that the domains have.

    Args:
        to: the domain, or one label as `Batch.label` has it, [1] or [1, K].
        seed: of the dropout that stays on in use, where it does; an image's is drawn from the seed and its position.
        first: the position of the first of the images.
    Raises:
        UsageError: they have other channels than the model, or are too small.
        GanzooError: they are too large for the memory.
    """
    data = architecture.data
    channels = (data.shape if isinstance(to, Tensor) else data.shape_before(to))[0]
    if images.dim() != 4 or images.shape[1] != channels:
        raise UsageError(f"Images to translate must be [N, {channels}, H, W], not {list(images.shape)}.")
    device, dropout = architecture.device, architecture.abilities.dropout
    at_a_time = 1 if dropout else max(1, PIXELS // max(1, images.shape[2] * images.shape[3]))

    def translated(piece: tuple[int, Tensor]) -> Tensor:
        position, part = piece
        if dropout:
            seed_everything("translate", seed, position)
        goal = to.to(device).expand(len(part), *to.shape[1:]) if isinstance(to, Tensor) else to
        return _fitted(architecture, part.to(device), goal)

    try:
        with _dropping(architecture) if dropout else nullcontext():
            parts = list(share(translated, enumerate(torch.split(images, at_a_time), first)))
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise GanzooError(
            f"An image of {images.shape[3]}×{images.shape[2]} pixels takes more memory than the "
            f"{architecture.device.type} has; scale it down, or choose another --device."
        ) from error
    return torch.cat(parts).clamp(-1, 1)


def dropouts(architecture: Architecture) -> list[_DropoutNd]:
    """The dropout modules of the generators."""
    generators = [net for name, net in networks(architecture).items() if is_generator(architecture, name)]
    return [module for net in generators for module in net.modules() if isinstance(module, _DropoutNd)]


@contextmanager
def _dropping(architecture: Architecture) -> Iterator[None]:
    """Within it the generators' dropout is on; after it the shared random streams are where they were."""
    modules, before = dropouts(architecture), shared_state(architecture.device)
    try:
        for module in modules:
            module.train()
        yield
    finally:
        for module in modules:
            module.eval()
        restore_shared(before, architecture.device)


def check_size(architecture: Architecture, height: int, width: int) -> None:
    """Raises: UsageError when an image of this size is too small to be translated."""
    least = max(architecture.smallest_side, architecture.side_multiple or 1)
    if min(height, width) < least:
        raise UsageError(
            f"An image of {width}×{height} pixels is too small; "
            f"{type(architecture).__name__} translates images of {least} pixels or more a side."
        )


def _fitted(architecture: Architecture, images: Tensor, to: Any) -> Tensor:
    """The architecture's `translate`, whatever the sides."""
    height, width = images.shape[2:]
    check_size(architecture, height, width)
    multiple, data = architecture.side_multiple, architecture.data
    if by_encoder(architecture):
        given = _scaled(images, (data.height, data.width))
        return _scaled(architecture.generate(architecture.encode(given), to).float().cpu(), (height, width))
    before, after = (data.shape, data.shape) if isinstance(to, Tensor) else (data.shape_before(to), data.shape_of(to))
    tall, wide = height * after[1] // before[1], width * after[2] // before[2]  # in proportion, as the domains are
    if multiple is None:
        return _scaled(architecture.translate(_scaled(images, before[1:]), to).float().cpu(), (tall, wide))
    padded = pad(images, (0, -width % multiple, 0, -height % multiple), mode="reflect")
    return architecture.translate(padded, to)[:, :, :tall, :wide].float().cpu()


def _scaled(images: Tensor, size: Sequence[int]) -> Tensor:
    if tuple(images.shape[2:]) == tuple(size):
        return images
    return interpolate(images, tuple(size), mode="bicubic", align_corners=False, antialias=True)


def there_and_back(
    model: Model, reals: Mapping[str, Tensor], columns: int, seed: int = 0
) -> tuple[Image.Image, list[str]]:
    """A sheet of three rows a domain: real images, translated to the next domain, and back; of what it translates to.
    Beside it what the rows are called.

    Args:
        reals: by domain, images [N, C, H, W] in [-1, 1], of which the first `columns` are shown, cut to the middle.
        seed: as `Model.translate` takes it.
    """
    columns = min(columns, *(len(images) for images in reals.values()))
    rows: list[Tensor] = []
    names: list[str] = []
    domains, within = model.architecture.data.domains, targets(model.architecture)
    for number, name in enumerate(domains):
        real = _middle(reals[name][:columns], *model.architecture.data.shape_of(name)[1:])
        to = domains[(number + 1) % len(domains)]
        if to not in within:
            continue
        there = model.translate(real, to, seed)
        rows += [real, there, *([model.translate(there, name, seed)] if name in within else [])]
        names += [name, f"→ {to}", *([f"→ {name}"] if name in within else [])]
    most, *largest = (max(sides) for sides in zip(*(images.shape[1:] for images in rows), strict=True))
    alike = [interpolate(images, tuple(largest)) for images in rows]  # small ones enlarged, pixel by pixel
    return grid(torch.cat([images.expand(-1, most, -1, -1) for images in alike]), columns), names


def to_each_label(architecture: Architecture, real: Tensor, columns: int) -> tuple[Image.Image, list[str]]:
    """A sheet of real images [N, C, H, W] in a row, and a row of them translated to each class; of attributes, to none
    and to each of them alone. Beside it what the rows are called.
    """
    data = architecture.data
    labels = torch.eye(data.columns + 1, data.columns).roll(1, 0) if data.columns else torch.arange(len(data.classes))
    shown = real[:columns]
    rows = [shown, *(through(architecture, shown, label[None]) for label in labels)]
    names = ["none", *data.label_names] if data.columns else data.classes
    return grid(torch.cat(rows), len(shown)), ["real", *(f"→ {name}" for name in names)]


def _middle(images: Tensor, height: int, width: int) -> Tensor:
    top, left = (images.shape[2] - height) // 2, (images.shape[3] - width) // 2
    return images[:, :, top : top + height, left : left + width]
