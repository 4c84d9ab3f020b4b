"""The page: facts and pictures of runs put into one HTML file that needs no other."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from ganzoo.api import ArchitectureCard, GanzooError, Run, architecture_of, need
from ganzoo_report.album import Album
from ganzoo_report.record import panels
from ganzoo_report.story import Moment, Story, facts, tell
from ganzoo_report.words import Html, html, json_in_html, tag

LIMIT = 8_000_000  # bytes of a page, unless it is written in full
RESERVE = 20_000  # of them, for what is not counted exactly


def page(runs: Sequence[Run], full: bool = False) -> str:
    """The page of these runs. Raises: GanzooError when plotly is not installed."""
    charts = _charts()
    album = Album()
    stories = [tell(run, f"r{number}", album, full) for number, run in enumerate(runs)]
    told: dict[str, Any] = {
        "runs": [facts(story, full) for story in stories],
        "series": _series(stories),
        "positions": _positions(stories),
    }
    names = list(dict.fromkeys(name for each in told["runs"] for name in each["columns"]))
    told["panels"] = panels(names)
    body = _body(stories)
    words = _whole(stories, body, told, charts, [])
    room = None if full else (LIMIT - RESERVE - len(words.encode())) * 3 // 4 - 30 * len(album.pictures)
    pictures = album.encode(room)
    if not full and album.share < 1:
        stories[0].left_out.append(
            f"The pictures are scaled to {album.share:.0%} of their sides, so that the page has 8 MB at most; "
            "--full takes them as they are."
        )
        body = _body(stories)
    sources = [f"data:image/webp;base64,{base64.b64encode(each).decode()}" for each in pictures]
    return _whole(stories, body, told, charts, sources)


def _charts() -> str:
    """plotly.js, compressed: a third of its bytes, which browsers unpack."""
    library = need("plotly.offline", "plotly", "ganzoo report", "report").get_plotlyjs()
    return base64.b64encode(gzip.compress(library.encode(), mtime=0)).decode()


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
        [images, found[images].words if alone or not images else f"{images:,} images seen"] for images in sorted(found)
    ]


def _whole(stories: Sequence[Story], body: Html, told: Any, charts: str, sources: list[str]) -> str:
    title = ", ".join(story.name for story in stories)
    style, script, frame = (
        (files("ganzoo_report") / name).read_text(encoding="utf-8") for name in ("page.css", "page.js", "page.html")
    )
    parts = {
        "TITLE": html(f"{title} · ganzoo"), "STYLE": style, "BODY": body,
        "DATA": json_in_html({**told, "pictures": sources}), "CHARTS": charts, "SCRIPT": script,
    }  # fmt: skip
    for name, part in parts.items():
        before, found, after = frame.partition(f"<!-- {name} -->")
        frame = before + part + after if found else frame
    return frame


def _body(stories: Sequence[Story]) -> Html:
    sections = [_headline(stories), _slider(stories), _pictures(stories), _curves(stories), _left_out(stories)]
    return Html("\n".join(each for each in sections if each))


def _section(name: str, title: str, *content: Any) -> Html:
    return tag("section", tag("h2", title), *content, id=name)


def _card(run: Run) -> ArchitectureCard | None:
    try:
        card: ArchitectureCard = architecture_of(run.header, str(run.path)).card
    except GanzooError:
        return None
    return card


def _headline(stories: Sequence[Story]) -> Html:
    cards = []
    for story in stories:
        run, header, last = story.run, story.run.header, story.log.last
        card = _card(run)
        title = f"{card.title} ({card.year})" if card else header.architecture
        rows: list[tuple[str, Any]] = [
            ("Architecture", title),
            ("Data", f"{header.data.name}: {header.data.images:,} items, {header.data.origin}"),
            ("Trained", _trained(last, header.data.images)),
            ("Time", _time(last.get("seconds"))),
            ("Parameters", " + ".join(f"{name} {count:,}" for name, count in header.parameters.items())),
            ("Pretrained", _pretrained(run)),
            ("Status", run.status),
        ]
        words = [part for name, value in rows if value for part in (tag("dt", name), tag("dd", value))]
        heading = tag("h2", story.name) if len(stories) > 1 else Html()
        cards.append(tag("article", heading, tag("dl", *words), _headline_scores(run), class_="card"))
    title = stories[0].name if len(stories) == 1 else f"{len(stories)} runs side by side"
    return tag("header", tag("h1", title), tag("div", *cards, class_="runs"))


def _headline_scores(run: Run) -> Html:
    evaluations = sorted(run.scores(), key=lambda row: row["step"])
    if not evaluations:
        return tag("p", "Not scored; ", tag("code", f"ganzoo evaluate {run.path.name}"), " does it.", class_="quiet")
    last = evaluations[-1]["metrics"][:4]
    shown = [tag("div", tag("b", f"{score['value']:.4g}"), tag("span", score["name"])) for score in last]
    return tag("div", *shown, class_="scores")


def _trained(last: Any, items: int) -> str:
    if not last:
        return "not a step yet"
    passes = f", {last['images'] / items:.3g} passes over the data" if items else ""
    return f"{last['images']:,} images in {last['step']:,} steps{passes}"


def _time(seconds: Any) -> str:
    if not isinstance(seconds, int | float):
        return ""
    minutes, hours = divmod(round(seconds), 60)[0], round(seconds) // 3600
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min {round(seconds) % 60} s"


def _pretrained(run: Run) -> str:
    found = [f"{each.name} ({each.licence})" for each in run.header.frozen]
    return ", ".join([*found, *([f"began with {run.header.init}"] if run.header.init else [])]) or "none"


def _slider(stories: Sequence[Story]) -> Html:
    if not any(story.series for story in stories):
        return tag("p", "There are no sheets of samples yet.")
    return tag(
        "div",
        tag("button", "▶", id="play", type="button", aria_label="Play the learning as an animation"),
        tag("label", "Images seen", for_="at"),
        tag("input", id="at", type="range", min="0", max="0", step="1", value="0"),
        tag("output", "", id="when", for_="at", role="status"),
        id="slider",
        role="group",
        aria_label="Moment of the training that every picture shows",
    )


def _figure(series: str, caption: str, kind: str = "") -> Html:
    """A picture that the slider moves."""
    picture = tag("img", data_series=series, alt=caption, class_="sheet")
    return tag(
        "figure", picture, tag("figcaption", caption, Html(" "), tag("span", "", data_when=series)), class_=kind or None
    )


def _still(picture: int, caption: str) -> Html:
    """A picture that is the same all along."""
    return tag("figure", tag("img", data_picture=picture, alt=caption, class_="sheet"), tag("figcaption", caption))


def _pictures(stories: Sequence[Story]) -> Html:
    columns = []
    for story in stories:
        if not story.series:
            continue
        reals = [_still(number, f"Real: {domain or 'training data'}") for domain, number in story.real.items()]
        made = _figure(f"{story.key}-sheet", "Generated, from the same noise each time:")
        heading = tag("h3", story.name) if len(stories) > 1 else Html()
        columns.append(tag("div", heading, tag("div", *reals, made, class_="pictures"), class_="run"))
    return _section("pictures", "Real and generated", tag("div", *columns, class_="runs")) if columns else Html()


def _curves(stories: Sequence[Story]) -> Html:
    if not any(story.log.rows for story in stories):
        return Html()
    axes = [("images", "images seen"), ("time", "time"), ("epochs", "epochs")]
    if not all("seconds" in story.log.last for story in stories):
        axes.remove(("time", "time"))
    chosen = tag("select", *(tag("option", words, value=value) for value, words in axes), id="axis")
    controls = tag(
        "div",
        tag("label", "Over ", chosen),
        tag("label", "Smoothing ", tag("input", id="smooth", type="range", min="0", max="0.99", step="0.01", value="0"),
            tag("output", "0", id="smoothness", for_="smooth")),
        tag("button", "Zoom in", id="closer", type="button"),
        tag("button", "Zoom out", id="farther", type="button"),
        tag("button", "Whole training", id="whole", type="button"),
        class_="controls", role="group", aria_label="How the curves are drawn",
    )  # fmt: skip
    hint = tag("p", "Drag across a curve to zoom; the address keeps the view.", class_="quiet")
    return _section("curves", "Curves", controls, hint, tag("div", id="panels"))


def _left_out(stories: Sequence[Story]) -> Html:
    said = [sentence for story in stories for sentence in story.left_out]
    return _section("left-out", "Left out", tag("ul", *(tag("li", each) for each in said))) if said else Html()
