"""The first two words of a training, looked up without torch."""

from __future__ import annotations

from ganzoo import data
from ganzoo.catalogue.catalogue import Entry, find
from ganzoo.errors import GanzooError, UsageError


def find_architecture(name: str, data_name: str) -> Entry:
    """The architecture `name`. Raises: UsageError when there is none, which knows the two words in the wrong order."""
    try:
        return find("architecture", name)
    except UsageError as error:
        try:
            find("architecture", data_name)
            data.info(name)
        except GanzooError:
            raise error from None
        raise UsageError(f"The architecture comes first; type: ganzoo train {data_name} {name}") from None
