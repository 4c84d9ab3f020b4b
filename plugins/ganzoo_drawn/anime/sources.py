"""The data sets of faces, as ganzoo reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Literal

from PIL import Image, ImageChops, ImageFilter

from ganzoo.api import UsageError, option
from ganzoo_drawn.anime import palette, params, portrait

VERSION = 1  # of the drawing: raised whenever the same options draw other pictures
SIDE = 64  # pixels, when no size is asked
EDGE = (32, 4)  # difference of neighbours, of 255, at which an edge begins to show, and how fast it darkens


def _stream(kind: str, seed: int, index: int) -> Random:
    """The lots for `kind` of thing in picture `index`; the same on every machine."""
    return Random(f"{kind}:{seed}:{index}")


def _side(size: tuple[int, int] | None) -> int:
    return SIDE if size is None else max(size)


@dataclass(frozen=True)
class Anime:
    """Anime-style faces, labelled by the hair's colour."""

    images: int = option(8192, "how many faces", low=1)
    seed: int = option(0, "another seed draws other faces", low=0)
    hair: str = option("", "only these hair colours, joined by +, as in hair=black+brown; empty: all ten")

    def __post_init__(self) -> None:
        if self.images < 1:
            raise UsageError(f"anime cannot draw {self.images} images; ask for at least one, as in anime:images=8192.")
        unknown = [name for name in self.hair.split("+") if name not in palette.FAMILIES]
        if self.hair and unknown:
            raise UsageError(f'anime has no hair "{unknown[0]}"; ask for some of {", ".join(palette.FAMILIES)}.')

    @property
    def classes(self) -> tuple[str, ...]:
        """The hair colours, in the palette's order whatever order they are asked in."""
        asked = self.hair.split("+") if self.hair else palette.FAMILIES
        return tuple(family for family in palette.FAMILIES if family in asked)

    def __len__(self) -> int:
        return self.images

    def stream(self, kind: str, index: int) -> Random:
        """The lots that picture `index` draws for its "face" or its "hair"."""
        return _stream(kind, self.seed, index)

    def label(self, index: int) -> int:
        """The hair's colour, as a place in `classes`; nothing is drawn."""
        return palette.pick_family(self.stream("hair", index), len(self.classes))

    def read(self, index: int, size: tuple[int, int] | None = None) -> Image.Image:
        """Face `index`, RGB and square; its side is the larger of `size` (height, width), or 64 pixels."""
        face = params.pick_face(self.stream("face", index))
        return portrait.draw(face, palette.pick_hair(self.stream("hair", index), self.classes), _side(size))

    @property
    def fingerprint(self) -> str:
        """Changes whenever the pictures do."""
        return f"anime-v{VERSION}:{self.images}:{self.seed}" + (f":{'+'.join(self.classes)}" if self.hair else "")

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        """None: this is one set of faces."""
        return {}


