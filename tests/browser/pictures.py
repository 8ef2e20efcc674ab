"""Takes the pictures of docs/images anew: one constructed patient's evidence everywhere, the simulator, and the report of a constructed hospital."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import Page

from cds_service.web.governance import rendered
from tests import build
from tests.browser.window import Window, chromium
from tests.docs.pages import DOCS
from tests.governance.books import DIGEST, OTHER, TODAY, Book, ago, in_memory
from tests.integration.server import serving

PATIENT = "test-sweet-macrocytosis"
LARGEST = 150_000
_DAYS, _NEW_RELEASE, _ODD, _SATURDAY = 181, 91, 38, 5
_COLOURS = 64
PAPER = {"width": 703, "height": 1047}  # A4 without its margins, at 96 dots an inch


class Picture(NamedTuple):
    """One picture: its file, and how its window is."""

    file: Path
    wishes: dict[str, Any]
    shows: str = "evidence"  # or paper | simulator | report


PICTURES = (
    Picture(DOCS / "images" / "evidence.png", {"viewport": {"width": 860, "height": 1290}}),
    Picture(DOCS / "images" / "evidence-dark.png", {"viewport": {"width": 860, "height": 1290}, "color_scheme": "dark"}),
    Picture(DOCS / "images" / "evidence-phone.png", {"viewport": {"width": 375, "height": 1300}}),
    Picture(DOCS / "images" / "evidence-print.png", {"viewport": PAPER}, shows="paper"),
    Picture(DOCS / "images" / "simulator.png", {"viewport": {"width": 1400, "height": 1000}}, shows="simulator"),
    Picture(DOCS / "images" / "governance.png", {"viewport": {"width": 900, "height": 1250}}, shows="report"),
)


def main() -> None:
    """Write every picture, none of which is large."""
    with serving() as base, chromium() as browser:
        for picture in PICTURES:
            window = Window(browser, **picture.wishes)
            _open(window.page, base, picture.shows)
            window.page.screenshot(path=picture.file)
            window.close()
            Image.open(picture.file).convert("RGB").quantize(_COLOURS).save(picture.file, optimize=True)
            print(f"{picture.file.name}: {picture.file.stat().st_size} bytes")
            if picture.file.stat().st_size > LARGEST:
                raise SystemExit(f"{picture.file} is larger than {LARGEST} bytes. Take a smaller window.")


def _open(page: Page, base: str, shows: str) -> None:
    match shows:
        case "report":
            page.set_content(hospital())
        case "simulator":
            page.goto(base)
            page.get_by_role("button", name="Open the chart").click()
            page.wait_for_selector(".chart")
            page.evaluate("scrollTo(0, 0)")
        case _:
            if shows == "paper":
                page.emulate_media(media="print")
            page.goto(f"{base}/evidence/{PATIENT}")


def hospital() -> str:
    """Half a year of a hospital with two clients, in which the knowledge changed once, and one day was odd."""
    with in_memory() as book:
        for day in _weekdays():
            _write(book, day)
        return rendered(book.report(ago(_DAYS), TODAY), build.KNOWLEDGE)


def _weekdays() -> Iterator[dt.date]:
    yield from (day for day in (ago(n) for n in range(_DAYS, -1, -1)) if day.weekday() < _SATURDAY)


def _write(book: Book, day: dt.date) -> None:
    chance = random.Random(day.toordinal())  # the same hospital each time
    digest = DIGEST if day < ago(_NEW_RELEASE) else OTHER
    odd = day == ago(_ODD)
    for client, calls in (("north", 120), ("west", 60)):
        shown = round(calls * (0.8 if odd and client == "north" else chance.gauss(0.08, 0.01)))
        withheld = round(calls * chance.gauss(0.2, 0.01))
        for outcome, count in (("shown", shown), ("withheld", min(withheld, calls - shown)), ("nothing", max(0, calls - shown - withheld))):
            book.calls(count, outcome, day=day, client=client, digest=digest)
        first = chance.randrange(4000)
        book.visitors(first, first + calls * 3 // 4, day=day, client=client, digest=digest)


if __name__ == "__main__":
    main()
