"""The card of anything: complete, in words, and of this version of the contract."""

from __future__ import annotations

import dataclasses

from ganzoo.catalogue.catalogue import Entry
from ganzoo.contract.cards import API, OLDEST_API
from ganzoo.testing.check import require


def check_card(entry: Entry) -> None:
    """Every text that a card asks for is there, in one line, and `api` is a version that is read here."""
    card = entry.card
    for field in dataclasses.fields(card):
        if field.type != "str" or field.default is not dataclasses.MISSING:
            continue
        text = getattr(card, field.name)
        said = isinstance(text, str) and bool(text.strip())
        require(said, f"The card says no {field.name}; `ganzoo list`, `ganzoo show` and the files of a run print it.")
        require("\n" not in text, f"The card's {field.name} has several lines; write one.")
    require(
        OLDEST_API <= card.api <= API,
        f"The card is of API {card.api!r} and this ganzoo speaks {API}; read in the changelog what has changed "
        f"since, then write api={API}.",
    )
