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
