"""Discovery: finds every installed plugin, keeps the broken ones from breaking the rest, and looks names up.

A plugin is a module under the entry-point group ``ganzoo``, whoever published it. Each is imported by itself and each
of its hooks is called by itself; whatever goes wrong becomes that plugin's `error`, one sentence.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import islice
from operator import attrgetter
from typing import Any, Literal, TypeVar

from ganzoo.about import DISTRIBUTION, __version__
from ganzoo.catalogue import builtin, entry_points, isolation
from ganzoo.catalogue.events import HOOKS, Listeners
from ganzoo.contract import cards
from ganzoo.contract.cards import ArchitectureCard, RecipeCard
from ganzoo.contract.options import parse_spec
from ganzoo.errors import GanzooError, Interrupted, UsageError, suggest

T = TypeVar("T")

# kind of entry -> (hook that yields it, type of its card, field of the card that names the thing)
KINDS: dict[str, tuple[str, type, str]] = {
    "architecture": ("ganzoo_architectures", cards.ArchitectureCard, "model"),
    "dataset": ("ganzoo_datasets", cards.DatasetCard, "dataset"),
    "loss": ("ganzoo_losses", cards.LossCard, "loss"),
    "penalty": ("ganzoo_penalties", cards.PenaltyCard, "penalty"),
    "augmentation": ("ganzoo_augmentations", cards.AugmentationCard, "augmentation"),
    "metric": ("ganzoo_metrics", cards.MetricCard, "metric"),
    "logger": ("ganzoo_loggers", cards.LoggerCard, "logger"),
    "modality": ("ganzoo_modalities", cards.ModalityCard, "modality"),
    "scheme": ("ganzoo_schemes", cards.SchemeCard, "scheme"),
    "command": ("ganzoo_commands", cards.CommandCard, "command"),
    "recipe": ("ganzoo_recipes", cards.RecipeCard, ""),
}
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
                thing = attrgetter(name)(importlib.import_module(module))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            reason = isolation.reason(error, self.distribution)
            raise GanzooError(f"The {what} cannot be imported: {reason}.") from error
        for remark in remarks:
            print(f"Warning: the {what}: {remark}.", file=sys.stderr)
        return thing


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


class Catalogue(Listeners):
    """Every plugin found and everything that the working ones offer.

    `left_out` is how many GANZOO_PLUGINS leaves out, `unknown` what stands in it and is nobody's name.
    """

    def __init__(self) -> None:
        if _making.get():
            raise GanzooError("it looks into the catalogue while it is imported; only the model's own module may")
        super().__init__()
        self.plugins: list[Plugin] = []
        self._whose: dict[tuple[str, str], Plugin] = {}  # by kind and full name
        there = entry_points.points()
        chosen, self.unknown = entry_points.chosen(there, os.environ.get("GANZOO_PLUGINS"))
        self.left_out = len(there) - len(chosen)
        token = _making.set(True)
        try:
            with isolation.Guard(isolation.SLOW) as guard:
                # The core's own need no metadata: they are there in a bare checkout too.
                own = Plugin("builtin", entry_points.CORE, DISTRIBUTION, __version__)
                self._load(own, lambda: builtin, guard)
                for point in chosen:
                    if point.value == entry_points.CORE:
                        continue
                    plugin = Plugin(point.name, point.value, point.distribution.name, point.distribution.version)
                    self._load(plugin, point.load, guard)
        finally:
            _making.reset(token)
        self.plugins.sort(key=lambda plugin: (plugin.name, plugin.distribution))

    def add(self, plugin: Plugin, load: Callable[[], Any], instead_of: Plugin | None = None) -> None:
        """Import `plugin`, register its hooks and collect its cards; a failure leaves it with an error and no entry.

        Args:
            instead_of: what is removed when that has worked.
        """
        with isolation.Guard(patience=None) as guard:
            self._load(plugin, load, guard, instead_of)
        if instead_of is not None and plugin.error is None:
            self.remove(instead_of)

    def remove(self, plugin: Plugin) -> None:
        """Forget `plugin` and all that it offers."""
        self.plugins.remove(plugin)
        self._whose = {what: whose for what, whose in self._whose.items() if whose is not plugin}
        self.unregister(plugin.full_name)

    def _load(
        self, plugin: Plugin, load: Callable[[], Any], guard: isolation.Guard, instead_of: Plugin | None = None
    ) -> None:
        self.plugins.append(plugin)
        try:
            with guard.around(str(plugin), plugin.remarks):
                hooks = self._register(_timed(plugin, "import", load), plugin)
                for kind, (hook, _, _) in KINDS.items():
                    if hook in hooks:
                        work = partial(_collect, kind, hooks[hook], plugin, self._whose, instead_of)
                        plugin.entries += _timed(plugin, hook, work)
            self._whose |= {(entry.kind, entry.full_name): plugin for entry in plugin.entries}
        except Interrupted:
            raise
        except BaseException as error:
            plugin.error, plugin.entries = isolation.reason(error, plugin.distribution), []
            self.unregister(plugin.full_name)

    def _register(self, module: Any, plugin: Plugin) -> dict[str, Callable[..., Any]]:
        """The hooks that the module implements, by name, made known to the manager. Raises: GanzooError."""
        hooks = self.hooks(module)
        plugin.hooks = sorted(hooks)
        unmarked = [name for name in HOOKS if name not in hooks and hasattr(module, name)]
        if not hooks:
            marked = f"; {unmarked[0]} lacks @hookimpl of ganzoo.api" if unmarked else ""
            raise GanzooError(f"its module {plugin.module} implements no hook{marked}")
        plugin.remarks += [f"its {name} is not called, for want of @hookimpl" for name in unmarked]
        events = hooks.keys() - {hook for hook, _, _ in KINDS.values()}
        if events and not self.manager.is_registered(module):  # a second distribution may offer the same module
            self.manager.register(module, name=plugin.full_name)
            self.titles[plugin.full_name] = str(plugin)
        return hooks

    def entries(self, kind: str) -> list[Entry]:
        """Everything of a kind ("architecture", "dataset", "loss", …), by name."""
        offered = [entry for plugin in self.plugins for entry in plugin.entries if entry.kind == kind]
        return sorted(offered, key=lambda entry: (entry.name, entry.distribution))

    def find(self, kind: str, name: str, near: Sequence[str] = ()) -> Entry:
        """The entry called `name` or `distribution:name`.

        Args:
            name: in capitals too, and one of its aliases where nothing has it for a name.
            near: distributions; where a plugin, not the user, wrote the bare name, the first of them that offers it is
                meant: its own, then ganzoo's.
        Raises: UsageError when there is none (with names that are near) or when several plugins offer the bare name.
        """
        entries = self.entries(kind)
        candidates = [entry for entry in entries if _is_called(entry, name)]
        candidates = candidates or [entry for entry in entries if _may_be_called(entry, name)]
        if len(candidates) > 1:
            nearest_first = (
                entry for distribution in near for entry in candidates if entry.distribution == distribution
            )
            candidates = [*islice(nearest_first, 1)] or candidates
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            names = " or ".join(entry.full_name for entry in candidates)
            raise UsageError(f"{len(candidates)} plugins offer the {kind} {name!r}; write {names}.")
        if kind in ("architecture", "recipe", "loss", "penalty", "augmentation"):
            from ganzoo.catalogue.meant import instead

            if other := instead(kind, name):
                raise UsageError(other)
        broken = [plugin for plugin in self.plugins if plugin.error]
        for plugin in broken:
            if _is_called(plugin, name):
                raise UsageError(f"The plugin {name!r} does not work: {plugin.error}. See `ganzoo plugins`.")
        hint = f" Plugins that do not work: {len(broken)}; see `ganzoo plugins`." if broken else ""
        hint += f" GANZOO_PLUGINS leaves out {self.left_out} plugins." if self.left_out else ""
        raise UsageError(f"There is no {kind} {name!r}; {suggest(name, {entry.name for entry in entries})}{hint}")


@cache
def catalogue() -> Catalogue:
    """The catalogue of this process, made once."""
    return Catalogue()


def entries(kind: str) -> list[Entry]:
    """Everything of a kind in the catalogue; see `Catalogue.entries`."""
    return catalogue().entries(kind)


def better_scores(kind: str | None = None) -> dict[str, str]:
    """Which way scores are better, "smaller" or "larger", by name; those of which neither can be said are left out.

    Args:
        kind: only those of items of this kind, a modality's name.
    """
    metrics = [entry.card for entry in entries("metric") if kind is None or kind in entry.card.modalities]
    return {name: way for card in metrics for name, way in card.better.items()}


def listening(name: str, listener: object) -> AbstractContextManager[None]:
    """For as long as it lasts, `listener` hears every training's events; a complaint about it gives its name."""
    return catalogue().listening({name: listener})


