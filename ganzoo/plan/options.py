"""An architecture's options and the trainer's, together: their defaults, and what changes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from ganzoo.contract import renamed
from ganzoo.contract.architecture import Architecture
from ganzoo.contract.options import Option, build, options
from ganzoo.contract.schedules import Schedule
from ganzoo.contract.settings import BY_ARCHITECTURE, FIT, LENGTHS, Settings, parse_resolution
from ganzoo.errors import UsageError, suggest


def option_table(model: type[Architecture]) -> dict[str, Option]:
    """Every option that training this architecture takes, its own first, with the defaults in force for it."""
    own = {name: item for name, item in options(model.Config).items() if name not in _trainers(options(model.Config))}
    defaults = own_defaults(model)
    core = dict(options(Settings))
    for name, default in defaults.items():  # what the help says of the trainer's own default then holds no more
        core[name] = dataclasses.replace(core[name], default=default, help=core[name].help.partition("; default:")[0])
    return {**own, **core}


def apply_options(name: str, config: Any, settings: Settings, given: Mapping[str, Any]) -> tuple[Any, Settings]:
    """Config and settings with options changed; a field that both have changes in both.

    Raises: UsageError for an unknown option or a value it does not take.
    """
    own, core = options(type(config)), options(Settings)
    known = {*core, *own} - (_trainers(own).keys() - {*BY_ARCHITECTURE})
    given = {renamed.option(key, known): value for key, value in given.items()}
    for key in given:
        if key not in own and key not in core:
            raise UsageError(f"{name} has no option --{key.replace('_', '-')}; {suggest(key, {**own, **core})}")
    if given.get("resolution") is not None:
        parse_resolution(given["resolution"])
    changed = {key: str(value) if key == "resolution" else value for key, value in given.items() if key in core}
    if any(key in changed for key in LENGTHS):
        changed = {**dict.fromkeys(LENGTHS), **changed}
    settings = build(Settings, changed, name, base=settings)
    shared = {theirs: getattr(settings, key) for theirs, key in _trainers(own).items() if key in changed}
    if "x" in str(shared.get("resolution", "")):
        del shared["resolution"]  # a Config's resolution is one number; the DataSpec has both
    shared = {key: value for key, value in shared.items() if not isinstance(value, Schedule)}  # the trainer's alone
    mine = {key: value for key, value in given.items() if key in own and key not in core}
    return build(type(config), {**mine, **shared}, name, base=config), settings


def preset_row(name: str, model: type[Architecture], preset: str | None) -> Mapping[str, Any]:
    """The options of a preset, none for None. Raises: UsageError when there is no such preset."""
    if preset is None:
        return {}
    if preset == FIT:
        raise UsageError(f"--preset {FIT} is for `ganzoo train` and `ganzoo plan`, of one run; name the preset here.")
    if preset not in model.presets:
        known = suggest(preset, model.presets) if model.presets else "it has none at all."
        raise UsageError(f"{name} has no preset {preset!r}; {known}")
    return model.presets[preset]


def with_preset(name: str, model: type[Architecture], preset: str | None) -> tuple[Any, Settings]:
    """Config and settings of an architecture before any option is given. Raises: UsageError for an unknown preset."""
    settings = build(Settings, own_defaults(model), name)
    return apply_options(name, model.Config(), settings, preset_row(name, model, preset))


def own_defaults(model: type[Architecture]) -> dict[str, Any]:
    """The trainer's options that the architecture's Config has a default for."""
    own = options(model.Config)
    defaults = {name: own[theirs].default for theirs, name in _trainers(own).items()}
    return {
        name: str(default) if name == "resolution" else default
        for name, default in defaults.items()
        if default is not None
    }


def _trainers(own: Collection[str]) -> dict[str, str]:
    """Those of a Config's options that set the trainer's, and how the trainer calls them."""
    return {name: today for name in own if (today := renamed.OPTIONS.get(name, name)) in BY_ARCHITECTURE}
