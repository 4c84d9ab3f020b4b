"""The page that `ganzoo report` makes, in a real browser."""

from __future__ import annotations

import json

import pytest
from support.browser import PALE, Watched, chromium
from support.command_line import cli

import ganzoo
from ganzoo.loop.display import Display

pytest.importorskip("plotly", reason="the extra report is not installed")


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def report(finished, tmp_path_factory):
    """The page of a finished run, and the run."""
    file = tmp_path_factory.mktemp("report") / "page.html"
    assert cli("report", finished.path, "-o", file).exit_code == 0
    return file


@pytest.fixture
def opened(browser, report):
    watched = Watched(browser, report.as_uri())
    yield watched
    assert watched.complaints == []
    assert watched.outside == []
    watched.page.close()


def pictures(page) -> dict[str, str]:
    """What every picture that the slider moves shows now."""
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('img[data-series]')].map(p => [p.dataset.series, p.src]))"
    )


def test_the_slider_changes_every_picture(opened):
    page = opened.page
    last = pictures(page)
    assert {"r0-sheet", "r0-nearest", "r0-walk"} <= last.keys()
    page.focus("#at")
    page.keyboard.press("Home")
    first = pictures(page)
    assert [name for name in last if first[name] == last[name]] == []
    assert page.get_attribute("#at", "aria-valuetext") == "48 images seen (epoch 1, step 3)"
    assert page.inner_text("#when") == "48 images seen (epoch 1, step 3)"
    assert all(
        "48 images seen" in alt for alt in page.eval_on_selector_all("img[data-series]", "all => all.map(e => e.alt)")
    )


def test_items_cut_from_sheets_move_too(browser, tmp_path_factory):
    options = {"layers_d": 1, "blocks": 1, "width_g": 4, "width_d": 4, "load_size": 32, "resolution": 32}
    folder = tmp_path_factory.mktemp("pairs") / "run"
    ganzoo.train("cyclegan", "anime-hair:images=12", out=folder, steps=1, sample_every=1, batch_size=1, samples=4,
                 lr=0.05, device="cpu", display=Display(), **options)  # fmt: skip
    cli("report", folder, "--full")  # without loss, so that what stays the same is the same
    watched = Watched(browser, (folder / "report.html").as_uri())
    page = watched.page
    content = "[...document.querySelectorAll('canvas')].map(c => c.toDataURL())"
    page.wait_for_selector("canvas[data-shown]")
    last = page.evaluate(content)
    assert len(last) == 10  # six rows, and two swipes of two
    page.focus("#at")
    page.keyboard.press("Home")
    page.wait_for_selector("canvas[data-shown='2']")
    first = page.evaluate(content)
    page.evaluate("document.querySelector('.row span').textContent = 'a domain with a long name'")
    edges = page.evaluate("[...document.querySelectorAll('.row canvas')].map(c => c.getBoundingClientRect().left)")
    assert len(set(edges)) == 1, "rows stand below each other, however long their names are"
    real = [0, 3, 6, 8]  # what was translated is the same all along
    assert [place for place in range(10) if first[place] == last[place]] == real
    page.focus(".edge")
    page.keyboard.press("End")
    assert page.evaluate("document.querySelector('.layers').style.getPropertyValue('--edge')") == "100%"
    assert watched.complaints == []
    assert watched.outside == []
    page.close()


def test_several_runs_move_together(browser, finished, train):
    other = train(out="<b>other", steps=3, sample_every=1)
    cli("report", finished.path, other.path)
    watched = Watched(browser, (other.path.resolve().parent / "report.html").as_uri())
    page = watched.page
    assert page.eval_on_selector_all("article h2", "all => all.map(e => e.textContent)") == [finished.name, "<b>other"]
    last = pictures(page)
    assert {name[:2] for name in last} == {"r0", "r1"}
    page.focus("#at")
    page.keyboard.press("Home")
    first = pictures(page)
    assert first["r0-sheet"] != last["r0-sheet"]
    assert first["r1-sheet"] != last["r1-sheet"]
    keys = "p => p.data.filter(t => t.showlegend !== false).map(t => t.name)"
    assert page.eval_on_selector(".plot", keys) == [finished.name, "&lt;b&gt;other"]
    verdicts = page.locator(".panel:has-text('mean verdict') .plot").evaluate(keys)
    assert verdicts[:2] == [finished.name, "&lt;b&gt;other"], "a colour a run"
    assert verdicts[2:4] == ["D(x)", "D(G(z))"], "a dash a value"
    assert page.locator("main b").count() == page.locator(".scores b").count()
    assert watched.complaints == []
    assert watched.outside == []
    page.close()


def test_curves_have_the_points_of_the_log(opened, finished):
    drawn = opened.page.evaluate(
        "[...document.querySelectorAll('.plot')].flatMap(p => p.data.map(t => [t.meta.value, t.x, t.y]))"
    )
    rows = list(finished.metrics())
    assert {"loss/D", "loss/G", "D(x)"} <= {name for name, _, _ in drawn}
    for name, x, y in drawn:
        assert list(zip(x, y, strict=True)) == [(row["images"], row[name]) for row in rows if name in row]


