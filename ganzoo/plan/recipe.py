"""Recipes: whole experiments, by name or as TOML."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ganzoo import data
from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import find, written_by
from ganzoo.contract.cards import API, RecipeCard, fault_of
from ganzoo.errors import UsageError, suggest
from ganzoo.files import read_text


def recipe_of(name: str) -> RecipeCard:
    """A recipe by name, or read from a TOML file with the same keys.

    Raises: UsageError when there is none or the file does not say what it must.
    """
    if not name.endswith(".toml"):
        entry = find("recipe", name)
        card: RecipeCard = entry.load()
        near = (entry.distribution, DISTRIBUTION)
        return dataclasses.replace(
            card,
            architecture=written_by("architecture", card.architecture, near),
            data=data.meant(card.data, near),
        )
    table = read_toml(name, "recipe", [field.name for field in dataclasses.fields(RecipeCard)])
    missing = [key for key in ("architecture", "data") if key not in table]
    if missing:
        raise UsageError(f"The recipe {name} does not say its {missing[0]}.")
    stages, given = table.get("stages", []), table.get("options", {})
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        raise UsageError(f"The recipe {name} must write its stages as [[stages]] tables.")
    if not isinstance(given, dict):
        raise UsageError(f"The recipe {name} must write its options as an [options] table.")
    above = [field.name for field in dataclasses.fields(RecipeCard) if field.name in given]
    if above:
        raise UsageError(f"The recipe {name} has {above[0]} among its [options]; write it above them, by architecture.")
    defaults = {"name": Path(name).stem, "summary": "", "api": API}
    card = RecipeCard(**{**defaults, **table, "stages": tuple(stages)})
    if fault := fault_of(card):
        raise UsageError(f"The recipe {name} is not sound: {fault}.")
    return card


def read_toml(name: str, what: str, keys: Collection[str]) -> dict[str, Any]:
    """A TOML file of the user's that may have these keys. Raises: UsageError, which calls it "the `what` NAME"."""
    try:
        table = tomllib.loads(read_text(Path(name)))
    except OSError as error:
        raise UsageError(f"The {what} {name} cannot be read ({error.strerror}); give a TOML file here.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The {what} {name} is not a TOML file: {error}.") from error
    for key in table:
        if key not in keys:
            raise UsageError(f"The {what} {name} has a key {key!r}; {suggest(key, keys)}")
    return table
