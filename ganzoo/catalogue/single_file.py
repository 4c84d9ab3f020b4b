"""Plugins that are a single file, not installed: given by their path, and there for this process alone.

A run and a model say by path and SHA-256 which files they were made with. That names the code and does not bring it: a
file is taken up again by itself only while it is the very code that was once given to ganzoo here by hand. Anything
else has to be given anew, so that no run folder and no model file decides what is executed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ganzoo.catalogue.catalogue import KINDS, Entry, Plugin, catalogue
from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import home, make_folder, read_bytes

CODE_BYTES = 16_000_000  # of a plugin's file; a device, which has no end, is none

DIGITS = 12  # of the SHA-256 that stand for a version
_WORD = re.compile(r"(.+\.py)(?::([^:/\\]+))?")  # FILE.py, or FILE.py:NAME


@dataclass(frozen=True)
class PluginFile:
    """What a run or model says of a file that it was made with: its path, its SHA-256 in hexadecimal, what it had."""

    path: str
    sha256: str
    offers: tuple[str, ...]


@dataclass
class FilePlugin(Plugin):
    """A file as a plugin. Its name, and the distribution of what it offers, is its absolute path.

    Attributes:
        sha256: of its text, in hexadecimal; the first digits are its version.
        given: by the user, not found through what a run says.
    """

    sha256: str = ""
    given: bool = False

    @property
    def offers(self) -> list[str]:
        """Such as ``architecture my-gan``."""
        return [f"{entry.kind} {entry.name}" for entry in self.entries]

    def architecture(self, name: str) -> Entry:
        """Raises: GanzooError when it has none of this name."""
        for entry in self.entries:
            if (entry.kind, entry.name) == ("architecture", name):
                return entry
        raise GanzooError(f"{self.name} has no architecture {name!r}; give the file that has it: --plugin FILE.")

    @property
    def record(self) -> PluginFile:
        """What a run says of it."""
        return PluginFile(self.name, self.sha256, tuple(self.offers))


def use_plugin(path: str | os.PathLike[str]) -> FilePlugin:
    """Loads a Python file as a plugin, for this process: what it offers has names like everything installed.

    A file that has changed since takes its own place. Runs trained from here on say that they were made with it.

    Raises: UsageError when it is not there or does not work, with the reason.
    """
    place = Path(os.path.abspath(path))
    try:
        source = read_bytes(place, CODE_BYTES)
    except OSError as error:
        raise UsageError(f"The plugin {path} cannot be read ({error.strerror}).") from error
    plugin = _load(place, source)
    plugin.given = True
    with suppress(GanzooError, OSError):  # where nothing can be remembered, it has to be given each time
        marker = make_folder(home() / "plugin-files") / plugin.sha256
        marker.write_text(plugin.name + "\n", encoding="utf-8")
    return plugin


def is_file(word: str) -> bool:
    """Whether `named` takes this for a file."""
    return _WORD.fullmatch(word) is not None


def named(architecture: str) -> str:
    """The full name of an architecture that is given as ``FILE.py`` or ``FILE.py:NAME``; any other as it is.

    Raises: UsageError as `use_plugin`, and when the file has none, several, or none of this name.
    """
    match = _WORD.fullmatch(architecture)
    if match is None:
        return architecture
    path, name = match.groups()
    architectures = [entry for entry in use_plugin(path).entries if entry.kind == "architecture"]
    chosen = [entry for entry in architectures if name in (None, entry.name)]
    if len(chosen) == 1:
        return chosen[0].full_name
    if not architectures:
        raise UsageError(f"{path} has no architecture; what else it has can be used with --plugin {path}.")
    known = " or ".join(f"{path}:{entry.name}" for entry in architectures)
    raise UsageError(
        f"{path} has {len(architectures)} architectures; write {known}." if name is None else f"Write {known}."
    )


def records(earlier: Iterable[PluginFile] = ()) -> tuple[PluginFile, ...]:
    """The files that take part in a run: those it was made with `earlier`, as they are now, and all that were given."""
    plugins = [*map(stand_in, earlier), *(plugin for plugin in _files() if plugin.given)]
    return tuple({plugin.name: plugin.record for plugin in plugins if plugin is not None}.values())


def plugin_files() -> list[str]:
    """The files that are plugins in this process, as `--plugin` takes them."""
    return [plugin.name for plugin in _files()]


def reopen(files: Iterable[PluginFile], what: str) -> list[FilePlugin]:
    """The files that a run or a model was made with, loaded, or what was given in their place.

    Raises: GanzooError when one is gone, has changed, or was never given here, with what to do.
    """
    return [stand_in(file) or _take_up(file, what) for file in files]


def stand_in(file: PluginFile) -> FilePlugin | None:
    """What is loaded for a run's file: the same code, else what was given under its path, or has all that it had."""
    loaded = _files()
    given = [plugin for plugin in loaded if plugin.given]
    same = [plugin for plugin in loaded if plugin.sha256 == file.sha256]
    edited = [plugin for plugin in given if plugin.name == file.path]
    alike = [plugin for plugin in given if file.offers and {*file.offers} <= {*plugin.offers}]
    return next(iter([*same, *edited, *alike]), None)


