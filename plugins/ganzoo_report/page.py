"""The page: facts and pictures of runs put into one HTML file that needs no other."""

from __future__ import annotations

import base64
import dataclasses
import gzip
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from ganzoo.api import Report, Run, need, silent
from ganzoo_report import sections
from ganzoo_report.album import Album
from ganzoo_report.record import panels
from ganzoo_report.story import Moment, Story, facts, items_of_all, tell
from ganzoo_report.words import Html, html, json_in_html

LIMIT = 8_000_000  # bytes of a page, unless it is written in full
RESERVE = 20_000  # of them, for what is not counted exactly
# What the browser lets the page do: nothing but what is in it; of a page that is served, what its server has too.
POLICY = "default-src 'none'; img-src data: blob: 'self'; media-src data:; style-src 'unsafe-inline'; "
ALONE = "script-src 'unsafe-inline'"
SERVED = "script-src 'unsafe-inline' 'self'; connect-src 'self'"


def page(runs: Sequence[Run], full: bool = False, report: Report = silent) -> str:
    """The page of these runs, in one file. Raises: GanzooError when plotly is not installed."""
    packed = base64.b64encode(gzip.compress(charts().encode(), mtime=0)).decode()  # a third of it; browsers unpack it
    script = Html(f'<script type="text/plain" id="charts">{packed}</script>')
    album, stories = gather(runs, full, report=report)
    told = tell_script(stories, full)
    empty = whole(stories, told, script)
    room = None if full else (LIMIT - RESERVE - len(empty.encode())) * 3 // 4 - 30 * len(album.pictures)
    pictures = album.encode(room)
    if not full and album.share < 1:
        stories[0].left_out.append(
            f"The pictures are scaled to {album.share:.0%} of their sides, so that the page has 8 MB at most; "
            "--full takes them as they are."
        )
    told["pictures"] = [f"data:image/webp;base64,{base64.b64encode(each).decode()}" for each in pictures]
    return whole(stories, told, script)


def gather(runs: Sequence[Run], full: bool, quick: bool = False, report: Report = silent) -> tuple[Album, list[Story]]:
    """The pictures and what is told of the runs; unless it is to be quick, with what their models make."""
    from ganzoo_report.made import make  # now: it loads torch

    album = Album()
    stories = [tell(run, f"r{number}", album, full) for number, run in enumerate(runs)]
    for story in stories:
        make(story, album, quick, report)
    return album, stories


def tell_script(stories: Sequence[Story], full: bool) -> dict[str, Any]:
    """What the page's script is told."""
    told: dict[str, Any] = {"runs": [facts(story, full) for story in stories], "series": _series(stories)}
    told["items"] = items_of_all(stories)
    told["positions"] = _positions(stories)
    told["grids"] = {story.sheet: dataclasses.astuple(story.grid) for story in stories if story.grid}
    told["panels"] = panels(
        list(dict.fromkeys(name for each in told["runs"] for name in each["columns"])), told["items"]
    )
    return told


def charts() -> str:
    """The code of plotly.js. Raises: GanzooError when plotly is not installed."""
    code: str = need("plotly.offline", "plotly", "ganzoo report", "report").get_plotlyjs()
    return code


def _series(stories: Sequence[Story]) -> dict[str, list[list[Any]]]:
    return {
        name: [[each.images, each.picture, each.words] for each in moments]
        for story in stories
        for name, moments in story.series.items()
    }


def _positions(stories: Sequence[Story]) -> list[list[Any]]:
    """The slider's: images seen, and what that is in words."""
    found: dict[int, Moment] = {}
    for story in stories:
        for moment in story.series.get(f"{story.key}-sheet", ()):
            found.setdefault(moment.images, moment)
    alone = len(stories) == 1
    return [
        [images, found[images].words if alone or not images else f"{images:,} {items_of_all(stories)} seen"]
        for images in sorted(found)
    ]


def whole(stories: Sequence[Story], told: Any, script: Html, served: bool = False) -> str:
    """The HTML.

    Args:
        told: what its script is told; script: the element with the code of the charts.
        served: whether it comes from `ganzoo watch`, which it then asks for what is new, and nobody else.
    """
    title = ", ".join(story.name for story in stories)
    style, code, frame = (
        (files("ganzoo_report") / name).read_text(encoding="utf-8") for name in ("page.css", "page.js", "page.html")
    )
    alone = "Made by ganzoo. Everything on this page is in this one file."
    parts = {
        "POLICY": POLICY + (SERVED if served else ALONE), "TITLE": html(f"{title} · ganzoo"), "STYLE": style,
        "BODY": body_of(stories), "FOOTER": "" if served else alone, "DATA": json_in_html(told), "CHARTS": script,
        "SCRIPT": code,
    }  # fmt: skip
    for name, part in parts.items():
        before, found, after = frame.partition(f"<!-- {name} -->")
        frame = before + part + after if found else frame
    return frame


def body_of(stories: Sequence[Story]) -> Html:
    """Everything that is seen."""
    order = (
        sections.headline, sections.slider, sections.pictures, sections.classes, sections.translations,
        sections.stage_by_stage, sections.curves, sections.warned, sections.walks, sections.sounds,
        sections.memorisation, sections.scores, sections.settings, sections.commands, sections.left_out,
    )  # fmt: skip
    return Html("\n".join(each for each in (section(stories) for section in order) if each))
