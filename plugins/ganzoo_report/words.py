"""HTML out of words: whatever a run says stays text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


class Html(str):
    """Text that is HTML already."""


def html(value: Any) -> Html:
    """A value as HTML: text is escaped."""
    return value if isinstance(value, Html) else Html(escape("" if value is None else str(value)))


def tag(name: str, *content: Any, **attributes: Any) -> Html:
    """An element. Attributes that are None are left out; `class_` is `class`, and `data_series` is `data-series`."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(map(html, content))
    return Html(f"<{name}{words}>{inside}</{name}>" if name not in ("img", "input", "br") else f"<{name}{words}>")


def table(
    headings: Sequence[Any], rows: Iterable[Sequence[Any]], caption: str | None = None, marked: Iterable[int] = ()
) -> Html:
    """A table; the first cell of a row is its heading; rows in `marked` differ, which is said in a word too."""
    chosen = set(marked)
    head = tag("thead", tag("tr", *(tag("th", each, scope="col") for each in headings))) if headings else Html()
    body = []
    for number, (first, *others) in enumerate(rows):
        differs = (Html(" "), tag("span", "differs", class_="differs")) if number in chosen else ()
        cells = (tag("th", first, *differs, scope="row"), *(tag("td", cell) for cell in others))
        body.append(tag("tr", *cells, class_="marked" if number in chosen else None))
    said = tag("caption", caption) if caption else Html()
    return tag("div", tag("table", said, head, tag("tbody", *body)), class_="scroll", tabindex="0")


def json_in_html(value: Any) -> Html:
    """JSON to stand within a script element, which no text in it can end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Html(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
