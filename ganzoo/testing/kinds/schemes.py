"""Schemes: they have what their card says, and refuse in a sentence what is no address of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ganzoo.catalogue.catalogue import Entry
from ganzoo.contract.report import silent
from ganzoo.contract.scheme import Scheme
from ganzoo.errors import GanzooError
from ganzoo.testing.check import Check, require
from ganzoo.testing.kinds.cards import check_card
from ganzoo.testing.probes.offline import offline

NOWHERE = "no such place \n"
FILES = {"model": "model.safetensors", "data": ""}


def scheme_checks(entry: Entry, name: str) -> Iterator[Check]:
    """Every check of a scheme; none of them reaches for the network."""
    yield Check("does what its card says", name, "scheme", partial(check_promises, entry), "scheme")
    yield Check("refuses", name, "scheme", partial(check_refuses, entry), "scheme")
    yield Check("card", name, "scheme", partial(check_card, entry), "scheme")


def check_promises(entry: Entry) -> None:
    """A subclass of `Scheme`, made without options, that has what the card promises."""
    cls, card = entry.load(), entry.card
    require(isinstance(cls, type) and issubclass(cls, Scheme), "It is no subclass of Scheme.")
    cls()
    unknown = {*card.fetches} - FILES.keys()
    require(not unknown, f"The card's fetches has {', '.join(sorted(unknown))}; it takes 'model' and 'data'.")
    require(bool(card.fetches or card.publishes), "The card says neither what it fetches nor that it publishes.")
    needed = ("fetch",) * bool(card.fetches) + ("check", "publish") * bool(card.publishes)
    missing = [name for name in needed if getattr(cls, name) is getattr(Scheme, name)]
    require(not missing, f"The card promises what it does not define: {', '.join(missing)}.")


def check_refuses(entry: Entry) -> None:
    """An address that can be none ends in one sentence."""
    scheme, address = entry.load()(), f"{entry.name}://{NOWHERE}"
    with offline("an address that can be none needs no network"):
        for what in entry.card.fetches:
            _refused(lambda what=what: scheme.fetch(address, FILES[what], silent), f"fetch of {what}")  # type: ignore[misc]
        if entry.card.publishes:
            _refused(lambda: scheme.check(address), "check")


def _refused(work: Callable[[], object], what: str) -> None:
    try:
        work()
    except GanzooError as error:
        require(bool(str(error).strip()), f"Its {what} refuses an address without a word; say what to type.")
    except Exception as error:
        require(False, f"Its {what} meets an impossible address with {type(error).__name__}; raise a UsageError.")
    else:
        require(False, f"Its {what} takes an address that can be none, {NOWHERE.strip()!r}; raise a UsageError.")
