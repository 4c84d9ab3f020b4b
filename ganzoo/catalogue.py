"""What the zoo has, as a notebook asks for it; nothing is imported until it is used."""

from __future__ import annotations

from ganzoo.cards import Card, LossCard, PenaltyCard, RecipeCard
from ganzoo.plugins import entries


def architectures(task: str | None = None) -> list[Card]:
    """The cards of every architecture of every installed plugin, by name; of one task, if given."""
    cards: list[Card] = [entry.card for entry in entries("architecture")]
    return [card for card in cards if task is None or task in card.tasks]


def losses() -> list[LossCard]:
    """The adversarial losses that `--loss` takes."""
    return [entry.card for entry in entries("loss")]


def penalties() -> list[PenaltyCard]:
    """The penalties that `--penalty` takes."""
    return [entry.card for entry in entries("penalty")]


def recipes() -> list[RecipeCard]:
    """The experiments that `--recipe` takes."""
    return [entry.card for entry in entries("recipe")]