def _take_up(file: PluginFile, what: str) -> FilePlugin:
    path = Path(file.path)
    try:
        if not path.is_file():  # a stranger's model might name a device, which has no end
            raise FileNotFoundError
        source = read_bytes(path, CODE_BYTES)
    except OSError:
        raise GanzooError(f"{what} was made with {path}, which is not there; say where it is: --plugin FILE.") from None
    digest = hashlib.sha256(source).hexdigest()
    if digest != file.sha256:
        raise GanzooError(
            f"{what} was made with {path}, which has changed since; put it back, or take it as it is now: "
            f"--plugin {path}."
        )
    if not _marker(digest).exists():
        raise GanzooError(
            f"{what} was made with {path}, code that was never given to ganzoo here; if you trust it: --plugin {path}."
        )
    return _load(path, source)


def _load(path: Path, source: bytes) -> FilePlugin:
    """Takes a file into the catalogue, in the place of what it was before. Raises: UsageError with the reason."""
    zoo, digest = catalogue(), hashlib.sha256(source).hexdigest()
    before = next((plugin for plugin in _files() if plugin.name == str(path)), None)
    if before is not None and before.sha256 == digest:
        return before
    module = f"{path.stem}_{digest[:DIGITS]}"
    plugin = FilePlugin(str(path), module, str(path), digest[:DIGITS], sha256=digest)
    zoo.add(plugin, lambda: _execute(source, path, module), instead_of=before)
    if plugin.error is not None:
        zoo.remove(plugin)
        raise UsageError(f"The plugin {path} does not work: {plugin.error}.")
    plugin.entries = [_by_module(entry, path.stem, module) for entry in plugin.entries]
    return plugin


def _execute(source: bytes, path: Path, name: str) -> ModuleType:
    """A module of this code under a name of its own, so that it hides nothing that is installed."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    return module


def _by_module(entry: Entry, stem: str, module: str) -> Entry:
    """A card of my_gan.py may say ``"my_gan:MyGAN"`` as that of an installed module would."""
    attribute = KINDS[entry.kind][2]
    target = getattr(entry.card, attribute) if attribute else None
    if not isinstance(target, str) or target.partition(":")[0] != stem:
        return entry
    card = dataclasses.replace(entry.card, **{attribute: f"{module}:{target.partition(':')[2]}"})
    return dataclasses.replace(entry, card=card)


def _files() -> list[FilePlugin]:
    return [plugin for plugin in catalogue().plugins if isinstance(plugin, FilePlugin)]


def _marker(digest: str) -> Path:
    """There when code of this SHA-256 was given by hand."""
    return home() / "plugin-files" / digest