def find(kind: str, name: str, near: Sequence[str] = ()) -> Entry:
    """Looks a name up in the catalogue; see `Catalogue.find`."""
    return catalogue().find(kind, name, near)


def written_by(kind: str, spec: str, near: Sequence[str]) -> str:
    """A name that a plugin or an earlier run wrote, with or without options, so that nothing else can be meant by it.

    ``"distribution:name"`` where several offer it; as it is where one does, or nobody. A loss, penalty or augmentation
    of ganzoo's own stays as it is too, since `make_loss` and its like prefer those.
    """
    name, zoo = parse_spec(spec)[0], catalogue()
    names = [entry.name for entry in zoo.entries(kind)]
    called = any(_is_called(entry, name) for entry in zoo.entries(kind))
    if not called and any(_may_be_called(entry, name) for entry in zoo.entries(kind)):
        spec = f"{(entry := zoo.find(kind, name, near)).name}{spec.removeprefix(name)}"
        name = entry.name
    if names.count(name) < 2:
        return spec
    distribution = zoo.find(kind, name, near).distribution
    preferred = kind in ("loss", "penalty", "augmentation") and distribution == DISTRIBUTION
    return spec if preferred else f"{distribution}:{spec}"


def _collect(
    kind: str,
    implementation: Callable[[], Any],
    plugin: Plugin,
    taken: Mapping[tuple[str, str], Plugin],
    instead_of: Plugin | None,
) -> list[Entry]:
    """The entries that a catalogue hook gives.

    Args:
        taken: what is in the catalogue, by kind and full name, and whose it is.
        instead_of: whose things do not count.
    Raises: GanzooError for what is no sound card, or not a new one.
    """
    hook, card_type, _ = KINDS[kind]
    given = implementation()
    if not isinstance(given, Iterable | None):
        raise GanzooError(f"its {hook} gave a {type(given).__name__}; it should yield each {card_type.__name__}")
    by_name: dict[str, Entry] = {}
    for card in given or ():
        remark = cards.check(card, card_type, hook)
        if remark and remark not in plugin.remarks:
            plugin.remarks.append(remark)
        entry = Entry(kind, card, plugin.name, plugin.distribution, plugin.version)
        other = taken.get((kind, entry.full_name))
        other = None if other is instead_of else other
        if other or entry.name in by_name:
            raise GanzooError(
                f"it offers the {kind} {entry.full_name} twice{f', as {other.name} does' if other else ''}"
            )
        by_name[entry.name] = entry
    return list(by_name.values())


