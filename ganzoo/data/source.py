"""What a data set is: raw items, their labels and domains. Nothing on this path imports torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from ganzoo.contract.report import Report as Report
from ganzoo.data.images import Fit, has_alpha, is_grey
from ganzoo.errors import UsageError, suggest

HELD_OUT = "test"  # domains whose names begin so are not trained on
Item = Image.Image | npt.NDArray[Any]  # an image, its pixels uint8 [H, W] or [H, W, C], or a float32 vector [D]


class Source(Protocol):
    """A data set as stored or drawn.

    A source that is not scanned beforehand (a plugin's) has images of one size. It may have an attribute
    ``shape``, (channels, height, width), which is then read instead of its first image; ``paired = True`` when the
    k-th items of all domains belong together; and a method ``partner(index, size)`` that gives item `index` as it
    would be in the other domain, or with more than two ``partner(index, size, to)``, which makes the translation
    scores possible that compare with the truth.

    A source of neither images nor vectors has an attribute ``modality``, the name of what its items are, and may have
    ``details``, what that modality should know of all of them: ``{"rate": 16000}`` of sounds, the columns of a table.

    One without domains may have ``held_out``, the items that are kept for scoring and not trained on.

    Where its domains differ in channels, ``domain_channels`` says them: ``{"A": 1, "B": 3}``; where in size,
    ``domain_sizes`` says each one's height and width: ``{"A": (32, 32), "B": (64, 64)}``.

    What holds images of several sizes, or opens files to read them, says so by `holds`, `in_memory`,
    `check_unchanged` and `to_reopen`, as `ganzoo.data.added.Added` does.

    One whose labels are no classes has attributes ``label_kind``, "attributes" (0 or 1) or "numbers", and
    ``label_names``, its columns; `label` then gives an item's row of them.

    Attributes:
        classes: label names; () when there are none.
    """

    @property
    def classes(self) -> tuple[str, ...]: ...

    def __len__(self) -> int: ...

    def label(self, index: int) -> int:
        """The position in `classes` of item `index`; -1 when it has none."""

    def read(self, index: int, size: tuple[int, int] | None = None) -> Item:
        """Item `index`: an image as stored, or float32 numbers: a vector [D], a sound [C, L], a row of a table.

        `size` is (height, width), a hint to sources that draw; others leave the resizing to the pack.
        """

    @property
    def fingerprint(self) -> str:
        """Changes when any item does."""

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        """Domain name -> indices of its items; {} when there is one kind of image only.

        Domains whose names begin with "test" are kept apart and not trained on.
        """


@dataclass(frozen=True)
class Traits:
    """What a source may say of itself by attributes of these names, and what holds where it does not."""

    paired: bool = False
    held_out: Sequence[int] = ()
    label_kind: str = ""
    label_names: Sequence[str] = ()
    domain_channels: Mapping[str, int] = field(default_factory=dict)
    domain_sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


def traits_of(source: Source) -> Traits:
    """The optional attributes of a source."""
    names = (each.name for each in fields(Traits))
    return Traits(**{name: getattr(source, name) for name in names if hasattr(source, name)})


@dataclass(frozen=True)
class Holdings:
    """What a source has.

    Attributes:
        channels: of its images; None where its items are none.
        sizes: (height, width) of each image; only one when all are alike, none where they are no images.
        fit: how an image becomes one of another shape.
    """

    channels: int | None
    sizes: Sequence[tuple[int, int]] = ()
    fit: Fit = "crop"


def holdings(source: Source, size: tuple[int, int] | None = None, first: int = 0) -> Holdings:
    """What its method `holds` says; of one without, all items are as the `first` one is, drawn at this size."""
    if hasattr(source, "holds"):
        said: Holdings = source.holds()
        return said
    if getattr(source, "modality", "image") != "image":
        return Holdings(None)
    shape: Sequence[int] = getattr(source, "shape", None) or ()
    if size is None and len(shape) == 3:
        return Holdings(shape[0], [(shape[1], shape[2])])
    item = source.read(0) if size is None else source.read(first, size)
    if is_vector(item):
        return Holdings(None)
    image = as_image(item)
    return Holdings(1 if is_grey(image) else 4 if has_alpha(image) else 3, [(image.height, image.width)])


def domains_of(source: Source, name: str, chosen: Sequence[str] = ()) -> Mapping[str, Sequence[int]]:
    """The domains of a source that take part, with the items held out of them; of one without domains, its classes.

    Args:
        name: the data set's, for the error.
        chosen: in the order wanted; () for all domains, and for none of what has classes only.
    Raises: UsageError when there is no such domain, or it is named twice.
    """
    known: Mapping[str, Sequence[int]] = source.domains
    if not chosen:
        return known
    if not known and source.classes:
        known = _classes_as_domains(source)
    check_chosen(chosen, trained_on(known), name)
    held_out = [f"{HELD_OUT}{domain}" for domain in chosen]
    return {domain: known[domain] for domain in (*chosen, *held_out) if domain in known}


def _classes_as_domains(source: Source) -> dict[str, list[int]]:
    held_out = {*traits_of(source).held_out}
    domains: dict[str, list[int]] = {name: [] for name in source.classes}
    for index in range(len(source)):
        if (label := source.label(index)) >= 0:
            name = source.classes[label]
            domains.setdefault(f"{HELD_OUT}{name}" if index in held_out else name, []).append(index)
    return domains


Sizes = Mapping[str, tuple[int, int]]  # domain -> height and width, of which only the proportions count


def size_in(domain: str, size: tuple[int, int], sizes: Sizes) -> tuple[int, int]:
    """Height and width in a domain where those of the first of `sizes` are `size`; that itself where none are said."""
    name = domain.removeprefix(HELD_OUT)
    if name not in sizes:
        return size
    first, own = next(iter(sizes.values())), sizes[name]
    return round(size[0] * own[0] / first[0]), round(size[1] * own[1] / first[1])


def check_chosen(chosen: Sequence[str], known: Sequence[str], name: str) -> None:
    """Raises: UsageError when the domains chosen of a data set are not two or more of those it has."""
    if not known:
        raise UsageError(f"The data set {name} has no domains and no classes to choose from; leave out --domains.")
    for domain in chosen:
        if domain not in known:
            raise UsageError(f"The data set {name} has no domain {domain!r}; {suggest(domain, known)}")
    if len(set(chosen)) < max(2, len(chosen)):
        raise UsageError(f"--domains takes two or more different ones of {', '.join(known)}.")


def trained_on(domains: Iterable[str]) -> tuple[str, ...]:
    """Those of the domains that are not held out."""
    return tuple(domain for domain in domains if not domain.startswith(HELD_OUT))


def as_image(item: Item) -> Image.Image:
    """`item` as an image; a plugin may also hand out pixels, uint8 [H, W] or [H, W, C]."""
    return item if isinstance(item, Image.Image) else Image.fromarray(item)


def modality_of(source: Source) -> str:
    """What its items are, by the name of a modality: what it says, else images, or points where they are vectors."""
    said = getattr(source, "modality", "")
    return str(said) or ("point" if is_vector(source.read(0)) else "image")


def is_vector(item: Item) -> bool:
    """True when `item` is a vector [D], not an image."""
    return isinstance(item, np.ndarray) and item.ndim == 1
