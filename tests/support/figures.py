"""What was measured, from docs/figures.toml to pages and cards: `PYTHONPATH=tests python -m support.figures`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[2]
DIGITS = (
    "run", "pretrained", "seed", "time on one core", "at", "confident", "digits", "rarest", "FD-classifier", "goal",
)  # fmt: skip
LATER = (*DIGITS[:3], "minutes", *DIGITS[4:])
EXPECT = ("command", "time", "confident")
NUMBERS = ("two", "three", "four", "five")


def figures() -> dict[str, Any]:
    return tomllib.loads((TOP / "docs" / "figures.toml").read_text(encoding="utf-8"))


def texts(known: Mapping[str, Any]) -> dict[Path, str]:
    """Each file that says a figure, as it should be."""
    found = {
        TOP / "docs" / "results.md": lambda text: _with_table(
            _with_table(text, DIGITS, _digits(known["digits"])), LATER, _digits(known["later"])
        ),
        TOP / "README.md": lambda text: _with_table(text, EXPECT, _expected(known)),
    }
    for name in known["cards"]:
        file = TOP / "plugins" / f"ganzoo_{name.replace('-', '_')}" / "__init__.py"
        found[file] = lambda text, name=name: _with_card(text, name, card(known, name))
    tutorial = TOP / "docs" / "plugins" / "dcgan.md"  # shows that plugin's source
    found[tutorial] = lambda text: _with_card(text, "dcgan", card(known, "dcgan"))
    return {file: change(file.read_text(encoding="utf-8")) for file, change in found.items()}


def card(known: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What a card says: its best, of the tables of digits where it is not said, with minutes and machine."""
    said = known["cards"][name]
    shares = [row["confident"] for row in (*known["digits"], *known["later"]) if row["run"] == name]
    return {"best": f"{max(shares, default=0)} % confident (MNIST)", **said}


def _digits(rows: Sequence[Mapping[str, Any]]) -> Iterable[Sequence[str]]:
    """A run and what else is as in the row above stand once."""
    before: list[Any] = []
    for row in rows:
        who = [f"`{row['run']}`{row.get('with', '')}", row["pretrained"], str(row["seed"])]
        new = ["", "", "" if who == before else who[2]] if who[:2] == before[:2] else who
        sure, rare = f"{row['confident']} %{row.get('note', '')}", f"{row['rarest']} %"
        yield *new, row["time"], row["at"], sure, str(row["digits"]), rare, str(row["distance"]), row["goal"]
        before = who


def _expected(known: Mapping[str, Any]) -> Iterable[Sequence[str]]:
    """What each command ends at, of several seeds their mean."""
    for each in known["expect"]:
        ends = {row["seed"]: row["confident"] for row in known["digits"] if row["run"] == each["run"]}
        seeds = f" ({NUMBERS[len(ends) - 2]} seeds)" if len(ends) > 1 else ""
        minutes = card(known, each["run"])["minutes"]
        yield f"`{each['command']}`", f"{minutes} min", f"{sum(ends.values()) / len(ends):.1f} %{seeds}"


def _with_table(text: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The text with other rows in its table of these columns."""
    lines = [columns, ["---"] * len(columns), *rows]
    table = ["|" + "|".join(f" {cell} " if cell else " " for cell in row) + "|" for row in lines]
    table[1] = "|" + "---|" * len(columns)
    start = text.index(table[0] + "\n")
    return text[:start] + "\n".join(table) + text[text.index("\n\n", start) :]


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
    for file, text in texts(figures()).items():
        file.write_text(text, encoding="utf-8")
