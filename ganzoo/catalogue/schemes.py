"""What answers to an address, by its scheme. Imports no torch."""

from __future__ import annotations

from typing import Literal

from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import entries, find
from ganzoo.contract.scheme import Scheme
from ganzoo.errors import UsageError, suggest


def scheme_of(address: str, use: Literal["model", "data", "publish"]) -> Scheme:
    """What fetches a model or data from an address, or publishes at it. Raises: UsageError when nothing can."""
    name = address.partition("://")[0]
    cards = [entry.card for entry in entries("scheme")]
    able = {card.name for card in cards if (card.publishes if use == "publish" else use in card.fetches)}
    if name not in able:
        doing = {"model": "fetch from", "data": "fetch", "publish": "publish at"}[use]
        kind = "sources" if use == "data" else "addresses"
        raise UsageError(f"ganzoo cannot {doing} {name}:// {kind}; {suggest(name, able)}")
    made: Scheme = find("scheme", name, near=(DISTRIBUTION,)).load()()
    return made
