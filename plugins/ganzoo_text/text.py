"""The modality of short lines of text: each place of a line is one letter of an alphabet, or its end.

Letters in shapes: N lines, A letters and the end, L places.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import one_hot

from ganzoo.api import Architecture, GanzooError, Modality, UsageError, option, read_text

LONGEST = 64  # letters of a line where nobody says how many
LETTERS = 255  # different ones, at the most
SIZE, WIDE, HIGH = 14, 9, 22  # of the sheet's letters in points, and of their cells in pixels


@dataclass(frozen=True)
class TextOptions:
    length: int | None = option(None, "letters of each line: longer ones are cut", low=1, high=1024)


class Text(Modality):
    """Rows [L] of the places of letters in the alphabet, 0 from the end on; encoded, one-of-many [A, L]."""

    Options = TextOptions
    shown: ClassVar = 64
    writes: ClassVar = (".txt",)

    @classmethod
    def read_all(cls, file: Path, options: TextOptions) -> tuple[NDArray[Any], dict[str, Any]]:
        """The lines of a file in UTF-8 or UTF-16 that are not empty, as rows float32 [N, L].

        Raises: GanzooError when it cannot be read, or is no such text; UsageError for lines or alphabets that are long.
        """
        try:
            text = read_text(file)
        except OSError as error:
            raise GanzooError(f"{file} cannot be read ({error.strerror}).") from error
        except ValueError as error:
            raise GanzooError(f"{file} {error}; save it as lines of text in UTF-8.") from error
        lines = [unicodedata.normalize("NFC", line.strip()) for line in text.splitlines()]
        lines = [line[: options.length] for line in lines if line]
        longest = max(map(len, lines), default=0)
        if longest > LONGEST and options.length is None:
            raise UsageError(
                f"The lines of {file} have up to {longest:,} letters; say how many to take of each, such as "
                f"--as text:length={LONGEST}."
            )
        alphabet = "".join(sorted(set("".join(lines))))
        if len(alphabet) > LETTERS:
            raise UsageError(f"{file} has {len(alphabet):,} different letters, more than {LETTERS}; use fewer.")
        details = {"alphabet": alphabet, "length": options.length or longest}
        return codes(lines, details), details

    @classmethod
    def describe(cls, details: Mapping[str, Any]) -> dict[str, str]:
        return {"lines": f"up to {details['length']} letters, of {len(details['alphabet'])} different ones"}

    def encode(self, rows: Tensor) -> Tensor:
        """[N, L] -> [N, A, L], float32."""
        return one_hot(rows.long(), len(self.state["alphabet"]) + 1).transpose(1, 2).float()

    def decode(self, items: Tensor) -> Tensor:
        """[N, A, L] -> [N, L]: the likeliest letters, up to the first end."""
        letters = items.argmax(1)
        return letters * (letters > 0).cumprod(1)

    def lines(self, items: Tensor) -> list[str]:
        """Items [N, A, L] as they are read."""
        letters = ["", *self.state["alphabet"]]
        return ["".join(letters[code] for code in row) for row in self.decode(items.detach().cpu()).int().tolist()]

    def save(self, items: Tensor, file: Path) -> None:
        file.write_text("".join(f"{line}\n" for line in self.lines(items)), encoding="utf-8")

    def sheet(
        self,
        items: Tensor,
        columns: int | None = None,
        gap: int = 2,
        real: Tensor | None = None,
        model: Architecture | None = None,
    ) -> Image.Image:
        """The lines in columns."""
        import matplotlib

        lines = self.lines(items)
        width = WIDE * max(len(line) for line in ["", *lines]) + 2 * WIDE
        columns = columns or max(1, round(math.sqrt(1.5 * len(lines) * HIGH / width)))
        down = math.ceil(len(lines) / columns)
        whole = Image.new("L", (columns * width + gap, down * HIGH + gap), 255)
        draw = ImageDraw.Draw(whole)
        font = ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSansMono.ttf", SIZE)
        for place, line in enumerate(lines):
            row, column = divmod(place, columns)
            draw.text((gap + column * width + WIDE, gap + row * HIGH), line, 30, font)
        return whole


def codes(lines: list[str], details: Mapping[str, Any]) -> NDArray[np.float32]:
    """Lines [N] -> the places of their letters in the alphabet, from 1, and 0 behind their end: [N, L]."""
    places = {letter: place for place, letter in enumerate(details["alphabet"], 1)}
    found = np.zeros((len(lines), details["length"]), np.float32)
    for row, line in zip(found, lines, strict=True):
        row[: len(line)] = [places[letter] for letter in line]
    return found
