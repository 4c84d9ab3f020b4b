"""The site of the documentation: every page is in it and in its navigation, and every link leads somewhere."""

from __future__ import annotations

import re
import runpy
import tomllib

import pytest
from support.documentation import PAGES, ROOT, blocks

SITE = runpy.run_path(str(ROOT / ".ci" / "site.py"))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    SITE["assemble"](folder)
    return folder


def named(nav: object) -> list[str]:
    """The pages of a navigation, whatever the depth."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [name for part in parts for name in named(part)]


def test_every_page_is_in_the_navigation_once(built):
    nav = named(tomllib.loads((built / "zensical.toml").read_text())["project"]["nav"])
    assert sorted(nav) == sorted(str(file.relative_to(built / "docs")) for file in (built / "docs").rglob("*.md"))
    shown = {file for file in SITE["pages"]() if file.name != "CHANGELOG.md"}
    assert shown == {*PAGES} - {ROOT / "README.md"}


def test_links_lead_to_pages_pictures_or_the_repository(built):
    for page in (built / "docs").rglob("*.md"):
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s#]+)", text):
            assert re.match(r"[a-z]+:", target) or (page.parent / target).is_file(), f"{page.name}: {target}"
    zoo = (built / "docs" / "zoo" / "fid.md").read_text()
    assert "Not checked against a published FID" in zoo


def test_it_is_built_outside_the_checkout():
    with pytest.raises(SystemExit, match="outside the checkout"):
        SITE["main"](ROOT / "site")


def test_the_toy_of_the_page_runs(capsys):
    page = ROOT / "docs" / "gans.md"
    [code] = [text for _, title, text in blocks(page) if title == "toy_gan.py"]
    short = code.replace("STEPS, BATCH = 3000, 256", "STEPS, BATCH = 40, 64")
    assert short != code
    exec(compile(short, "toy_gan.py", "exec"), {})
    said = r"step 40: loss of D \d\.\d\d, D\(x\) 0\.\d\d, D\(G\(z\)\) 0\.\d\d, \d of 8 clusters\n"
    assert re.fullmatch(said, capsys.readouterr().out)
