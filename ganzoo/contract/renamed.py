"""What contract 1 called otherwise, each name once, and how the old ones go on working.

Old options are read from the command line, recipes, run.json, headers and checkpoints. Classes written for contract 1
may define and use the old names; classes written for contract 2 must not (the kit says so), since they still mean the
new ones here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

OPTIONS = {"average": "ema", "latents": "latent_dim"}

API = {"Card": "ArchitectureCard"}  # names of ganzoo.api

# Methods and attributes that a subclass of the class may define, override or use.
METHODS = {
    "Architecture": {"stage": "phase", "verdict": "realness"},
    "TwoPlayer": {"judge": "discriminate"},
    "TwoDomains": {"judge": "discriminate", "verdict": "discriminator_terms"},
}
ATTRIBUTES = {"latents": "latent_dim"}

# In checkpoints: what names of tensors begin with, and counters.
PREFIXES = {"average/": "ema/"}
COUNTERS = {"average_steps": "ema_steps", "stage": "phase"}

used: defaultdict[type, set[str]] = defaultdict(set)  # old names that a class or an instance of it used, for the kit
_OLDER = {new: old for old, new in OPTIONS.items()}


def option(name: str, known: Collection[str]) -> str:
    """What `known` calls an option that may be given by its name of before, or by today's to a plugin of before."""
    others = (name, OPTIONS.get(name, name), _OLDER.get(name, name))
    return next((other for other in others if other in known), name)


def today(row: Mapping[str, Any], names: Mapping[str, str] = OPTIONS) -> dict[str, Any]:
    """A mapping by names as they are now."""
    return {names.get(name, name): value for name, value in row.items()}


def tensor(name: str) -> str:
    """A checkpoint's tensor as it is called now."""
    for old, new in PREFIXES.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def facts(stored: dict[str, Any]) -> dict[str, Any]:
    """What run.json, classes.json or a model's header says, by names as they are now, but for the plugin's options."""
    named = today(stored)
    if isinstance(named.get("settings"), dict):
        named["settings"] = today(named["settings"])
    return named


def methods(cls: type) -> dict[str, str]:
    """Old names of a class's methods and today's."""
    return {old: new for base in reversed(cls.__mro__) for old, new in METHODS.get(base.__name__, {}).items()}


class OldNames:
    """A base whose subclasses may define the old names of `METHODS` and `ATTRIBUTES`.

    Whatever a class defines by one name it has by the other, so that overriding, calling and `super()` agree.
    """

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        own = vars(cls)
        used[cls].update(name for name in (*methods(cls), *ATTRIBUTES) if name in own)
        for old, new in methods(cls).items():
            for here, there in ((new, old), (old, new)):
                if here in own and there not in own:
                    setattr(cls, there, own[here])
        for old, new in ATTRIBUTES.items():
            if old in own:
                setattr(cls, new, own[old])
                delattr(cls, old)

    if not TYPE_CHECKING:  # to whoever reads code, the old names do not exist

        def __getattr__(self, name: str) -> Any:
            if name not in ATTRIBUTES:
                return super().__getattr__(name)
            used[type(self)].add(name)
            return getattr(self, ATTRIBUTES[name])

        def __setattr__(self, name: str, value: Any) -> None:
            if name in ATTRIBUTES:
                used[type(self)].add(name)
            super().__setattr__(ATTRIBUTES.get(name, name), value)


class _Renaming(type):
    """Makes a Config's fields of old names fields of today's, and takes the old names as arguments."""

    def __new__(meta, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **arguments: Any) -> _Renaming:
        hints = namespace.get("__annotations__", {})
        old_names = OPTIONS.keys() & hints.keys()
        for old in old_names:
            hints[OPTIONS[old]], namespace[OPTIONS[old]] = hints.pop(old), namespace.pop(old)
        made = super().__new__(meta, name, bases, namespace, **arguments)
        used[made].update(old_names)
        return made

    def __call__(cls, *values: Any, **options: Any) -> Any:
        old = {name: value for name, value in options.items() if name in OPTIONS}
        now = {name: value for name, value in options.items() if name not in OPTIONS}
        return super().__call__(*values, **now | today(old))  # `replace` gives both names, the old one as asked for


class OldOptions(metaclass=_Renaming):
    """A base for Configs whose subclasses may declare, give and read options by their old names."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in OPTIONS:
                used[type(self)].add(name)
                return getattr(self, OPTIONS[name])
            raise AttributeError(f"{type(self).__name__} has no option {name!r}")
