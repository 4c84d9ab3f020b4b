"""What a turn of a step may be, asked at each turn of training, and of a dry step before there is a run."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ganzoo.contract.architecture import Update
from ganzoo.errors import GanzooError, suggest


class ContractError(GanzooError):
    """An architecture broke the contract; the sentence is for its author."""


def players(update: Any, name: str, networks: Collection[str], trained: Collection[str]) -> tuple[str, ...]:
    """The networks that an update moves; ``"G"`` stands for all of ``"G.AB"`` and ``"G.BA"``.

    Args:
        update: what the step of the architecture called `name` yielded.
        networks: those that there are; trained: those of them that have something to train.
    Raises: ContractError for what is no `Update` of them, or has no terms, or one that is no number.
    """
    if not isinstance(update, Update):
        raise ContractError(f"{name}.step yields a {type(update).__name__}; it should yield Update(…).")
    named: list[str] = []
    for word in update.names:
        members = [known for known in networks if known == word or known.startswith(word + ".")]
        if not members:
            raise ContractError(f"{name}.step updates {word!r}, which is no network of it; {suggest(word, networks)}")
        named += members
    moving = tuple(dict.fromkeys(each for each in named if each in trained))
    if not moving:
        raise ContractError(
            f"{name}.step updates {named[0]}, all of whose parameters are frozen; leave out that Update."
        )
    if not update.terms:
        raise ContractError(f"{name}.step yields an Update of {', '.join(moving)} without terms.")
    for key, term in update.terms.items():
        if term.numel() != 1:
            raise ContractError(f"{name}.step gives {tuple(term.shape)} as the loss {key!r}; give its mean.")
    return moving
