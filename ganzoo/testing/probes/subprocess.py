"""Another Python, with the same modules to import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def python(*words: object, folder: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `python WORDS` in a folder, with all that can be imported here; it writes no bytecode."""
    places = os.pathsep.join(map(os.path.abspath, filter(None, sys.path)))
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": places, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