@dataclass(frozen=True)
class AnimeHair:
    """Faces with dark hair (domain A, the first half) and other faces with bright hair (B), otherwise alike.

    A dark colour has one bright counterpart of the same hue, so the right translation of a face is known: `partner`.
    With `paired` the k-th faces of both domains are the same face, for architectures that learn from pairs.
    """

    images: int = option(8192, "how many faces, half of them in each domain", low=2)
    seed: int = option(0, "another seed draws other faces", low=0)
    split: Literal["train", "test"] = option("train", "test: faces that are never in train")
    paired: bool = option(False, "the k-th faces of both domains are the same face")

    classes: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        _check_halves("anime-hair", self.images, self.split)

    def __len__(self) -> int:
        return self.images

    def label(self, index: int) -> int:
        """Always -1, none: this set has domains, not labels."""
        return -1

    def read(self, index: int, size: tuple[int, int] | None = None) -> Image.Image:
        """Face `index`, RGB and square; its side is the larger of `size` (height, width), or 64 pixels."""
        return self._draw(index, bright=index >= self.images // 2, size=size)

    def partner(self, index: int, size: tuple[int, int] | None = None) -> Image.Image:
        """Face `index` with the other domain's hair: the true answer, which training never sees."""
        return self._draw(index, bright=index < self.images // 2, size=size)

    def _draw(self, index: int, bright: bool, size: tuple[int, int] | None) -> Image.Image:
        kind = f"anime-hair:{self.split}"
        index %= self.images // 2 if self.paired else self.images
        face = params.pick_face(_stream(f"{kind}:face", self.seed, index))
        pair = palette.pick_hair_pair(_stream(f"{kind}:hair", self.seed, index))
        return portrait.draw(face, pair[bright], _side(size))

    @property
    def fingerprint(self) -> str:
        """Changes whenever the pictures do."""
        return f"anime-hair-v{VERSION}:{self.images}:{self.seed}:{self.split}" + (":paired" if self.paired else "")

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        """Which items have dark hair (A) and which bright hair (B)."""
        half = self.images // 2
        return {"A": range(half), "B": range(half, self.images)}


@dataclass(frozen=True)
class AnimeEdges:
    """Pairs: a face in colour (the first half of the items, domain "faces") and its edges, black on white ("edges")."""

    images: int = option(8192, "how many pictures, half of them in each domain", low=2)
    seed: int = option(0, "another seed draws other faces", low=0)
    split: Literal["train", "test"] = option("train", "test: faces that are never in train")

    classes: ClassVar[tuple[str, ...]] = ()
    paired: ClassVar[bool] = True
    domain_channels: ClassVar[Mapping[str, int]] = {"edges": 1, "faces": 3}

    def __post_init__(self) -> None:
        _check_halves("anime-edges", self.images, self.split)

    def __len__(self) -> int:
        return self.images

    def label(self, index: int) -> int:
        """Always -1, none: this set has domains, not labels."""
        return -1

    def read(self, index: int, size: tuple[int, int] | None = None) -> Image.Image:
        """Picture `index`, square, of the larger of `size` (height, width), or 64 pixels: RGB, or grey for edges."""
        half = self.images // 2
        return self._face(index, size) if index < half else self._edges(index - half, size)

    def partner(self, index: int, size: tuple[int, int] | None = None) -> Image.Image:
        """What belongs to picture `index`: the edges of a face, the face of edges."""
        half = self.images // 2
        return self._edges(index, size) if index < half else self._face(index - half, size)

    def _face(self, number: int, size: tuple[int, int] | None, times: int = 1) -> Image.Image:
        kind = f"anime-edges:{self.split}"
        face = params.pick_face(_stream(f"{kind}:face", self.seed, number))
        hair = palette.pick_hair(_stream(f"{kind}:hair", self.seed, number))
        return portrait.draw(face, hair, times * _side(size))

    def _edges(self, number: int, size: tuple[int, int] | None) -> Image.Image:
        """Where neighbouring pixels of the face, drawn twice as large, differ in any colour."""
        large = self._face(number, size, 2)
        change = ImageChops.subtract(large.filter(ImageFilter.MaxFilter(3)), large.filter(ImageFilter.MinFilter(3)))
        red, green, blue = change.split()
        strongest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        return strongest.point([255 - min(255, max(0, EDGE[1] * (step - EDGE[0]))) for step in range(256)]).reduce(2)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the pictures do."""
        return f"anime-edges-v{VERSION}:{self.images}:{self.seed}:{self.split}"

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        """Edges, which a translator makes faces of unless it is told otherwise, and faces; the k-th are a pair."""
        half = self.images // 2
        return {"edges": range(half, self.images), "faces": range(half)}


@dataclass(frozen=True)
class AnimeFamilies:
    """Faces in several domains, one for each family of hair colours, all of different people.

    The right translation of a face to any of them is known: `partner`. It keeps the face, and the hair's place within
    its family.
    """

    images: int = option(8192, "how many faces, of all domains together", low=4)
    seed: int = option(0, "another seed draws other faces", low=0)
    hair: str = option("black+blond+pink+blue", "the domains: hair colours, joined by +")
    split: Literal["train", "test"] = option("train", "test: faces that are never in train")

    classes: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        unknown = [name for name in self.families if name not in palette.FAMILIES]
        if unknown or not 2 <= len({*self.families}) == len(self.families):
            raise UsageError(
                f'anime-families cannot take hair "{self.hair}"; ask for two or more different ones of '
                f"{', '.join(palette.FAMILIES)}, joined by +."
            )
        if self.images < 2 * len(self.families):
            raise UsageError(f"anime-families cannot draw {self.images} images; ask for two or more of each domain.")
        _check_split("anime-families", self.split)

    @property
    def families(self) -> tuple[str, ...]:
        """The domains' names, in the order asked."""
        return tuple(self.hair.split("+"))

    def __len__(self) -> int:
        return self.images

    def label(self, index: int) -> int:
        """Always -1, none: this set has domains, not labels."""
        return -1

    def read(self, index: int, size: tuple[int, int] | None = None) -> Image.Image:
        """Face `index`, RGB and square; its side is the larger of `size` (height, width), or 64 pixels."""
        return self.partner(index, size, self.families[index % len(self.families)])

    def partner(self, index: int, size: tuple[int, int] | None, to: str) -> Image.Image:
        """Face `index` with hair of the family `to`: the true answer, which training never sees."""
        kind = f"anime-families:{self.split}"
        face = params.pick_face(_stream(f"{kind}:face", self.seed, index))
        hair = palette.pick_hair(_stream(f"{kind}:hair", self.seed, index), (to,))
        return portrait.draw(face, hair, _side(size))

    @property
    def fingerprint(self) -> str:
        """Changes whenever the pictures do."""
        return f"anime-families-v{VERSION}:{self.images}:{self.seed}:{self.hair}:{self.split}"

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        """Every so many'th face, by its hair."""
        return {name: range(place, self.images, len(self.families)) for place, name in enumerate(self.families)}


def _check_halves(name: str, images: int, split: str) -> None:
    """Raises: UsageError for an odd number of pictures, or a split that there is not."""
    if images < 2 or images % 2:
        raise UsageError(f"{name} cannot halve {images} images into two domains; ask for an even number, 2 or more.")
    _check_split(name, split)


def _check_split(name: str, split: str) -> None:
    if split not in ("train", "test"):
        raise UsageError(f'{name} has no split "{split}"; ask for split=train or split=test.')
