"""Packages that ganzoo and its plugins can do without, imported when they are wanted."""

from __future__ import annotations

import importlib
from typing import Any

from ganzoo.errors import GanzooError


def need(module: str, package: str, what: str) -> Any:
    """Imports an optional module.

    Args:
        package: the distribution that it comes with.
        what: what the user asked for that needs it, such as ``"--log tensorboard"``.
    Raises: GanzooError, which says what to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise GanzooError(
            f"{what} needs the package {package}, which cannot be imported here ({error}); type: pip install {package}"
        ) from error
