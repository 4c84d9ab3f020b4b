"""Every check of what a plugin offers, whatever its kind, by its name or by its path."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from ganzoo.catalogue.catalogue import Entry
from ganzoo.errors import GanzooError, UsageError, suggest
from ganzoo.testing.check import Check
from ganzoo.testing.kinds.imports import load_checks
from ganzoo.testing.lookup import Found, look_up


def checks(what: str | Path | Entry, expected_failures: Mapping[str, str] | None = None) -> list[Check]:
    """Every check of a plugin, to be called one by one.

    Args:
        what: an entry point's name, a distribution's (all of its plugins), or that of one thing (an architecture, a
            loss, …), bare or as ``distribution:name``; or a path: a project's folder, whose pyproject.toml has the
            entry points, or a single file, ``my_gan.py``.
        expected_failures: checks that are known to fail, and why, by name (``"bf16"``, wherever it is) or in full
            (``"my-gan unconditional 3x32x32 bf16"``). They count as xfail, and as failures once they pass.
    Returns: the checks. A plugin that is not there has one, "loads", which says so.
    Raises: UsageError when `expected_failures` names a check that there is not.
    """
    try:
        found = [Found.of(what)] if isinstance(what, Entry) else look_up(what)
    except GanzooError as error:
        return [Check("loads", str(what), "", partial(_raise, error), "plugin")]
    return _expecting([check for each in found for check in checks_of(each)], dict(expected_failures or {}))


def _expecting(made: list[Check], expected: dict[str, str]) -> list[Check]:
    names = {name for check in made for name in (check.name, str(check))}
    for name in expected:
        if name not in names:
            known = suggest(name, {check.name for check in made})
            raise UsageError(f"expected_failures names {name!r}, and there is no such check here; {known}")
    reasons = [expected.get(str(check), expected.get(check.name)) for check in made]
    return [dataclasses.replace(check, expected=why) for check, why in zip(made, reasons, strict=True)]


def checks_of(found: Found) -> Iterator[Check]:
    """The checks of one plugin, or of what is meant of it."""
    if found.plugin is not None:
        yield from load_checks(found.plugin, whole=not found.single_file)
        if found.hears_runs:
            from ganzoo.testing.kinds.loggers import event_checks

            yield from event_checks(found.plugin, found.plugin.name)
    for entry in found.entries:
        yield from _entry_checks(entry, found)


def _entry_checks(entry: Entry, found: Found) -> Iterator[Check]:
    """The checks of one thing; what only they need is imported for them."""
    name = found.called or entry.name
    if entry.kind == "architecture":
        from ganzoo.testing.architecture.checks import architecture_checks

        yield from architecture_checks(entry, name)
    elif entry.kind == "dataset":
        from ganzoo.testing.kinds.datasets import dataset_checks

        yield from dataset_checks(entry, name)
    elif entry.kind == "loss":
        from ganzoo.testing.kinds.losses import loss_checks

        yield from loss_checks(entry, name)
    elif entry.kind == "penalty":
        from ganzoo.testing.kinds.penalties import penalty_checks

        yield from penalty_checks(entry, name)
    elif entry.kind == "augmentation":
        from ganzoo.testing.kinds.augmentations import augmentation_checks

        yield from augmentation_checks(entry, name)
    elif entry.kind == "metric":
        from ganzoo.testing.kinds.metrics import metric_checks

        yield from metric_checks(entry, name)
    elif entry.kind == "logger":
        from ganzoo.testing.kinds.loggers import logger_checks

        yield from logger_checks(entry, name)
    elif entry.kind == "modality":
        from ganzoo.testing.kinds.modalities import modality_checks

        yield from modality_checks(entry, name)
    elif entry.kind == "scheme":
        from ganzoo.testing.kinds.schemes import scheme_checks

        yield from scheme_checks(entry, name)
    elif entry.kind == "command":
        from ganzoo.testing.kinds.commands import command_checks

        yield from command_checks(entry, name)
    elif entry.kind == "recipe":
        from ganzoo.testing.kinds.recipes import recipe_checks

        yield from recipe_checks(entry, name)


def _raise(error: Exception) -> None:
    raise error
