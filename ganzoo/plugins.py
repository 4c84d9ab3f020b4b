"""Discovery: finds every installed plugin, keeps the broken ones from breaking the rest, and looks names up.

A plugin is a module under the entry-point group ``ganzoo``, whoever published it. Each is imported by itself and each
of its hooks is called by itself; whatever goes wrong becomes that plugin's `error`, one sentence.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import islice
from operator import attrgetter
from types import ModuleType
from typing import Any, Literal, TypeVar

import pluggy

from ganzoo import cards, hookspecs, installed, isolation
from ganzoo.errors import GanzooError, Interrupted, UsageError, nearest
from ganzoo.spec import parse_spec

T = TypeVar("T")

# kind of entry -> (hook that yields it, type of its card, field of the card that names the thing)
KINDS: dict[str, tuple[str, type, str]] = {
    "architecture": ("ganzoo_architectures", cards.Card, "model"),
    "dataset": ("ganzoo_datasets", cards.DatasetCard, "dataset"),
    "loss": ("ganzoo_losses", cards.LossCard, "loss"),
    "penalty": ("ganzoo_penalties", cards.PenaltyCard, "penalty"),
    "metric": ("ganzoo_metrics", cards.MetricCard, "metric"),
    "recipe": ("ganzoo_recipes", cards.RecipeCard, ""),
}
HOOKS = [name for name in dir(hookspecs) if name.startswith("ganzoo_")]
_making: ContextVar[bool] = ContextVar("making", default=False)


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
        what, remarks = f"{self.kind} {self.name!r} of {self.distribution} {self.version}", list[str]()
        try:
            with isolation.clean_stdout(remarks), isolation.preserved(remarks):
                found = attrgetter(name)(importlib.import_module(module))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            reason = isolation.reason(error, self.distribution)
            raise GanzooError(f"The {what} cannot be imported: {reason}.") from error
        for remark in remarks:
            print(f"Warning: the {what}: {remark}.", file=sys.stderr)
        return found


@dataclass(frozen=True)
class Call:
    """What was asked of a plugin, its import or a hook by name, and how many cards it gave; None when it gave none."""

    what: str
    seconds: float
    cards: int | None


@dataclass
class Plugin:
    """One entry point: its module, where it was installed from, what it offers, or why it does not work.

    `remarks` are half-sentences about what it should not do; it works in spite of them.
    """

    name: str
    module: str
    distribution: str
    version: str
    entries: list[Entry] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)
    error: str | None = None
    remarks: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def __str__(self) -> str:
        return f"the plugin {self.name} of {self.distribution} {self.version}"

    @property
    def full_name(self) -> str:
        return f"{self.distribution}:{self.module}"

    @property
    def status(self) -> Literal["ok", "warning", "broken"]:
        return "broken" if self.error else "warning" if self.remarks else "ok"

    @property
    def reason(self) -> str | None:
        """What is the matter with it, in half a sentence."""
        return self.error or "; ".join(self.remarks) or None


class Catalogue:
    """Every plugin found and everything that the working ones offer.

    `left_out` is how many GANZOO_PLUGINS leaves out, `unknown` what stands in it and is nobody's name.
    """

    def __init__(self) -> None:
        if _making.get():
            raise GanzooError("it looks into the catalogue while it is imported; only the model's own module may")
        self.manager = pluggy.PluginManager(installed.GROUP)
        self.manager.add_hookspecs(hookspecs)
        self.plugins: list[Plugin] = []
        self._silent: set[str] = set()
        there = installed.points()
        chosen, self.unknown = installed.chosen(there, os.environ.get("GANZOO_PLUGINS"))
        self.left_out = len(there) - len(chosen)
        token = _making.set(True)
        try:
            with isolation.Guard() as guard:
                for point in chosen:
                    plugin = Plugin(point.name, point.value, point.distribution.name, point.distribution.version)
                    self._isolate(plugin, point.load, guard)
                    self.plugins.append(plugin)
        finally:
            _making.reset(token)

    def _isolate(self, plugin: Plugin, load: Callable[[], Any], guard: isolation.Guard) -> None:
        """Import `plugin`, register its hooks and collect its cards; a failure leaves it with an error and no entry."""
        try:
            with guard.around(str(plugin), plugin.remarks):
                hooks = self._register(_timed(plugin, "import", load), plugin)
                for kind, (hook, _, _) in KINDS.items():
                    if hook in hooks:
                        plugin.entries += _timed(plugin, hook, partial(self._collect, kind, hooks[hook], plugin))
        except Interrupted:
            raise
        except BaseException as error:
            plugin.error, plugin.entries = isolation.reason(error, plugin.distribution), []
            if self.manager.has_plugin(plugin.full_name):
                self.manager.unregister(name=plugin.full_name)

    def _register(self, module: Any, plugin: Plugin) -> dict[str, Callable[..., Any]]:
        """The hooks that the module implements, by name, made known to the manager. Raises: GanzooError."""
        hooks = self._hooks(module)
        plugin.hooks = sorted(hooks)
        unmarked = [name for name in HOOKS if name not in hooks and hasattr(module, name)]
        if not hooks:
            marked = f"; {unmarked[0]} lacks @hookimpl of ganzoo.api" if unmarked else ""
            raise GanzooError(f"its module {plugin.module} implements no hook{marked}")
        plugin.remarks += [f"its {name} is not called, for want of @hookimpl" for name in unmarked]
        events = hooks.keys() - {hook for hook, _, _ in KINDS.values()}
        if events and not self.manager.is_registered(module):  # a second distribution may offer the same module
            self.manager.register(module, name=plugin.full_name)
        return hooks

    def _hooks(self, module: Any) -> dict[str, Callable[..., Any]]:
        found: dict[str, Callable[..., Any]] = {}
        names: Iterable[str] = dir(module)
        if isinstance(module, ModuleType):  # pluggy looks at a name much longer than this
            names = [name for name, value in vars(module).items() if inspect.isroutine(value)]
        for name in names:
            options = self.manager.parse_hookimpl_opts(module, name)
            if options is None:
                continue
            hook = options["specname"] or name
            if hook not in HOOKS and not options["optionalhook"]:
                raise GanzooError(f"it is made for another ganzoo: this one has no hook {hook}; {nearest(hook, HOOKS)}")
            if options["wrapper"] or options["hookwrapper"]:
                raise GanzooError(f"its {name} is a hook wrapper, and ganzoo calls every hook by itself")
            if hook in found:
                raise GanzooError(f"its module implements {hook} twice")
            if hook in HOOKS:
                found[hook] = getattr(module, name)
        return found

    def _collect(self, kind: str, implementation: Callable[[], Any], plugin: Plugin) -> list[Entry]:
        """The entries that a catalogue hook gives. Raises: GanzooError for what is no sound card, or not a new one."""
        hook, card_type, _ = KINDS[kind]
        given = implementation()
        if not isinstance(given, Iterable | None):
            raise GanzooError(f"its {hook} gave a {type(given).__name__}; it should yield each {card_type.__name__}")
        found: list[Entry] = []
        taken = {entry.full_name: each for each in self.plugins for entry in each.entries if entry.kind == kind}
        for card in given or ():
            remark = cards.check(card, card_type, hook)
            if remark and remark not in plugin.remarks:
                plugin.remarks.append(remark)
            entry = Entry(kind, card, plugin.name, plugin.distribution, plugin.version)
            if entry.full_name in taken:
                also = f", as {taken[entry.full_name].name} does" if taken[entry.full_name] is not plugin else ""
                raise GanzooError(f"it offers the {kind} {entry.full_name} twice{also}")
            taken[entry.full_name] = plugin
            found.append(entry)
        return found

    def entries(self, kind: str) -> list[Entry]:
        """Everything of a kind ("architecture", "dataset", "loss", …), by name."""
        found = [entry for plugin in self.plugins for entry in plugin.entries if entry.kind == kind]
        return sorted(found, key=lambda entry: (entry.name, entry.distribution))

    @property
    def core(self) -> str:
        """The distribution that ganzoo itself came with."""
        return next((plugin.distribution for plugin in self.plugins if plugin.module == installed.CORE), "ganzoo")

    def find(self, kind: str, name: str, near: Sequence[str] = ()) -> Entry:
        """The entry called `name` or `distribution:name`.

        Args:
            near: distributions; where a plugin, not the user, wrote the bare name, the first of them that offers it is
                meant: its own, then ganzoo's.
        Raises: UsageError when there is none (with the nearest names) or when several plugins offer the bare name.
        """
        entries = self.entries(kind)
        found = [entry for entry in entries if _is_called(entry, name)]
        if len(found) > 1:
            nearest_first = (entry for distribution in near for entry in found if entry.distribution == distribution)
            found = [*islice(nearest_first, 1)] or found
        if len(found) == 1:
            return found[0]
        if found:
            names = " or ".join(entry.full_name for entry in found)
            raise UsageError(f"{len(found)} plugins offer the {kind} {name!r}; write {names}.")
        broken = [plugin for plugin in self.plugins if plugin.error]
        for plugin in broken:
            if _is_called(plugin, name):
                raise UsageError(f"The plugin {name!r} does not work: {plugin.error}. See `ganzoo plugins`.")
        hint = f" Plugins that do not work: {len(broken)}; see `ganzoo plugins`." if broken else ""
        hint += f" GANZOO_PLUGINS leaves out {self.left_out} plugins." if self.left_out else ""
        raise UsageError(f"There is no {kind} {name!r}; {nearest(name, {entry.name for entry in entries})}{hint}")

    def notify(self, event: str, complain: Callable[[str], None], **arguments: Any) -> None:
        """Tell every plugin about a run event. One that raises is complained about and hears no more of that run."""
        if event == "ganzoo_run_started":
            self._silent.clear()
        for implementation in reversed(getattr(self.manager.hook, event).get_hookimpls()):
            name = implementation.plugin_name
            if name in self._silent:
                continue
            plugin = next((plugin for plugin in self.plugins if plugin.full_name == name), None)
            who, remarks = str(plugin or f"the {name}"), list[str]()
            told = [arguments[argument] for argument in implementation.argnames]
            told = [dict(each) if isinstance(each, Mapping) else each for each in told]  # each may do with its own
            try:
                with isolation.preserved(remarks):
                    isolation.traced(f"{who}: {event}", partial(implementation.function, *told))
            except Interrupted:
                raise
            except BaseException as error:
                self._silent.add(name)
                reason = isolation.reason(error, plugin.distribution if plugin else "")
                complain(f"T{who[1:]} failed in {event} ({reason}); it is left out.")
            for remark in remarks:
                complain(f"T{who[1:]}, in {event}: {remark}.")


@cache
def catalogue() -> Catalogue:
    """The catalogue of this process, made once."""
    return Catalogue()


def entries(kind: str) -> list[Entry]:
    """Everything of a kind in the catalogue; see `Catalogue.entries`."""
    return catalogue().entries(kind)


def find(kind: str, name: str, near: Sequence[str] = ()) -> Entry:
    """Looks a name up in the catalogue; see `Catalogue.find`."""
    return catalogue().find(kind, name, near)


def written_by(kind: str, spec: str, near: Sequence[str]) -> str:
    """A name that a plugin or an earlier run wrote, with or without options, so that nothing else can be meant by it.

    ``"distribution:name"`` where several offer it; as it is where nobody does. A loss or penalty of ganzoo's own stays
    as it is, since `make_loss` and `make_penalties` prefer those, and a stranger's always gets its full name.
    """
    name, found = parse_spec(spec)[0], catalogue()
    offers = [entry.name for entry in found.entries(kind)].count(name)
    if not offers:
        return spec
    entry = found.find(kind, name, near)
    clear = entry.distribution == found.core if kind in ("loss", "penalty") else offers == 1
    return spec if clear else f"{entry.distribution}:{spec}"


def _is_called(thing: Entry | Plugin, name: str) -> bool:
    """Whether a thing has this name, bare or as ``distribution:name``."""
    distribution, colon, bare = name.rpartition(":")
    same = not colon or installed.canonical(distribution) == installed.canonical(thing.distribution)
    return same and thing.name == bare


def _timed(plugin: Plugin, what: str, work: Callable[[], T]) -> T:
    """What `work` gives, recorded among the plugin's calls."""
    started, given = time.perf_counter(), None
    try:
        given = isolation.traced(f"{plugin}: {what}", work)
        return given
    finally:
        cards = len(given) if isinstance(given, list) else None
        plugin.calls.append(Call(what, time.perf_counter() - started, cards))
