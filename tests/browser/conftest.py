"""Debian's Chromium, driven over the running Peygir: pages open without script, and every trouble of a page is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, sync_playwright

from deploy.local.processes import System
from tests.e2e.people import Town, people_of

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def town(system: System) -> Iterator[Town]:
    with people_of(system) as town:
        yield town


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    binary = shutil.which("chromium")
    assert binary, "chromium is missing: sudo apt-get install chromium fonts-noto-core"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=FLAGS)
        yield browser
        browser.close()


class Walker:
    """One visitor's page. `shot` takes a picture of each step into the test's folder; `troubles`: what the browser said, but
    for answers of an `expected` status."""

    def __init__(self, page: Page, base: str, folder: Path, expected: tuple[int, ...] = ()) -> None:
        self._expected = (422, *expected)
        self.page, self.base, self._folder, self._shots = page, base, folder, 0
        self.troubles: list[str] = []
        self.addresses: list[str] = []
        page.on("framenavigated", lambda frame: self.addresses.append(frame.url))
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("requestfailed", self._failed)

    def _said(self, message: ConsoleMessage) -> None:
        # A form with errors is answered 422, which the browser notes; all else is trouble, CSP first of all.
        if any(f"status of {status}" in message.text for status in self._expected):
            return
        if message.type in ("error", "warning"):
            self.troubles.append(message.text)

    def _failed(self, request: Request) -> None:
        # What was still loading when the visitor went on is given up by the browser itself.
        if request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"failed: {request.url}: {request.failure}")

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def shot(self, name: str) -> None:
        """A picture, and what holds on every page: no sideways scroll, a language, a heading, labels."""
        self._shots += 1
        self.page.screenshot(path=self._folder / f"{self._shots:02d}-{name}.png", full_page=True)
        assert self.page.locator("h1").count() == 1, f"{name}: {self.page.locator('h1').count()} headings"
        assert not self.unlabelled(), f"{name}: {self.unlabelled()}"

    def unlabelled(self) -> list[str]:
        """Fields without a label and pictures without an alternative, by their HTML."""
        fields = self.page.locator("input:not([type=hidden]), textarea, select").all()
        bare = [
            field.evaluate("one => one.outerHTML")
            for field in fields
            if not self.page.locator(f'label[for="{field.get_attribute("id")}"]').count()
        ]
        return bare + [image.evaluate("one => one.outerHTML") for image in self.page.locator("img:not([alt])").all()]

    def next(self, name: str | None = None) -> None:
        """Presses the button with these words, or the page's main one."""
        main = self.page.locator("main")
        if name is None:
            main.locator("form button[type=submit]:not(.quiet):not(.second)").first.click()
        else:
            main.get_by_role("button", name=name, exact=True).first.click()

    def back(self) -> None:
        """The browser's back button. While Chromium changes one page's process for the next, there is no history to ask."""
        for _ in range(50):
            self.page.wait_for_load_state()
            try:
                self.page.go_back()
            except Error as error:
                if "Not attached to an active page" not in error.message:
                    raise
                self.page.wait_for_timeout(100)
            else:
                return
        raise AssertionError("the page never came to rest")

    def shows(self, text: str) -> bool:
        return text in self.page.locator("body").inner_text()

    def width_beyond(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.fixture
def walk(chromium: Browser, system: System, tmp_path: Path) -> Iterator[Callable[..., Walker]]:
    """Makes visitors: `walk(width=360)`; pictures are in tmp_path. Script is off, as on the phones these pages are for."""
    walkers: list[Walker] = []

    def make(width: int = 360, script: bool = False, expected: tuple[int, ...] = ()) -> Walker:
        context = chromium.new_context(
            java_script_enabled=script,
            viewport={"width": width, "height": 760},
            locale="fa-IR",
            timezone_id="Asia/Tehran",
        )
        context.set_default_timeout(15_000)
        walker = Walker(context.new_page(), system.gateway_url, tmp_path, expected)
        walkers.append(walker)
        return walker

    yield make
    for walker in walkers:
        walker.page.context.close()
        assert walker.troubles == []
