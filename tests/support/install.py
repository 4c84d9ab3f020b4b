"""Plugins installed as pip would, and forgotten again."""

from __future__ import annotations

from pathlib import Path


def write_distribution(site: Path, name: str, points: dict[str, str], version: str = "1.0") -> None:
    """The metadata of an installed distribution with these entry points of ganzoo's group."""
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    lines = [f"{point} = {module}\n" for point, module in points.items()]
    (folder / "entry_points.txt").write_text("[ganzoo]\n" + "".join(lines), encoding="utf-8")


def forget_files() -> None:
    """Has this process know no plugin files, as a new one would not."""
    from ganzoo.catalogue.catalogue import catalogue
    from ganzoo.catalogue.single_file import FilePlugin

    for plugin in [each for each in catalogue().plugins if isinstance(each, FilePlugin)]:
        catalogue().remove(plugin)
