"""Discovery: finds every installed plugin, keeps the broken ones from breaking the rest, and looks names up.

A plugin is a module under the entry-point group ``ganzoo``, whoever published it. Each is imported by itself and each
of its hooks is called by itself; whatever goes wrong becomes that plugin's `error`, one sentence.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from types import ModuleType, SimpleNamespace
from typing import Any

import pluggy

from ganzoo import cards, hookspecs
from ganzoo.errors import GanzooError, UsageError, nearest

GROUP = "ganzoo"
CORE = "ganzoo.builtin"  # losses, penalties and metrics of the core itself, which GANZOO_PLUGINS cannot leave out

# kind of entry -> (hook that yields it, type of its card, field of the card that names the thing)
KINDS: dict[str, tuple[str, type, str]] = {
    "architecture": ("ganzoo_architectures", cards.Card, "model"),
    "dataset": ("ganzoo_datasets", cards.DatasetCard, "dataset"),
    "loss": ("ganzoo_losses", cards.LossCard, "loss"),
    "penalty": ("ganzoo_penalties", cards.PenaltyCard, "penalty"),
    "metric": ("ganzoo_metrics", cards.MetricCard, "metric"),
    "logger": ("ganzoo_loggers", cards.LoggerCard, "logger"),
    "recipe": ("ganzoo_recipes", cards.RecipeCard, ""),
}
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class Entry:
    """One thing in the catalogue and where it came from."""

    kind: str
    card: Any
    plugin: str
    distribution: str
    version: str

    @property
    def name(self) -> str:
        return str(self.card.name)

    @property
    def full_name(self) -> str:
        """``distribution:name``, which stays unambiguous whatever else is installed."""
        return f"{self.distribution}:{self.name}"

    def load(self) -> Any:
        """The class (or recipe) itself, imported now.

        Raises: GanzooError, in one sentence, when its module cannot be imported.
        """
        attribute = KINDS[self.kind][2]
        target = getattr(self.card, attribute) if attribute else self.card
        if not isinstance(target, str):
            return target
        module, _, name = target.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except (Exception, SystemExit) as error:
            raise GanzooError(
                f"The {self.kind} {self.name!r} of {self.distribution} {self.version} cannot be imported: "
                f"{_reason(error)}."
            ) from error


@dataclass
class Plugin:
    """One entry point: its module, where it was installed from, what it offers, or why it does not work."""

    name: str
    module: str
    distribution: str
    version: str
    entries: list[Entry] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def full_name(self) -> str:
        return f"{self.distribution}:{self.module}"


class Catalogue:
    """Every plugin found and everything that the working ones offer."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(GROUP)
        self.manager.add_hookspecs(hookspecs)
        self.plugins: list[Plugin] = []
        for point, distribution, version in _entry_points():
            self.add(Plugin(point.name, point.value, distribution, version), point.load)

    def add(self, plugin: Plugin, load: Callable[[], ModuleType]) -> None:
        """Import `plugin`, register its hooks and collect its cards; a failure leaves it with an error and no entry."""
        self.plugins.append(plugin)
        try:
            module = load()
            plugin.hooks = self._register(module, plugin)
            plugin.entries = list(self._collect(module, plugin))
        except (Exception, SystemExit) as error:
            plugin.error = _reason(error)
            plugin.entries = []
            self._unregister(plugin)

    def remove(self, plugin: Plugin) -> None:
        """Forget `plugin` and all that it offers."""
        self.plugins.remove(plugin)
        self._unregister(plugin)

    def _unregister(self, plugin: Plugin) -> None:
        if self.manager.has_plugin(plugin.full_name):
            self.manager.unregister(name=plugin.full_name)

    def _register(self, module: ModuleType, plugin: Plugin) -> list[str]:
        hooks = self._hooks(module)
        if not hooks:
            raise GanzooError(f"its module {plugin.module} implements no hook")
        if not self.manager.is_registered(module):  # a second distribution may offer the same module
            self.manager.register(module, name=plugin.full_name)
        return hooks

    def _hooks(self, implementer: object) -> list[str]:
        """The hooks that a module or object implements. Raises: GanzooError for one that there is not."""
        hooks = [name for name in dir(implementer) if self.manager.parse_hookimpl_opts(implementer, name) is not None]
        for name in hooks:
            if not hasattr(self.manager.hook, name):
                raise GanzooError(f"it is made for another ganzoo: this one has no hook {name}")
        return hooks

    def _collect(self, module: ModuleType, plugin: Plugin) -> Iterator[Entry]:
        for kind, (hook, card_type, _) in KINDS.items():
            if hook not in plugin.hooks:
                continue
            for card in getattr(module, hook)() or ():
                _check_card(card, card_type, hook)
                yield Entry(kind, card, plugin.name, plugin.distribution, plugin.version)

    def entries(self, kind: str) -> list[Entry]:
        """Everything of a kind ("architecture", "dataset", "loss", …), by name."""
        found = [entry for plugin in self.plugins for entry in plugin.entries if entry.kind == kind]
        return sorted(found, key=lambda entry: (entry.name, entry.distribution))

    def find(self, kind: str, name: str) -> Entry:
        """The entry called `name` or `distribution:name`.

        Raises: UsageError when there is none (with the nearest names) or when several plugins offer the bare name.
        """
        entries = self.entries(kind)
        found = [entry for entry in entries if name in (entry.name, entry.full_name)]
        if len(found) == 1:
            return found[0]
        if found:
            names = " or ".join(entry.full_name for entry in found)
            raise UsageError(f"{len(found)} plugins offer the {kind} {name!r}; write {names}.")
        broken = next((plugin for plugin in self.plugins if plugin.error and plugin.name == name), None)
        if broken:
            raise UsageError(f"The plugin {name!r} does not work: {broken.error}. See `ganzoo plugins`.")
        raise UsageError(f"There is no {kind} {name!r}; {nearest(name, {entry.name for entry in entries})}")

    @contextmanager
    def listening(self, loggers: Mapping[str, object]) -> Iterator[None]:
        """For as long as it lasts, run events also go to these, by the name that a complaint gives them.

        Raises: GanzooError when one implements no hook, an unknown one, or one with other arguments.
        """
        registered = []
        try:
            for name, logger in loggers.items():
                try:
                    hooks = {hook: getattr(logger, hook) for hook in self._hooks(logger)}
                    if not hooks:
                        raise GanzooError("it implements no hook")
                    self.manager.register(SimpleNamespace(**hooks), name=name)  # two loggers may be equal
                except (GanzooError, pluggy.PluginValidationError) as error:
                    raise GanzooError(f"The {name} does not work: {_reason(error)}.") from error
                registered.append(name)
            yield
        finally:
            for name in registered:
                if self.manager.has_plugin(name):  # `notify` may have left it out
                    self.manager.unregister(name=name)

    def notify(self, event: str, complain: Callable[[str], None], **arguments: Any) -> None:
        """Tell every plugin about a run event. One that raises is complained about and hears no further event."""
        for implementation in getattr(self.manager.hook, event).get_hookimpls():
            try:
                implementation.function(*(arguments[name] for name in implementation.argnames))
            except (Exception, SystemExit) as error:
                name = implementation.plugin_name
                who = name if name.startswith("logger ") else f"plugin {name}"
                complain(f"The {who} failed in {event} ({_reason(error)}); it is left out.")
                self.manager.unregister(implementation.plugin)


