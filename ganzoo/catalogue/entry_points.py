"""Which plugins are installed: the entry points of ganzoo's group, distribution by distribution.

Metadata is read here rather than by `importlib.metadata.entry_points`, to which one distribution with a damaged file
is the end of the whole list, and which parses every METADATA as if it were an e-mail.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import metadata
from importlib.machinery import ModuleSpec
from operator import attrgetter
from pathlib import PurePath
from types import ModuleType
from typing import Any

from ganzoo.about import DISTRIBUTION
from ganzoo.errors import GanzooError

GROUP = "ganzoo"
CORE = "ganzoo.catalogue.builtin"  # what the core itself offers, which GANZOO_PLUGINS cannot leave out
_OBJECT = re.compile(r"(\w+(?:\.\w+)*)\s*(?::\s*(\w+(?:\.\w+)*))?\s*(?:\[.*\])?")


@dataclass(frozen=True)
class Distribution:
    """What pip installed: its name and version as its METADATA has them, and the folder that its files lie in."""

    name: str
    version: str
    folder: str
    metadata: metadata.Distribution = field(repr=False, compare=False)

    @cached_property
    def checkout(self) -> str | None:
        """The project's folder, where pip installed it with -e."""
        try:
            text = self.metadata.read_text("direct_url.json")
            if not text:
                return None
            import json
            from urllib.parse import unquote, urlsplit

            facts = json.loads(text)
            url = urlsplit(facts["url"] if facts.get("dir_info", {}).get("editable") else "")
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        path = unquote(url.path).rstrip("/")
        return (path.lstrip("/") if os.name == "nt" else path) if url.scheme == "file" else None

    def copy_of(self, package: str) -> str | None:
        """Where the distribution has a top-level package or module; None where nothing says so."""
        checkout = self.checkout
        if checkout is None:
            return _there(self.folder, package)
        # A virtual environment in the checkout is on the path too, and holds whatever else was installed.
        inside = [place for place in sys.path if f"{place}{os.sep}".startswith(f"{checkout}{os.sep}")]
        places = [place for place in inside if os.path.normpath(place) != os.path.normpath(self.folder)]
        return next(filter(None, (_there(place, package) for place in places)), None)

    def overwritten(self, file: str) -> bool:
        """Whether a file of one of its modules is another than the one that was installed, by RECORD: its hash
        differs, or the module was a package then and is a file now.
        """
        import base64
        import hashlib

        name = PurePath(os.path.relpath(file, self.folder)).as_posix()
        lines = (self.metadata.read_text("RECORD") or "").splitlines()
        recorded = {path: rest for path, _, rest in (line.partition(",") for line in lines)}
        if name not in recorded:
            return not name.startswith("../") and any(_top(path) == _top(name) for path in recorded)
        kind, _, stated = recorded[name].partition(",")[0].partition("=")
        if kind != "sha256":
            return False
        with open(file, "rb") as there:
            digest = base64.urlsafe_b64encode(hashlib.sha256(there.read()).digest()).decode().rstrip("=")
        return stated.rstrip("=") != digest


