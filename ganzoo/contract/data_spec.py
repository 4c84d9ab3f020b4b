"""What the data says of itself, and a batch of it.

Letters in shapes: B batch, C channels, H height, W width, D length of a vector, K columns of labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from ganzoo.errors import UsageError


@dataclass(frozen=True)
class DataSpec:
    """What the data says of itself, so that nobody types the image size twice.

    Attributes:
        shape: of one item: (C, H, W) for images, (D,) for points and rows of a table, (C, L) for signals.
        classes: label names, () when unlabelled; label i means classes[i].
        domains: names of the domains that take part in translation, () otherwise.
        class_shares: how often each class is in the data, in sum 1; () where all are alike, or it is not known.
        label: kind of the labels: "none", "class", "attributes" (0 or 1 in each column) or "numbers".
        label_names: columns of attributes or numbers.
        label_scale: (mean, spread) of each column in the data. `Batch.label` holds numbers as (number - mean) / spread;
            an attribute's mean is the share of the items that have it.
        shapes: domain -> shape of its items, where not all domains have `shape`, that of the first.
        paired: True when the domains' items belong together one by one.
        modality: what an item is, by its name in the catalogue: ``"image"``, ``"point"``, ``"signal"``, ``"table"`` …
            Vectors are points unless it is said.
        mean, spread: mean and standard deviation of each column of vectors; () where they say nothing.
        choices: first and last + 1 of the columns of which one is 1 and the others are 0, for a softmax.
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    modality: str = "image"
    mean: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()
    choices: tuple[tuple[int, int], ...] = ()
    label: str = ""
    label_names: tuple[str, ...] = ()
    label_scale: tuple[tuple[float, float], ...] = ()
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    paired: bool = False
    class_shares: tuple[float, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", "class" if self.classes else "none")
        if not self.label_scale:
            object.__setattr__(self, "label_scale", ((0.5 if self.label == "attributes" else 0.0, 1.0),) * self.columns)
        if self.modality == "image" and len(self.shape) == 1:
            object.__setattr__(self, "modality", "point")

    @property
    def columns(self) -> int:
        """K of labels [B, K]: how many attributes or numbers an item has; 0 for classes, and without labels."""
        return len(self.label_names)

    def shape_of(self, domain: str) -> tuple[int, ...]:
        """Of the items of one domain."""
        return self.shapes.get(domain, self.shape)

    def shape_before(self, to: str) -> tuple[int, ...]:
        """Of the items that are translated to a domain."""
        return self.shape_of(self.domain_before(to))

    def domain_before(self, to: str) -> str:
        """The domain that is translated to another: the first other one."""
        return next((name for name in self.domains if name != to), to)

    @property
    def channels(self) -> int:
        """Raises: UsageError when the items are no images, so that whoever asks refuses them."""
        return self._side(0)

    @property
    def height(self) -> int:
        """Raises: as `channels`."""
        return self._side(1)

    @property
    def width(self) -> int:
        """Raises: as `channels`."""
        return self._side(2)

    def _side(self, axis: int) -> int:
        if not self.is_image:
            raise UsageError(
                f"This architecture makes images, and an item of the data set is a {self.modality}; "
                "choose a data set of images, or another architecture."
            )
        return self.shape[axis]

    @property
    def is_image(self) -> bool:
        return self.modality == "image"


@dataclass
class Batch:
    """Real data: images [B, C, H, W] in [-1, 1] (or vectors [B, D]), and labels where the data has some.

    `label` is int64 [B] for classes, float [B, K] for attributes (0 or 1) and numbers (standardised by the mean and
    spread in `DataSpec.label_scale`).

    For translation `domains` maps each domain's name to its images, and `images` are those of the first.
    """

    images: Tensor
    label: Tensor | None = None
    domains: Mapping[str, Tensor] = field(default_factory=dict)