@cache
def catalogue() -> Catalogue:
    """The catalogue of this process, made once."""
    return Catalogue()


def entries(kind: str) -> list[Entry]:
    """Everything of a kind in the catalogue; see `Catalogue.entries`."""
    return catalogue().entries(kind)


def find(kind: str, name: str) -> Entry:
    """Looks a name up in the catalogue; see `Catalogue.find`."""
    return catalogue().find(kind, name)


def _entry_points() -> Iterator[tuple[metadata.EntryPoint, str, str]]:
    """Entry points of the group with their distribution's name and version; GANZOO_PLUGINS=a,b limits them."""
    wanted = os.environ.get("GANZOO_PLUGINS")
    allowed = None if wanted is None else {name.strip() for name in wanted.split(",")}
    seen: set[tuple[str, str, str]] = set()
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        distribution = _distribution(point)
        key = (point.name, point.value, distribution[0])
        if key not in seen and (allowed is None or point.name in allowed or point.value == CORE):
            seen.add(key)
            yield point, *distribution


def _distribution(point: metadata.EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("unknown", "0")


def _check_card(card: Any, card_type: type, hook: str) -> None:
    if not issubclass(type(card), card_type):
        raise GanzooError(f"its {hook} gave a {type(card).__name__} where a {card_type.__name__} belongs")
    if not isinstance(card.api, int) or card.api < 1:
        raise GanzooError(f"its card {card.name!r} has no valid api version")
    if card.api > cards.API:
        raise GanzooError(f"it is made for a newer ganzoo (API {card.api}, this is {cards.API}); upgrade ganzoo")
    if not _NAME.fullmatch(str(card.name)):
        raise GanzooError(f"its card's name {card.name!r} is not lower case letters, digits, '-', '_' and '.'")


def _reason(error: BaseException) -> str:
    """What went wrong, in one line, with the place in the plugin's own code for a bare error."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, GanzooError):
        return text.rstrip(".")
    foreign = isinstance(error, ImportError) and "ganzoo.api" in text
    if foreign or (isinstance(error, TypeError) and "Card.__init__()" in text):
        return f"it is made for another ganzoo: {text.rstrip('.')}"
    frames = inspect.getinnerframes(error.__traceback__) if error.__traceback__ else []
    place = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text.rstrip('.')}{place}"