@dataclass(frozen=True)
class EntryPoint:
    """An entry point, ``name = module`` or ``name = module:attribute``; `rivals` are distributions with the same."""

    name: str
    value: str
    distribution: Distribution
    rivals: tuple[str, ...] = ()

    @property
    def names(self) -> set[str]:
        """What GANZOO_PLUGINS may call it."""
        return {self.name, self.distribution.name, f"{self.distribution.name}:{self.name}"}

    @property
    def module(self) -> str:
        """Raises: GanzooError when the line is not one of an entry point."""
        match = _OBJECT.fullmatch(self.value)
        if match is None:
            raise GanzooError(
                f"its entry point {f'{self.name} = {self.value}'!r} names no module; `name = module` does"
            )
        return match[1]

    def load(self) -> Any:
        """What it names, imported now. Raises: whatever the import does, and GanzooError where it is no plugin's."""
        package = self.module.partition(".")[0]
        if package == "ganzoo" and self.value != CORE:
            raise GanzooError(f"its module {self.module} lies inside ganzoo; a plugin has a module of its own")
        try:
            module = self._import(package)
        except ModuleNotFoundError as error:
            if not f"{self.module}.".startswith(f"{error.name}."):
                raise
            raise GanzooError(
                f"its module {error.name} is not there; install {self.distribution.name} again"
            ) from error
        if self.rivals and module.__file__ and self.distribution.overwritten(module.__file__):
            others = " and ".join(self.rivals)
            raise GanzooError(
                f"its module {self.module} was overwritten by that of {others}; uninstall one, then install "
                f"{self.distribution.name} again"
            )
        attribute = _OBJECT.fullmatch(self.value)[2]  # type: ignore[index]
        return attrgetter(attribute)(module) if attribute else module

    def _import(self, package: str) -> ModuleType:
        """The module of this distribution, also where another of that name comes first on the path.

        Raises: GanzooError when that other one is what the name stands for in this process already.
        """
        loaded, own = package in sys.modules, self.distribution.copy_of(package)
        try:
            module = importlib.import_module(self.module)
            other = _another(own, sys.modules[package].__spec__)
        except BaseException:
            other = None if loaded else _another(own, importlib.util.find_spec(package))
            if other is None:
                raise
        if other is None or own is None:
            return module
        if loaded:
            raise GanzooError(
                f"its module {package} ({own}) is hidden by another of that name, {other}; uninstall the one that you "
                "do not want"
            )
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{package}.")]:
            del sys.modules[name]
        sys.path.insert(0, os.path.dirname(own))
        try:
            return importlib.import_module(self.module)
        finally:
            sys.path.remove(os.path.dirname(own))


def _another(own: str | None, spec: ModuleSpec | None) -> str | None:
    """Where a package was found that is not a distribution's own; None where it is, or nothing says so."""
    places = list(spec.submodule_search_locations or filter(None, [spec.origin])) if spec else []
    if own is None or not places or own in places:
        return None
    return None if any(os.path.exists(place) and os.path.samefile(own, place) for place in places) else places[0]


def points() -> list[EntryPoint]:
    """Every entry point of the group, ganzoo's own first, so that its modules are what their names stand for.

    Of two distributions of one name the first on the path counts.
    """
    all_points = [point for distribution, text in _distributions() for point in _points(distribution, text)]
    # A stranger that names the core's module too would offer all its losses twice.
    claims_core = (point.distribution for point in all_points if point.value == CORE)
    owner = min(claims_core, key=lambda claim: not same(claim.name, DISTRIBUTION), default=None)
    claims: dict[str, set[str]] = {}
    for point in all_points:
        claims.setdefault(point.value, set()).add(point.distribution.name)
    kept = [
        replace(point, rivals=tuple(sorted(claims[point.value] - {point.distribution.name})))
        for point in all_points
        if point.value != CORE or point.distribution is owner
    ]
    return sorted(kept, key=lambda point: (point.distribution != owner, point.name, point.value))


def chosen(installed: list[EntryPoint], wanted: str | None) -> tuple[list[EntryPoint], set[str]]:
    """The entry points that GANZOO_PLUGINS asks for, and names in it that are nobody's; None asks for all of them.

    A name is an entry point's, a distribution's (all that it has), or ``distribution:name``.
    """
    if wanted is None:
        return installed, set()
    names = {name.strip() for name in wanted.split(",")} - {""}
    taken = [point for point in installed if point.value == CORE or point.names & names]
    return taken, names.difference(*(point.names for point in installed))


