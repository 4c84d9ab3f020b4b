"""The page of pictures: what stands there of a run, and what may lie in docs."""

from __future__ import annotations

import re

from PIL import Image
from support.gallery import DOCS, write


def test_a_run_has_its_picture_command_and_time(finished, tmp_path):
    page = write([finished.path], tmp_path).read_text(encoding="utf-8")
    assert "## tinygan on tiny" in page
    assert "ganzoo train tinygan tiny --epochs 2 --" in page
    assert "96 images in " in page
    assert str(finished.path.parent) not in page
    with Image.open(tmp_path / "images" / "tinygan-tiny.webp") as picture:
        assert 500 < picture.width <= 1000


def test_the_page_in_docs_has_its_pictures_and_they_are_small():
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\((images/[^)]+)\)", page))
    there = {f"images/{file.name}" for file in (DOCS / "images").iterdir()}
    assert named == there
    assert sum(file.stat().st_size for file in (DOCS / "images").iterdir()) < 3_000_000
