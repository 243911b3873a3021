"""Nothing on a page moves under a reader's eyes when fonts, pictures and scripts come.

The browser reports what moved, as the share of the screen that it covered times how far it moved
(https://web.dev/articles/cls); what follows a reader's own click is not counted.
"""

import pytest
from book_pages import BOOK, ROOT

NONE = 0.02  # of 1; 0.1 counts as good
OBSERVE = """
window.shifts = [];
window.observer = new PerformanceObserver(list => window.shifts.push(...list.getEntries()));
window.observer.observe({ type: "layout-shift", buffered: true });
"""
READ = """async () => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    const all = [...window.shifts, ...window.observer.takeRecords()].filter(shift => !shift.hadRecentInput);
    return [all.reduce((sum, shift) => sum + shift.value, 0),
            all.flatMap(shift => shift.sources.map(({ node }) => node?.outerHTML ?? node?.textContent ?? ""))];
}"""
FORMS = {".guess": "> **Your guess.**", ".quiz": "**Question 1.**"}


def places():
    """The front page, a page whose formulas have a font of their own, and each box that a script works in."""
    found = [("book/index", "h1"), ("notebooks/06-resnet", "h1"), ("book/guesses", "#what-the-chapters-ask")]
    for page in BOOK:
        source = ROOT / f"{page}.py"
        text = source.read_text(encoding="utf-8").replace("# >", ">") if source.is_file() else ""
        found += [(page, box) for box, start in FORMS.items() if start in text]
    return found


@pytest.mark.parametrize("width", [390, 1300])
@pytest.mark.parametrize(("name", "place"), places())
def test_nothing_moves_when_scripts_come_late(browser, address, name, place, width):
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        page, late = context.new_page(), []
        page.add_init_script(OBSERVE)
        page.route("**/_static/*.js*", lambda route: late.append(route))
        page.goto(f"{address}{name}.html", wait_until="commit")
        page.locator("footer.bd-footer-content").wait_for(state="attached")  # the whole page is there
        page.locator(f"article {place}").first.evaluate("box => box.scrollIntoView()")
        page.evaluate(READ)  # what was drawn before any script ran
        while late:
            late.pop().continue_()
        page.unroute("**/_static/*.js*")
        page.wait_for_load_state("networkidle")
        page.evaluate("() => document.fonts.ready")
        moved, what = page.evaluate(READ)
        assert moved < NONE, "\n".join(text[:160] for text in what)
