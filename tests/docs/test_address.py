"""What pip installs ganzoo from is written in one place; every page says the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ganzoo.about import ADDRESS

HERE = Path(__file__).parents[2]
PAGES = ("README.md", "docs/getting-started.md", "docs/quickstart.ipynb", "docs/plugins/publishing.md")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_installs_from_the_address(page):
    assert ADDRESS in (HERE / page).read_text(encoding="utf-8")


def test_no_page_names_another():
    pages = [HERE / "README.md", *(HERE / "docs").rglob("*.md"), *(HERE / "docs").rglob("*.ipynb")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert set(re.findall(r"git\+https://[\w./-]+/ganzoo\b(?!-)", text)) == {ADDRESS}
