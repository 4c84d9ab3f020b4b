"""What an item is: an image, a point, a sound, a row of a table. A modality says all that depends on it.

Letters in shapes: N items; what follows is an item's own shape, of any rank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy.typing as npt

from ganzoo.errors import GanzooError, UsageError

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image
    from torch import Tensor

    from ganzoo.contract.architecture import Architecture

Array = npt.NDArray[Any]


class Unreadable(GanzooError):
    """One item cannot be used; the text is the reason, without the item's name."""


@dataclass(frozen=True)
class NoOptions:
    """The options of a modality that has none."""


class Modality:
    """A kind of item. A `ModalityCard` names the subclass; an instance goes with one data set or model.

    A data set stores items (`read`, `read_all`), a pack keeps them as rows of numbers, an architecture trains on what
    `encode` makes of rows, and `decode` undoes that. What encoding must know, such as a column's mean, is `fit` on the
    training part once, and lies as JSON in run.json and in the model's file.

    Class attributes:
        Options: frozen dataclass of what `ganzoo data add --as NAME:option=value` takes.
        transforms: of ``"flip"`` and ``"crop"``, those that make sense.
        shown: items on a sheet; None for as many as `--samples` says.
        writes: endings of the files that hold many items, such as ``".csv"``;
            ``.png`` (a sheet) and ``.npy`` always go.
        fitted: whether `fit` looks at the rows.
        each: ending of the files of one item each, which `-o FOLDER` writes; "" where items are not written singly.

    Attributes:
        state: what `fit` gave.
        name, items: as its card says.
    """

    name = ""
    items = "items"
    Options: ClassVar[type] = NoOptions
    transforms: ClassVar[frozenset[str]] = frozenset()
    shown: ClassVar[int | None] = None
    writes: ClassVar[tuple[str, ...]] = ()
    each: ClassVar[str] = ""
    fitted: ClassVar[bool] = False

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state = dict(state)

    # ---- from files ---------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, data: bytes) -> tuple[Array, dict[str, Any]]:
        """The item in the bytes of a file of its own, and what the file says of it, such as ``{"rate": 16000}``.

        Raises: Unreadable.
        """
        raise Unreadable("is no file of one item")

    @classmethod
    def settle(cls, seen: Sequence[tuple[tuple[int, ...], Mapping[str, Any]]], options: Any) -> dict[str, Any]:
        """The details of a data set of such files, from each item's shape and what `read` said of it.

        Raises: UsageError when they do not go together.
        """
        return {}

    @classmethod
    def cut(cls, item: Array, details: Mapping[str, Any]) -> Array:
        """An item as the data set has it, float32: all of them have one shape."""
        return item

    @classmethod
    def read_all(cls, file: Path, options: Any) -> tuple[Array, dict[str, Any]]:
        """The items in a file of many, float32 [N, ...], and the data set's details, such as the names of columns.

        Raises: GanzooError.
        """
        raise UsageError(f"{file} is no file of many items.")

    @classmethod
    def describe(cls, details: Mapping[str, Any]) -> dict[str, str]:
        """What `ganzoo data show` says of a data set's details, by a word each."""
        return {}

    # ---- in numbers ---------------------------------------------------------------------------------------------

    @classmethod
    def fit(cls, rows: Array, details: Mapping[str, Any]) -> dict[str, Any]:
        """The state, plain JSON, from the rows [N, ...] to train on and the data set's details."""
        return dict(details)

    def encode(self, rows: Tensor) -> Tensor:
        """Rows [N, ...] of a pack -> items [N, ...] as an architecture sees them, float32."""
        return rows

    def decode(self, items: Tensor) -> Tensor:
        """Items as an architecture makes them -> rows as the data has them."""
        return items

    def clean(self, items: Tensor) -> Tensor:
        """An architecture's output within the items' range; part of what is exported."""
        return items

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each column of encoded items; () where that says nothing."""
        return tuple(self.state.get("mean", ()))

    @property
    def spread(self) -> tuple[float, ...]:
        """Standard deviation of each column of encoded items; () where that says nothing."""
        return tuple(self.state.get("spread", ()))

    @property
    def choices(self) -> tuple[tuple[int, int], ...]:
        """First and last + 1 of the columns, in encoded items, of which one is 1 and the others 0; for a softmax."""
        return ()

    def condition(self, count: int, label: str | int | None, random: torch.Generator) -> Tensor:
        """Labels [N, D] of an architecture that takes ``"choices"``: 1 where an encoded item must have it; drawn from
        `random` where `label` is None. Raises: UsageError when there is no such choice.
        """
        raise UsageError(f"Of {self.name}s nothing can be asked for; leave out --label.")

    # ---- for the eye and the ear --------------------------------------------------------------------------------

    def sheet(
        self,
        items: Tensor,
        columns: int | None = None,
        gap: int = 2,
        real: Tensor | None = None,
        model: Architecture | None = None,
    ) -> Image:
        """One picture of items [N, ...], in rows of `columns`; beside `real` ones where that helps the eye.

        Args:
            model: the architecture that made them, for modalities that show more of it.
        """
        raise NotImplementedError

    def sheet_of_real(self, items: Tensor) -> Image:
        """The same of real items alone."""
        return self.sheet(items)

    def save(self, items: Tensor, file: Path) -> None:
        """Writes items [N, ...] into a file with one of the endings `writes`, or one item if it ends with `each`."""
        raise NotImplementedError
