"""Reading the documentation, for the tests: its pages, the code they show, their prose."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", *(ROOT / "plugins").glob("*/README.md")])
GUIDE = ROOT / "docs" / "plugins"
FENCE = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", re.M | re.S)


def pages() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """Language, title and text of each fenced block."""
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [(language, (re.findall(r'title="(.*?)"', rest) or [""])[0], text) for language, rest, text in found]


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def guide(page: str) -> str:
    """The text of a page of the plugin guide, "reference"."""
    return (GUIDE / f"{page}.md").read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """What stands below a heading of the plugin guide, up to the next one of its level."""
    (text,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", guide(page), re.M | re.S)
    return str(text)


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables in a text, without their headings."""
    found: list[list[str]] = []
    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.M):
        lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]
        found += [[cell.strip("| ") for cell in line] for line in lines[2:]]
    return found


def parts() -> dict[str, list[str]]:
    """The blocks of the plugin guide that have a title, in order, by the title."""
    found: dict[str, list[str]] = {}
    for page in sorted(GUIDE.glob("*.md")):
        for _, title, text in blocks(page):
            found.setdefault(title, []).append(text)
    return found


def shown(title: str) -> str:
    """A file that the plugin guide shows, whole."""
    return "\n\n".join(parts()[title])


def shown_files() -> dict[str, str]:
    """Every plugin that the guide shows as a file of its own, by the file's name."""
    return {title: shown(title) for title in parts() if title.endswith(".py") and "/" not in title}
