"""Takes the pictures of docs/images anew: one constructed patient's evidence on a desk, in the dark, on a phone and on paper, and in the simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from tests.browser.window import Window, chromium
from tests.docs.pages import DOCS
from tests.integration.server import serving

PATIENT = "test-sweet-macrocytosis"
LARGEST = 150_000
_COLOURS = 64
PAPER = {"width": 703, "height": 1047}  # A4 without its margins, at 96 dots an inch


class Picture(NamedTuple):
    """One picture: its file, and how its window is."""

    file: Path
    wishes: dict[str, Any]
    paper: bool = False
    simulator: bool = False


PICTURES = (
    Picture(DOCS / "images" / "evidence.png", {"viewport": {"width": 860, "height": 1290}}),
    Picture(DOCS / "images" / "evidence-dark.png", {"viewport": {"width": 860, "height": 1290}, "color_scheme": "dark"}),
    Picture(DOCS / "images" / "evidence-phone.png", {"viewport": {"width": 375, "height": 1300}}),
    Picture(DOCS / "images" / "evidence-print.png", {"viewport": PAPER}, paper=True),
    Picture(DOCS / "images" / "simulator.png", {"viewport": {"width": 1400, "height": 1000}}, simulator=True),
)


def main() -> None:
    """Write every picture, none of which is large."""
    with serving() as base, chromium() as browser:
        for picture in PICTURES:
            window = Window(browser, **picture.wishes)
            if picture.paper:
                window.page.emulate_media(media="print")
            if picture.simulator:
                window.page.goto(base)
                window.page.get_by_role("button", name="Open the chart").click()
                window.page.wait_for_selector(".chart")
                window.page.evaluate("scrollTo(0, 0)")
            else:
                window.page.goto(f"{base}/evidence/{PATIENT}")
            window.page.screenshot(path=picture.file)
            window.close()
            Image.open(picture.file).convert("RGB").quantize(_COLOURS).save(picture.file, optimize=True)
            print(f"{picture.file.name}: {picture.file.stat().st_size} bytes")
            if picture.file.stat().st_size > LARGEST:
                raise SystemExit(f"{picture.file} is larger than {LARGEST} bytes. Take a smaller window.")


if __name__ == "__main__":
    main()
