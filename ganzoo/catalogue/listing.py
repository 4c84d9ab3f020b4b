"""What the zoo has, as a notebook asks for it; nothing is imported until it is used."""

from __future__ import annotations

from ganzoo.catalogue.catalogue import entries
from ganzoo.contract.cards import Card, RecipeCard


def architectures(task: str | None = None) -> list[Card]:
    """The cards of every architecture of every installed plugin, by name; of one task, if given."""
    cards: list[Card] = [entry.card for entry in entries("architecture")]
    return [card for card in cards if task is None or task in card.tasks]


def recipes() -> list[RecipeCard]:
    """The experiments that `--recipe` takes."""
    return [entry.card for entry in entries("recipe")]