def test_the_address_keeps_the_view(opened, report):
    page = opened.page
    page.focus("#at")
    page.keyboard.press("Home")
    page.select_option("#axis", "epochs")
    page.fill("#smooth", "0.5")
    page.click("#closer")
    address = page.evaluate("location.hash")
    assert "at=48" in address
    assert "x=epochs" in address
    assert "smooth=0.5" in address
    assert "zoom=" in address
    opened.open(report.as_uri() + address)
    assert page.input_value("#at") == "0"
    assert page.input_value("#axis") == "epochs"
    axis = page.evaluate("document.querySelector('.plot').layout.xaxis")
    assert axis["title"]["text"] == "epochs"
    assert [round(end, 3) for end in axis["range"]] == [
        round(float(end), 3) for end in json.loads(f"[{address.partition('zoom=')[2].replace('%2C', ',')}]")
    ]
    page.click("#whole")
    assert "zoom" not in page.evaluate("location.hash")


def test_a_stage_leads_to_its_curves(browser, train, tmp_path):
    recipe = tmp_path / "two.toml"
    stages = "[[stages]]\nsteps = 3\n[[stages]]\nsteps = 2\nlr = 1e-4\n"
    recipe.write_text(f'architecture = "tinygan"\ndata = "tiny"\n{stages}')
    run = train(architecture=None, data=None, recipe=str(recipe))
    cli("report", run.path)
    page = Watched(browser, (run.path / "report.html").absolute().as_uri()).page
    for part in ("img", "table"):  # of stages side by side, whatever stands above them
        tops = page.locator(f".stage {part}").evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)")
        assert len(tops) == 2
        assert tops[0] == tops[1]
    page.get_by_role("link", name="Curves of this stage").nth(1).click()
    page.wait_for_function("() => document.querySelector('.plot').layout.xaxis.range?.join() === '48,80'")
    assert page.input_value("#at") == page.get_attribute("#at", "max")
    page.wait_for_function("() => document.querySelector('#curves').getBoundingClientRect().top < innerHeight")
    page.close()


def test_everything_can_be_used_by_keyboard_and_heard(opened):
    page = opened.page
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, input, select, img, [role=img]')].filter(e =>
            !(e.getAttribute('aria-label') || e.alt || e.textContent.trim() || (e.labels && e.labels.length)))
            .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    unreachable = page.evaluate(
        "[...document.querySelectorAll('button, input, select')].filter(e => e.tabIndex < 0).map(e => e.id)"
    )
    assert unreachable == []
    words = page.get_attribute(".plot", "aria-label")
    assert words.startswith("Loss of D over images seen: ")
    page.focus("#play")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_selector("#play[aria-label='Stop the animation']")
    page.wait_for_selector("#play[aria-label^='Play']")
    assert page.input_value("#at") == page.get_attribute("#at", "max")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light")])
def test_nothing_is_wider_than_the_screen(browser, report, width, scheme):
    watched = Watched(browser, report.as_uri(), viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert watched.page.evaluate("document.documentElement.scrollWidth") == width
    watched.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert watched.page.evaluate(PALE) == []
    assert watched.complaints == []
    watched.page.close()


def test_a_finger_on_a_curve_scrolls_the_page(browser, report):
    for has_touch, drag in ((True, False), (False, "zoom")):
        watched = Watched(browser, report.as_uri(), has_touch=has_touch, is_mobile=has_touch)
        assert watched.page.evaluate("document.querySelector('.plot').layout.dragmode") == drag
        watched.page.close()


def test_curves_have_one_axis_and_a_zoom_shows_the_heights_that_are_in_it(opened, finished):
    page = opened.page
    last = max(row["images"] for row in finished.metrics())
    axes = "[...document.querySelectorAll('.plot')].map(p => p.layout.xaxis.range.map(Math.round).join())"
    assert set(page.evaluate(axes)) == {f"0,{round(1.01 * last)}"}
    assert page.evaluate("document.querySelector('.plot').layout.showlegend") is False, "its heading says what it is"
    tops = page.locator(".panel:has-text('mean verdict') .legend .traces").evaluate_all(
        "all => all.map(e => Math.round(e.getBoundingClientRect().top))"
    )
    assert len(set(tops)) < len(tops), "a legend has its entries beside each other"
    page.evaluate("location.hash = 'zoom=60,97'")
    page.wait_for_function("() => document.querySelector('.plot').layout.yaxis.range")
    values = [row["loss/D"] for row in finished.metrics() if "loss/D" in row and 60 <= row["images"] <= 97]
    low, high = page.evaluate("document.querySelector('.plot').layout.yaxis.range")
    assert low < min(values) <= max(values) < high
    assert high - low <= 1.2 * (max(values) - min(values)) + 0.2


def test_on_paper_everything_is_open_and_within_the_page(browser, report):
    watched = Watched(browser, report.as_uri(), viewport={"width": 718, "height": 1000}, color_scheme="dark")
    page = watched.page
    before = page.locator("details[open]").count()
    page.emulate_media(media="print")
    page.wait_for_selector("details[open] >> nth=2")
    assert page.locator("details:not([open])").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 718
    sides = page.evaluate("[...document.querySelectorAll('.plot')].map(p => [p.layout.width, p.offsetWidth])")
    assert all(drawn == there for drawn, there in sides)
    cut = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).length"
    assert page.evaluate(cut) == 0, "paper cannot be scrolled"
    page.emulate_media(media="screen")
    page.wait_for_function("() => document.querySelectorAll('details[open]').length < 3")
    assert page.locator("details[open]").count() == before
    assert watched.complaints == []
    page.close()
