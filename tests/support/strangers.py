"""Strangers' plugins for the tests: what their modules say, and looking at what became of them."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

from ganzoo.catalogue.catalogue import Catalogue, Plugin

CARD = """
from ganzoo.api import ArchitectureCard, LossCard, hookimpl

def card(name="stranger", **changes):
    fields = dict(name=name, title="T", year=2020, paper="p", summary="s", licence="MIT", api=2, model="nowhere:Model")
    return ArchitectureCard(**{**fields, **changes})
"""
YIELDS = CARD + "@hookimpl\ndef ganzoo_architectures():\n    yield card()\n"


def plugin(catalogue: Catalogue, name: str = "stranger") -> Plugin:
    (found,) = [each for each in catalogue.plugins if each.name == name]
    return found


def names(catalogue: Catalogue, kind: str = "architecture") -> list[str]:
    return [entry.name for entry in catalogue.entries(kind)]


def wheel(folder: Path, name: str, version: str, modules: dict[str, str], points: str, metadata: str = "") -> Path:
    """A wheel with these modules (source by path) and this entry_points.txt, as a build backend would write it."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    files = {
        **modules,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": points,
    }
    record = [f"{path},sha256={_hash(text)},{len(text.encode())}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
