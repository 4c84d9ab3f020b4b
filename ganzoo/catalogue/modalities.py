"""What an item may be, by name. Imports no torch, so that the workers that make packs need none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import find
from ganzoo.contract.cards import ModalityCard
from ganzoo.contract.modality import Modality


def modality_card(name: str) -> ModalityCard:
    """What a modality's card says. Raises: UsageError when no installed plugin has it."""
    card: ModalityCard = find("modality", name, near=(DISTRIBUTION,)).card
    return card


def modality_class(name: str) -> type[Modality]:
    """A modality by name. Raises: UsageError when there is none, GanzooError when it cannot be imported."""
    cls: type[Modality] = find("modality", name, near=(DISTRIBUTION,)).load()
    return cls


def make_modality(name: str, state: Mapping[str, Any] | None = None) -> Modality:
    """A modality by name, with the state that a data set or a header keeps of it. Raises: as `modality_class`."""
    made = modality_class(name)(state or {})
    made.name, made.items = name, modality_card(name).items
    return made
