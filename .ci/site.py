"""Builds the documentation as a site: `python .ci/site.py FOLDER` leaves it in FOLDER/site, outside the checkout.

Pages are docs/ as they lie there, and the README of each plugin as a page of the zoo. A link to a page stays one, one
to another file of the checkout leads to the repository. Any warning of Zensical's, such as a broken link, is an error.
"""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ADDRESS = runpy.run_path(str(ROOT / "ganzoo" / "about.py"))["ADDRESS"].removeprefix("git+")
FILES = f"{ADDRESS}/blob/main/"  # where files are that are no pages
LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
PICTURES = (".gif", ".jpg", ".png", ".svg", ".webp")
ZOO = "    # the pages of the zoo\n"
MORE = "    # pages that are named nowhere above\n"


def pages() -> dict[Path, str]:
    """Each page's file in the checkout, and where it lies in the site."""
    found = {file: str(file.relative_to(ROOT / "docs")) for file in sorted((ROOT / "docs").rglob("*.md"))}
    for file in sorted((ROOT / "plugins").glob("*/README.md")):
        found[file] = f"zoo/{file.parent.name.removeprefix('ganzoo_').replace('_', '-')}.md"
    return {**found, ROOT / "CHANGELOG.md": "changelog.md"}


def linked(text: str, file: Path, known: dict[Path, str]) -> str:
    """A page's text, with links that lead where the pages are in the site."""
    here = Path(known[file]).parent

    def lead(match: re.Match[str]) -> str:
        before, target, after = match.groups()
        if re.match(r"[a-z]+:", target):
            return match[0]
        place = Path(os.path.normpath(file.parent / target))
        if place in known:
            return before + os.path.relpath(known[place], here) + after
        if place.is_relative_to(ROOT / "docs") and place.suffix in PICTURES:
            return before + os.path.relpath(place.relative_to(ROOT / "docs"), here) + after
        return before + FILES + str(place.relative_to(ROOT)) + after

    return LINK.sub(lead, text)


def assemble(folder: Path) -> None:
    """Writes pages, pictures and configuration into the folder."""
    known = pages()
    for file, name in known.items():
        target = folder / "docs" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(linked(file.read_text(encoding="utf-8"), file, known), encoding="utf-8")
    for picture in (file for file in (ROOT / "docs").rglob("*") if file.suffix in PICTURES):
        target = folder / "docs" / picture.relative_to(ROOT / "docs")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, target)
    config = (ROOT / ".ci" / "zensical.toml").read_text(encoding="utf-8")
    for mark, begins in ((ZOO, "zoo/"), (MORE, "")):
        rows = [f'    {{"{titled(file)}" = "{name}"}},\n' for file, name in known.items()
                if name.startswith(begins) and f'"{name}"' not in config]  # fmt: skip
        assert mark in config
        config = config.replace(mark, "".join(rows))
    (folder / "zensical.toml").write_text(config, encoding="utf-8")
    shutil.copyfile(ROOT / ".ci" / "site.css", folder / "docs" / "site.css")


def titled(file: Path) -> str:
    """A page's first heading."""
    return re.sub(r"[`\"]", "", file.read_text(encoding="utf-8").partition("\n")[0].lstrip("# "))


def main(folder: Path) -> int:
    if folder.resolve().is_relative_to(ROOT):
        sys.exit("The site is built outside the checkout.")
    assemble(folder)
    return subprocess.run([sys.executable, "-m", "zensical", "build", "--clean", "--strict"], cwd=folder).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
