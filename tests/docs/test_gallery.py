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


def test_other_runs_keep_their_sections(finished, tmp_path):
    page = write([], tmp_path)
    other = "## gan on other\n\n![Samples](images/gan-other.webp)\n\n```sh\nganzoo list\n```\n\n9 images.\n"
    page.write_text(page.read_text(encoding="utf-8") + "\n" + other, encoding="utf-8")
    write([finished.path], tmp_path)
    assert page.read_text(encoding="utf-8").count(other) == 1
    whole = page.read_text(encoding="utf-8")
    write([finished.path], tmp_path)
    assert page.read_text(encoding="utf-8") == whole, "once more is the same page"


def test_the_page_in_docs_has_its_pictures_and_they_are_small():
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\((images/[^)]+)\)", page))
    there = {f"images/{file.name}" for file in (DOCS / "images").iterdir()}
    assert named == there
    assert sum(file.stat().st_size for file in (DOCS / "images").iterdir()) < 3_000_000