def _is_called(thing: Entry | Plugin, name: str) -> bool:
    """Whether a thing has this name, bare or as ``distribution:name``."""
    distribution, colon, bare = name.rpartition(":")
    return thing.name == bare and (not colon or entry_points.same(distribution, thing.distribution))


def _may_be_called(entry: Entry, name: str) -> bool:
    """Whether one may mean a thing by this name: in capitals, or by one of its aliases."""
    return _is_called(entry, name.lower()) or name.lower() in getattr(entry.card, "aliases", ())


def _timed(plugin: Plugin, what: str, work: Callable[[], T]) -> T:
    """What `work` gives, recorded among the plugin's calls."""
    started, given = time.perf_counter(), None
    try:
        given = isolation.traced(f"{plugin}: {what}", work)
        return given
    finally:
        cards = len(given) if isinstance(given, list) else None
        plugin.calls.append(Call(what, time.perf_counter() - started, cards))


def architectures(task: str | None = None) -> list[ArchitectureCard]:
    """The cards of every architecture of every installed plugin, by name; of one task, if given."""
    cards: list[ArchitectureCard] = [entry.card for entry in entries("architecture")]
    return [card for card in cards if task is None or task in card.tasks]


def recipes() -> list[RecipeCard]:
    """The experiments that `--recipe` takes."""
    return [entry.card for entry in entries("recipe")]
