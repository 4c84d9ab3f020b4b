"""A headless Chromium, and what a page did in it that it should not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser. The test is skipped where Playwright or Chromium is not installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


# Words that stand out from what is behind them by less than 4.5 to 1, or 3 to 1 where they are large.
PALE = """() => {
  const parts = (colour) => { const n = colour.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const over = (a, b) => [0, 1, 2].map((k) => a[k] * a[3] + b[k] * (1 - a[3])).concat(1);
  const light = (colour) => colour.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const behind = (element) => element === null ? [255, 255, 255, 1]
    : over(parts(getComputedStyle(element).backgroundColor), behind(element.parentElement));
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const words = texts.currentNode.textContent.trim();
    const { width, height } = element.getBoundingClientRect();
    if (!words || !width || !height || element.closest("script, style, noscript")) continue;
    const style = getComputedStyle(element);
    const ground = behind(element);
    const ink = over(parts(element.closest("svg") ? style.fill : style.color), ground);
    const [high, low] = [light(ink), light(ground)].sort((a, b) => b - a);
    const least = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
    if ((high + 0.05) / (low + 0.05) < least) found.push(words);
  }
  return [...new Set(found)];
}"""


class Watched:
    """A page in the browser, with what it said on the console and what it asked the network for."""

    def __init__(self, browser: Any, address: str, ready: str = "body[data-ready=yes]", **settings: Any) -> None:
        self.ready = ready
        self.page = browser.new_page(**settings)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type != "log" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda asked: self.requests.append(asked.url))
        self.open(address)

    def open(self, address: str) -> None:
        self.page.goto("about:blank")
        self.page.goto(address)
        self.page.wait_for_selector(self.ready, timeout=60_000)

    @property
    def outside(self) -> list[str]:
        """Requests that left the page's own file or address."""
        own = self.page.url.partition("#")[0]
        allowed = ("data:", "blob:", "about:blank", own)
        return [url for url in self.requests if not url.startswith(allowed)]
