"""Which plugins somebody means by a name or by a path."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import invalidate_caches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ganzoo.catalogue.catalogue import KINDS, Entry, Plugin, catalogue
from ganzoo.catalogue.single_file import use_plugin
from ganzoo.contract import hookspecs
from ganzoo.errors import UsageError, suggest

EVENTS = {name for name in dir(hookspecs) if name.startswith("ganzoo_")} - {hook for hook, _, _ in KINDS.values()}
_sites: list[TemporaryDirectory[str]] = []  # of projects that are not installed, until the process ends


@dataclass(frozen=True)
class Found:
    """A plugin and what of it is meant; a thing without a plugin when it is of no catalogue.

    Attributes:
        called: what the things are called in checks, where it is not their own name.
        single_file: whether the plugin is a file that is not installed.
        whole: whether all of the plugin is meant, run events too.
    """

    plugin: Plugin | None
    entries: tuple[Entry, ...]
    called: str = ""
    single_file: bool = False
    whole: bool = True

    @classmethod
    def of(cls, entry: Entry) -> Found:
        """A thing by itself."""
        return cls(None, (entry,), entry.full_name, whole=False)

    @property
    def hears_runs(self) -> bool:
        """Whether its module hears of runs."""
        return self.whole and self.plugin is not None and bool(EVENTS.intersection(self.plugin.hooks))


def look_up(what: str | Path) -> list[Found]:
    """What a name means, else what lies at a path. Raises: UsageError when it is neither."""
    if isinstance(what, str) and not what.endswith(".py") and os.sep not in what.rstrip(os.sep):
        found = _by_name(what)
        if found:
            return found
    path = Path(what).expanduser()
    if path.is_dir():
        return _project(path.resolve())
    if path.suffix == ".py" and path.is_file():
        return _file(path.resolve())
    plugins = catalogue().plugins
    known = {name for plugin in plugins for name in (plugin.name, plugin.distribution)}
    things = {entry.name for plugin in plugins for entry in plugin.entries}
    raise UsageError(
        f"There is no plugin {str(what)!r}, nor a folder or file of that name; {suggest(str(what), known | things)}"
    )


def _by_name(name: str) -> list[Found]:
    """Plugins by their entry point's or distribution's name, else the things of that name."""
    plugins = catalogue().plugins
    for attribute in ("name", "distribution"):
        found = [Found(plugin, tuple(plugin.entries)) for plugin in plugins if getattr(plugin, attribute) == name]
        if found:
            return found
    named = [(plugin, entry) for plugin in plugins for entry in plugin.entries if name in (entry.name, entry.full_name)]
    return [Found(plugin, (entry,), name, whole=False) for plugin, entry in named]


def _project(folder: Path) -> list[Found]:
    """The plugins of a project that need not be installed. Raises: UsageError when its pyproject.toml names none."""
    file = folder / "pyproject.toml"
    try:
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        points = project["entry-points"]["ganzoo"]
        name = str(project["name"])
    except OSError as error:
        raise UsageError(f"{folder} has no pyproject.toml, which would say its entry points.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not a TOML file: {error}.") from error
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"{file} names no plugin; it takes a [project] with a name, and [project.entry-points.ganzoo] with a "
            'line such as my-gan = "ganzoo_my_gan".'
        ) from error
    _stand_in(folder, name, str(project.get("version", "0")), points)
    return [Found(plugin, tuple(plugin.entries)) for plugin in catalogue().plugins if plugin.distribution == name]


def _stand_in(folder: Path, name: str, version: str, points: Mapping[str, Any]) -> None:
    """Makes a project's plugins known to this process, and to those it starts, as if pip had installed it with -e."""
    places = []
    for module in points.values():
        top = str(module).partition(":")[0].partition(".")[0]
        homes = [home for home in (folder, folder / "src") if (home / top).is_dir() or (home / f"{top}.py").is_file()]
        if not homes:
            raise UsageError(f"{folder} has no module {top}, which its pyproject.toml names; not in src either.")
        loaded = getattr(sys.modules.get(top), "__file__", None)
        if loaded and not Path(loaded).resolve().is_relative_to(folder):
            raise UsageError(f"The module {top} of {folder} hides behind {loaded}, which is imported already.")
        places.append(str(homes[0]))
    site = TemporaryDirectory(prefix="ganzoo-check-", ignore_cleanup_errors=True)
    _sites.append(site)
    metadata = Path(site.name) / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    lines = "".join(f"{point} = {module}\n" for point, module in points.items())
    (metadata / "entry_points.txt").write_text(f"[ganzoo]\n{lines}", encoding="utf-8")
    sys.path[:0] = [site.name, *dict.fromkeys(places)]
    invalidate_caches()
    catalogue.cache_clear()


def _file(file: Path) -> list[Found]:
    try:
        plugin: Plugin = use_plugin(file)
    except UsageError as error:
        plugin = Plugin(str(file), str(file), str(file), "", error=str(error).rstrip("."))
    return [Found(plugin, tuple(plugin.entries), single_file=True)]
