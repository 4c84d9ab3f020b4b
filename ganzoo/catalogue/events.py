"""Who hears of runs: modules of plugins, always, and the loggers that a run names, for as long as it trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import pluggy

from ganzoo.catalogue import entry_points, isolation
from ganzoo.contract import hookspecs
from ganzoo.contract.warning import TrainingWarning
from ganzoo.errors import GanzooError, Interrupted, suggest

HOOKS = [name for name in dir(hookspecs) if name.startswith("ganzoo_")]


class Listeners:
    """Tells run events, each listener by itself. A complaint names them by `titles`, else by what they are called."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(entry_points.GROUP)
        self.manager.add_hookspecs(hookspecs)
        self.titles: dict[str, str] = {}
        self._silent: set[str] = set()  # what failed in the present run

    def hooks(self, module: Any) -> dict[str, Callable[..., Any]]:
        """The hooks that a module or an object implements, by name.

        Raises: GanzooError for one that there is not, one that comes twice, and a wrapper.
        """
        methods: dict[str, Callable[..., Any]] = {}
        names: Iterable[str] = dir(module)
        if isinstance(module, ModuleType):  # pluggy looks at a name much longer than this
            names = [name for name, value in vars(module).items() if callable(value) and not isinstance(value, type)]
        for name in names:
            options = self.manager.parse_hookimpl_opts(module, name)
            if options is None:
                continue
            hook = options["specname"] or name
            if hook not in HOOKS and not options["optionalhook"]:
                raise GanzooError(f"it is made for another ganzoo: this one has no hook {hook}; {suggest(hook, HOOKS)}")
            if options["wrapper"] or options["hookwrapper"]:
                raise GanzooError(f"its {name} is a hook wrapper, and ganzoo calls every hook by itself")
            if hook in methods:
                raise GanzooError(f"its module implements {hook} twice")
            if hook in HOOKS:
                methods[hook] = getattr(module, name)
        return methods

    def unregister(self, name: str) -> None:
        """`name` hears no more of anything, if it did."""
        self.titles.pop(name, None)
        if self.manager.has_plugin(name):
            self.manager.unregister(name=name)

    @contextmanager
    def listening(self, loggers: Mapping[str, object]) -> Iterator[None]:
        """For as long as it lasts, run events also go to these, by the name that a complaint gives them.

        Raises: GanzooError when one implements no hook, an unknown one, or one with other arguments.
        """
        registered = []
        try:
            for name, logger in loggers.items():
                try:
                    hooks = self.hooks(logger)
                    if not hooks:
                        raise GanzooError("it implements no hook")
                    self.manager.register(SimpleNamespace(**hooks), name=name)  # two loggers may be equal
                except (GanzooError, pluggy.PluginValidationError) as error:
                    raise GanzooError(f"The {name} does not work: {isolation.reason(error)}.") from error
                registered.append(name)
            yield
        finally:
            for name in registered:
                self.manager.unregister(name=name)

    def notify(self, event: str, complain: Callable[[str], None], **arguments: Any) -> list[TrainingWarning]:
        """Tell every plugin about a run event. One that raises is complained about and hears no more of that run.

        Returns: the warnings in the lists that they give back.
        """
        warnings: list[TrainingWarning] = []
        if event == "ganzoo_run_started":
            self._silent.clear()
        for implementation in reversed(getattr(self.manager.hook, event).get_hookimpls()):
            name = implementation.plugin_name
            if name in self._silent:
                continue
            who, remarks = self.titles.get(name, f"the {name}"), list[str]()
            told = [arguments[argument] for argument in implementation.argnames]
            told = [dict(each) if isinstance(each, Mapping) else each for each in told]  # each may do with its own
            try:
                with isolation.preserved(remarks):
                    given = isolation.traced(f"{who}: {event}", partial(implementation.function, *told))
                if isinstance(given, list):
                    warnings += [each for each in given if isinstance(each, TrainingWarning)]
            except Interrupted:
                raise
            except BaseException as error:
                self._silent.add(name)
                reason = isolation.reason(error, name.partition(":")[0])
                complain(f"T{who[1:]} failed in {event} ({reason}); it is left out.")
            for remark in remarks:
                complain(f"T{who[1:]}, in {event}: {remark}.")
        return warnings
