"""What was measured, from docs/figures.toml to pages and cards: `PYTHONPATH=tests python -m support.figures`."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import mean, stdev
from typing import Any

TOP = Path(__file__).parents[2]
NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
REFERENCE = re.compile(r"\{([\w-]+)\.([\w*-]+)\.([^{}:#]+)(?:#(\d))?(?::([^{}]+))?\}")


class Figures:
    """The file, read."""

    def __init__(self, text: str | None = None):
        found = tomllib.loads((TOP / "docs" / "figures.toml").read_text(encoding="utf-8") if text is None else text)
        self.tables, self.sentences, self.cards = found["tables"], found["sentences"], found["cards"]

    def value(self, reference: re.Match[str]) -> str:
        """What a reference {TABLE.ROW.COLUMN} stands for."""
        table, wanted, column, which, form = reference.groups()
        place = self.tables[table]["columns"].index(column)
        rows = self.tables[table]["rows"]
        cells = [self.filled(rows[name][place]) for name in rows if fnmatchcase(name, wanted)]
        assert cells, f"no row {wanted} in the table {table}"
        numbers = [re.findall(NUMBER, cell)[int(which or 1) - 1] for cell in cells]
        if len(numbers) == 1 and form is None:
            return numbers[0]
        values = [float(number.replace(",", "")) for number in numbers]
        return f"{mean(values):.1f} ± {stdev(values):.1f}" if form == "±" else format(mean(values), form or ".1f")

    def filled(self, text: Any) -> str:
        """The text with each of its references replaced."""
        return REFERENCE.sub(self.value, str(text))

    def card(self, name: str) -> dict[str, Any]:
        """What a card says: its best score, minutes and machine."""
        said = {field: self.filled(value) for field, value in self.cards[name].items()}
        return {**said, "minutes": int(said["minutes"])}

    def texts(self) -> dict[Path, str]:
        """Each file that says a figure, as it should be."""
        shown = {name: table for name, table in self.tables.items() if "page" in table}
        pages = dict.fromkeys([*(table["page"] for table in shown.values()), *self.sentences])
        found = {TOP / page: (TOP / page).read_text(encoding="utf-8") for page in pages}
        seen: Counter[str] = Counter()
        for name, table in shown.items():
            lines = [table["columns"], *([self.filled(cell) for cell in row] for row in table["rows"].values())]
            assert len({len(line) for line in lines}) == 1, f"a row of {name} has more or fewer cells than columns"
            page, alike = table["page"], f"{table['page']} {table['columns']}"
            found[TOP / page] = _with_table(found[TOP / page], lines, seen[alike])
            seen[alike] += 1
        for page, sentences in self.sentences.items():
            for sentence in sentences:
                found[TOP / page] = self._with_sentence(found[TOP / page], sentence, page)
        for name in self.cards:
            file = TOP / "plugins" / f"ganzoo_{name.replace('-', '_')}" / "__init__.py"
            found[file] = _with_card(file.read_text(encoding="utf-8"), name, self.card(name))
        tutorial = TOP / "docs" / "plugins" / "dcgan.md"  # shows that plugin's source
        found[tutorial] = _with_card(tutorial.read_text(encoding="utf-8"), "dcgan", self.card("dcgan"))
        return found

    def _with_sentence(self, text: str, sentence: str, page: str) -> str:
        """The text with this sentence's numbers; lines may break anywhere in it."""
        pattern, last = "", 0
        references = list(REFERENCE.finditer(sentence))
        for reference in references:
            number = rf"{NUMBER}\s±\s{NUMBER}" if reference[5] == "±" else NUMBER
            pattern += f"({_broken(sentence[last : reference.start()])}){number}"
            last = reference.end()
        places = list(re.finditer(f"{pattern}({_broken(sentence[last:])})", text))
        assert len(places) == 1, f"{page} has this {len(places)} times, not once: {sentence}"
        values = [*(self.value(reference) for reference in references), ""]
        written = "".join(words + value for words, value in zip(places[0].groups(), values, strict=True))
        return text[: places[0].start()] + written + text[places[0].end() :]


def _broken(words: str) -> str:
    """A pattern of these words, wherever lines break."""
    return re.sub(r"(?:\\?\s)+", r"\\s+", re.escape(words))


def _with_table(text: str, lines: Sequence[Sequence[str]], before: int) -> str:
    """The text with other rows in its table of these columns, after as many others of the same columns."""
    rows = ["|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|" for line in lines]
    rows[1:1] = ["|" + "---|" * len(lines[0])]
    places = list(re.finditer(rf"^( *){re.escape(rows[0])}\n(?: *\|.*\n)+", text, re.M))
    assert len(places) > before, f"no table begins with {rows[0]}"
    place = places[before]
    return text[: place.start()] + "".join(f"{place[1]}{row}\n" for row in rows) + text[place.end() :]


def _with_card(text: str, name: str, said: Mapping[str, Any]) -> str:
    """The source with another best, other minutes and another machine in the card of this name."""
    start = text.index(f'name="{name}"')
    for field, value in said.items():
        written = f'"{value}"' if isinstance(value, str) else str(value)
        line = re.compile(rf"^( +){field}=.*,$", re.M)
        assert line.search(text, start), f"the card of {name} has no {field}"
        text = text[:start] + line.sub(lambda found: f"{found[1]}{field}={written},", text[start:], count=1)  # noqa: B023
    return text


if __name__ == "__main__":
    for file, text in Figures().texts().items():
        file.write_text(text, encoding="utf-8")
