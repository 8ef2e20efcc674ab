"""A browser window that remembers what went wrong in it, and axe-core, which looks for what keeps people out."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.integration.packages import Package, fetch

AXE = Package("axe-core", "4.14.1", "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==")
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 375, "height": 800}
AT_400_PERCENT = {"width": 320, "height": 256}  # what is left of 1280 x 1024, as WCAG 2.2 has it (1.4.10)
_OVERLAPS = """drawings => [...document.querySelectorAll(drawings)].flatMap(svg => {
    const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]).filter(([, b]) => b.width);
    return boxes.flatMap(([a, x], i) => boxes.slice(i + 1).filter(([, y]) =>
        x.left < y.right && y.left < x.right && x.top + 2 < y.bottom && y.top + 2 < x.bottom).map(([b]) => a + ' | ' + b));
})"""


class NoBrowser(Exception):
    """There is no Chromium."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, for as long as it is needed. Raises NoBrowser."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise NoBrowser("Chromium was not found. Install Debian's package chromium (apt-get install chromium) and try again.")
    with sync_playwright() as played:
        browser = played.chromium.launch(executable_path=path, chromium_sandbox=False)
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """A window of some size and preference, and whatever a page complains of in it: console errors, refused styles, lost requests."""

    def __init__(self, browser: Browser, **wishes: Any) -> None:
        self._context = browser.new_context(**{"viewport": DESKTOP, **wishes})
        self.page: Page = self._context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"{request.url}: {request.failure}"))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def close(self) -> None:
        """Close it."""
        self._context.close()

    def spills(self) -> bool:
        """Whether the page is wider than the window, so that reading it needs scrolling both ways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    def overlaps(self, drawings: str) -> list[str]:
        """Pairs of words of one drawing that lie on each other."""
        found: list[str] = self.page.evaluate(_OVERLAPS, drawings)
        return found

    def barriers(self) -> list[str]:
        """What axe-core finds: each rule that is violated, with the first place."""
        self.page.evaluate(_axe())
        found = self.page.evaluate("axe.run(document)")
        return [f"{v['id']}: {v['help']} at {v['nodes'][0]['target']}: {v['nodes'][0]['html'][:200]}" for v in found["violations"]]


@cache
def _axe() -> str:
    with tarfile.open(fetch(AXE), "r:gz") as packed:
        script = packed.extractfile("package/axe.min.js")
        return script.read().decode() if script else ""
