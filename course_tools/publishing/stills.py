"""Pictures of the live figures as they start: for notebooks, for pages without JavaScript, and until a script runs."""

import inspect
import io
from base64 import b64encode
from pathlib import Path

from PIL import Image

from course_lib import live
from course_lib.errors import CourseError
from course_lib.live.figure import STILLS
from course_tools.publishing.browser import OPTIONS, find_browser

_FONT = Path(__file__).parents[2] / "book" / "_static" / "fonts" / "source-sans-3.woff2"
WIDTHS = {"": 720, "-narrow": 340}  # of the picture, in CSS pixels: a page's text on a desktop and on a phone


def figures() -> dict[str, live.LiveFigure]:
    """Every live figure as it is without arguments, by name."""
    made = [function() for _, function in inspect.getmembers(live, inspect.isfunction)]
    return {figure.name: figure for figure in made}


def make_stills(names: list[str], pages: Path) -> list[Path]:
    """Take the pictures of these figures, or of all where none is named, and write each figure as a page of its own.

    Returns: the pages, in the folder ``pages``.
    Raises: CourseError for a name that no figure has, where there is no browser, or where a figure did not start.
    """
    from playwright.sync_api import sync_playwright

    known = figures()
    if unknown := set(names) - set(known):
        raise CourseError(f"There is no live figure {min(unknown)!r}: choose some of {', '.join(known)}.")
    STILLS.mkdir(exist_ok=True)
    pages.mkdir(parents=True, exist_ok=True)
    written = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=OPTIONS)
        for name in names or known:
            page = pages / f"{name}.html"
            for suffix, width in WIDTHS.items():
                (STILLS / f"{name}{suffix}.png").write_bytes(take_still(browser, known[name], width))
            page.write_text(_page(known[name]), encoding="utf-8")
            written.append(page)
        browser.close()
    return written


def take_still(browser, figure: live.LiveFigure, width: int) -> bytes:
    """A PNG of a figure as it starts, ``width`` CSS pixels wide and twice as sharp. ``browser`` is Playwright's."""
    page = browser.new_page(viewport={"width": width, "height": 900}, device_scale_factor=2, color_scheme="light")
    page.emulate_media(reduced_motion="reduce")
    page.set_content(_page(figure))
    place = page.locator("figure > div")
    page.wait_for_function("document.querySelector('[data-live]')")
    if place.get_attribute("data-live") != "on":
        raise CourseError(f"The live figure {figure.name} did not start: {place.locator('[role=status]').inner_text()}")
    page.evaluate("() => document.fonts.ready")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    picture = Image.open(io.BytesIO(place.screenshot())).convert("RGB")
    page.close()
    return _picture(picture)


def _page(figure: live.LiveFigure) -> str:
    font = f"url(data:font/woff2;base64,{b64encode(_FONT.read_bytes()).decode()})"
    style = f"@font-face {{ font-family: 'Source Sans 3'; font-weight: 200 900; src: {font} }} body {{ margin: 0 }}"
    head = f'<meta name="viewport" content="width=device-width"><title>{figure.name}</title><style>{style}</style>'
    return f"<!doctype html>\n{head}\n{figure.to_html()}"


def _picture(picture: Image.Image) -> bytes:
    packed = io.BytesIO()
    picture.quantize(128, dither=Image.Dither.NONE).save(packed, format="png", optimize=True)
    return packed.getvalue()
