"""Options that another version of a plugin wrote, as the one that is installed takes them.

A `Config` that renames or drops an option says so in one place, a static method ``upgrade(options, version)``: from
options by name as they were stored to options by name as they are now. It is called with whatever is opened (run.json
and the stages in it, a model's header, a recipe), so it leaves alone what it does not know and what is already so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ganzoo.catalogue.catalogue import Entry
from ganzoo.contract import renamed
from ganzoo.contract.options import build, options
from ganzoo.contract.settings import Settings
from ganzoo.errors import GanzooError

if TYPE_CHECKING:
    from ganzoo.runs.header import Header


def upgraded(config: type, stored: Mapping[str, Any], version: str | None, name: str) -> dict[str, Any]:
    """Stored options of the architecture `name` as its present Config calls them; maybe only some of them.

    Args:
        version: of the distribution that wrote them; None where that is not known, as of a recipe.
    Raises: GanzooError when `upgrade` fails.
    """
    upgrade, known = getattr(config, "upgrade", None), {*options(config), *options(Settings)}
    try:
        current = dict(stored) if upgrade is None else upgrade(dict(stored), version)
        return {renamed.option(str(name), known): value for name, value in current.items()}
    except GanzooError:
        raise
    except Exception as error:
        raise GanzooError(
            f"{name} cannot bring options of version {version or 'unknown'} up to date: its Config.upgrade fails with "
            f"{type(error).__name__}: {error}."
        ) from error


def stored_config(entry: Entry, config: type, header: Header, what: str) -> Any:
    """The Config that the header of a run or model describes.

    Raises: GanzooError when it has options that this version does not know, each named.
    """
    stored = upgraded(config, header.config, header.version, entry.name)
    unknown = [f"--{name.replace('_', '-')}" for name in stored if name not in options(config)]
    if unknown:
        raise GanzooError(
            f"{what} was made with {', '.join(unknown)}, which {entry.name} of {entry.distribution} {entry.version} "
            f"does not have; open it with {header.distribution} {header.version}, which wrote it."
        )
    return build(config, stored, entry.name)
