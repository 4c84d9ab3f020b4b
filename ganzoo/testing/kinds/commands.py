"""Commands: they load, and their help says what the card says."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import partial

from ganzoo.catalogue.catalogue import Entry
from ganzoo.testing.check import Check, require
from ganzoo.testing.kinds.cards import check_card


def command_checks(entry: Entry, name: str) -> Iterator[Check]:
    """Every check of a command."""
    yield Check("help", name, "command", partial(check_help, entry), "command")
    yield Check("card", name, "command", partial(check_card, entry), "command")


def check_help(entry: Entry) -> None:
    """A click command whose help begins with the card's summary and explains every option."""
    click = importlib.import_module("click")
    command = entry.load()
    require(isinstance(command, click.Command), f"{entry.name} names {command!r}; make it with @click.command.")
    summary = " ".join((command.help or "").partition("\n\n")[0].split())
    require(summary == entry.card.summary, f"Its help begins {summary!r}, and its card says {entry.card.summary!r}.")
    silent = [each.opts[0] for each in command.params if isinstance(each, click.Option) and not each.help]
    require(not silent, f"Its help does not explain {', '.join(silent)}; give help= a sentence.")
    command.get_help(click.Context(command, info_name=entry.name))