def canonical(name: str) -> str:
    """A distribution's name as the package index compares it: ``Ganzoo_Yours`` is ``ganzoo-yours``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def same(one: str, other: str) -> bool:
    """Whether two names are of one distribution, or of one file that is a plugin."""
    return one == other or (os.sep not in one and canonical(one) == canonical(other))


def advice(module: str, distribution: str | None) -> str:
    """What to install for want of a module: what the distribution asks for and is not there, else the module's name."""
    missing: list[str] = []
    for requirement in _requirements(distribution):
        text, _, marker = (part.strip() for part in requirement.partition(";"))
        name = re.split(r"[^\w.-]", text, maxsplit=1)[0]
        extra = re.search(r"""extra\s*==\s*['"]([^'"]+)""", marker)
        if not _is_installed(name):
            asked = f"{distribution}[{extra[1]}]" if extra else text.replace(" ", "")
            if canonical(name) == canonical(module):
                return _quoted([asked])
            missing += [] if marker else [asked]
    return _quoted(missing or [module])


def unmet(distribution: str) -> str | None:
    """Half a sentence about the first requirement of a distribution that is not met here; None where all are.

    What its METADATA states is compared with what is installed; extras are nobody's until they are asked for.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    for text in _requirements(distribution):
        try:
            needed = Requirement(text)
        except InvalidRequirement:
            return f"its requirement {text!r} is none that pip can read"
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        wanted = f"{needed.name}{needed.specifier}"
        there = metadata.version(needed.name) if _is_installed(needed.name) else None
        if there is None or not needed.specifier.contains(there, prereleases=True):
            state = f"{there} is installed" if there else "it is not installed"
            return f"it needs {wanted}, and {state}; type: pip install {_quoted([wanted])}"
    return None


def _distributions() -> Iterator[tuple[Distribution, str]]:
    """Those that say something of the group, with their entry_points.txt."""
    seen: set[str] = set()
    for each in metadata.distributions():
        try:
            text = each.read_text("entry_points.txt") or ""
        except (OSError, ValueError):  # no UTF-8
            text = None
        if text is not None and GROUP not in text:
            continue
        name, version = _name_and_version(each)
        if canonical(name) in seen or (text is None and not canonical(name).startswith(GROUP)):
            continue
        seen.add(canonical(name))
        broken = f"[{GROUP}]\n{name} = (a file that cannot be read)"
        yield Distribution(name, version, str(each.locate_file("")), each), broken if text is None else text


def _name_and_version(distribution: metadata.Distribution) -> tuple[str, str]:
    """From METADATA, else from the name of the folder that it should be in."""
    try:
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    except (OSError, ValueError):
        text = ""
    head = dict(re.findall(r"^(Name|Version):[ \t]*(\S+)", re.split(r"\r?\n\r?\n", text, maxsplit=1)[0], re.M))
    folder = PurePath(str(getattr(distribution, "_path", "unknown"))).stem
    name, _, version = folder.partition("-")
    return head.get("Name", name), head.get("Version", version or "unknown")


def _points(distribution: Distribution, text: str) -> Iterator[EntryPoint]:
    section, seen = "", set()
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == GROUP and line and line[0] not in "#;":
            name, _, value = map(str.strip, line.partition("="))
            if (name, value) not in seen:
                seen.add((name, value))
                yield EntryPoint(name, value, distribution)


def _top(path: str) -> str:
    """The top-level package or module that a file belongs to."""
    return path.partition("/")[0].removesuffix(".py")


def _there(folder: str, package: str) -> str | None:
    path = os.path.join(folder, package)
    if os.path.isdir(path):  # a file of that name is the command that pip wrote, where a venv lies in the checkout
        return path
    return f"{path}.py" if os.path.isfile(f"{path}.py") else None


def _requirements(distribution: str | None) -> list[str]:
    try:
        return (metadata.requires(distribution) or []) if distribution else []
    except metadata.PackageNotFoundError:
        return []


def _is_installed(name: str) -> bool:
    try:
        return metadata.distribution(name) is not None
    except (metadata.PackageNotFoundError, ValueError):
        return False


def _quoted(names: list[str]) -> str:
    return " ".join(f"'{name}'" if re.search(r"[^\w.-]", name) else name for name in names)
