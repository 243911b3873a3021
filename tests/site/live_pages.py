"""Pages for tests of live figures: one figure with all it needs, as Colab gets it, or its modules' functions."""

from course_lib.live.figure import FOLDER, LiveFigure


def live_page(browser, figure: LiveFigure, width=760, scheme="light", **context):
    """A page with one figure that has started. ``page.problems`` fills with errors and with requests to anywhere."""
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **context).new_page()
    page.set_default_timeout(20_000)
    page.problems = []
    page.on("console", lambda line: line.type in ("error", "warning") and page.problems.append(line.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda one: one.url.startswith(("data:", "blob:")) or page.problems.append(one.url))
    head = '<meta name="viewport" content="width=device-width"><title>A live figure</title>'
    body = f"<main><h1>A live figure</h1>{figure.to_html()}</main>"
    page.set_content(f'<!doctype html><html lang="en"><head>{head}</head>{body}</html>')
    page.wait_for_function("document.querySelector('[data-live]')")
    assert page.locator("[data-live]").get_attribute("data-live") == "on", page.locator("[role=status]").inner_text()
    return page


def modules_page(browser, *names: str):
    """An empty page whose ``window.modules`` has the exports of modules, by name, such as ``modules["tensors"]``."""
    page = browser.new_context().new_page()
    page.set_default_timeout(60_000)
    page.set_content("<!doctype html><title>Modules</title>")
    figure = LiveFigure("frame", "", "", modules=names)
    sources = {name: (FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in figure.needed_modules()}
    page.evaluate(
        """async (sources) => {
            const addresses = {};
            window.modules = {};
            for (const [name, source] of Object.entries(sources)) {
                const address = (_, other) => JSON.stringify(addresses[other]);
                const linked = source.replace(/(?<=from )"\\.\\/([\\w-]+)\\.js"/g, address);
                addresses[name] = URL.createObjectURL(new Blob([linked], { type: "text/javascript" }));
                window.modules[name] = await import(addresses[name]);
            }
        }""",
        sources,
    )
    return page


def problems_of_axe(page) -> list[str]:
    """What axe finds on a page, with the rules of the site's own test."""
    from axe_playwright_python.sync_playwright import Axe
    from test_accessibility import RULES

    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]
