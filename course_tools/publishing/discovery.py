"""A Sphinx extension: how pages are found, previewed, cited and kept at their old addresses.

Each page gets a description, a card for previews and a canonical address; the site gets a sitemap, a front door and a
page for addresses that are not there. ``book/moved.yml`` keeps old addresses alive. Links to the glossary carry the
definitions.
"""

import html
import json
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape

import yaml
from docutils import nodes
from pybtex.plugin import find_plugin, register_plugin
from sphinx.application import Sphinx
from sphinx.errors import ConfigError, ExtensionError
from sphinx.util.typing import ExtensionMetadata

from course_tools.publishing.social_card import social_card

DESCRIPTION = 200  # letters, at most: what search engines and previews show of a page
CARDS = "cards"  # the folder of previews, and of the notebooks that one can download: both lie at the site's root
DOWNLOADS = "download"
LOST = "404"


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("config-inited", locate)
    app.connect("doctree-read", keep_anchors)
    app.connect("doctree-resolved", define_terms)
    app.connect("html-collect-pages", lost)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", offer_downloads, priority=502)  # the theme makes its buttons at 501
    app.connect("build-finished", write_map)
    for name in ("docutils", "plaintext"):  # else pybtex looks for them in all installed packages at each citation
        register_plugin("pybtex.backends", name, find_plugin("pybtex.backends", name), force=True)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def locate(app: Sphinx, config) -> None:
    """Where the site will be: only absolute addresses serve previews, the sitemap and the page of lost addresses."""
    if not urlsplit(config.html_baseurl).netloc or not config.html_baseurl.endswith("/"):
        raise ConfigError("_config.yml, `html: baseurl:` must be the site's address and end with a slash.")


def lost(app: Sphinx) -> list[tuple[str, dict, str]]:
    """The page that GitHub Pages shows for an address that is not there, at whatever depth that lies."""
    front = f'<a href="{app.builder.get_target_uri(app.config.root_doc)}">front page</a>'
    body = (
        "<h1>This page is not here</h1><p>The address may have a typing error, or the page has moved. "
        f"The {front} lists all chapters, and the search finds the rest.</p>"
    )
    return [(LOST, {"title": "Page not found", "body": body}, "page.html")]


def keep_anchors(app: Sphinx, doctree: nodes.document) -> None:
    """Give a section, exercise or term the names that it had in earlier editions."""
    page = app.env.docname
    for old, new in moved(app)["anchors"].get(page, {}).items():
        places = [node for node in doctree.findall(nodes.Element) if new in node.get("ids", [])]
        if not places:
            raise ExtensionError(f"book/moved.yml: {page} has no {new!r}, to which {old!r} leads: name another anchor.")
        places[0]["ids"].append(old)


def moved(app: Sphinx) -> dict[str, dict]:
    """``pages``: new address of each page that moved; ``anchors``: per page, the new name of each anchor."""
    read = yaml.safe_load(Path(app.srcdir, "book", "moved.yml").read_text(encoding="utf-8"))
    return {"pages": read["pages"] or {}, "anchors": read["anchors"] or {}}


def define_terms(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """A link to a glossary term says what the term means, when a pointer rests on it (``title``)."""
    links = [link for link in doctree.findall(nodes.reference) if link.next_node(_is_term) is not None]
    if links:
        definitions = _definitions(app)
        for link in links:
            link["reftitle"] = definitions.get(link.get("refuri", "").partition("#")[2], "")


def _is_term(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Element) and "std-term" in node.get("classes", [])


def _definitions(app: Sphinx) -> dict[str, str]:
    """What the glossary says, by the anchor of each term."""
    if not hasattr(app, "_definitions"):
        glossary = app.env.get_doctree("book/glossary")
        app._definitions = {
            name: " ".join(item.next_node(nodes.definition).astext().split())
            for item in glossary.findall(nodes.definition_list_item)
            for term in item.findall(nodes.term)
            for name in term["ids"]
        }
    return app._definitions


def describe(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Description, preview and kind of a page, in its head."""
    if page == LOST:  # its links start from the site's root
        context["metatags"] = f'<base href="{urlsplit(app.config.html_baseurl).path}" />\n'
    if doctree is None or app.builder.name not in ("html", "dirhtml"):
        return
    heading, about = app.env.titles[page].astext(), description(doctree)
    title = heading if page == app.config.root_doc else f"{heading} · {app.config.html_title}"
    card = f"{CARDS}/{page}.png"
    figure = next((node for node in doctree.findall(nodes.image) if node["uri"].endswith(".png")), None)
    sources = {Path(copy).name: Path(app.srcdir, source) for source, copy in app.builder.images.items()}
    picture = sources[Path(figure["uri"]).name] if figure else None
    social_card(Path(app.outdir, card), heading, app.config.html_title, about, picture)
    context["metatags"] += head(app, page, title, about, card, figure["alt"] if figure else about)


def head(app: Sphinx, page: str, title: str, about: str, card: str, alt: str) -> str:
    """The tags that search engines and previews read (https://ogp.me)."""
    base = app.config.html_baseurl
    tags = {
        "og:title": title,
        "og:description": about,
        "og:type": "website" if page == app.config.root_doc else "article",
        "og:url": urljoin(base, app.builder.get_target_uri(page)),
        "og:site_name": app.config.html_title,
        "og:image": urljoin(base, card),
        "og:image:alt": alt,
        "og:image:width": "1200",
        "og:image:height": "630",
    }
    lines = [f'<meta property="{name}" content="{html.escape(value)}" />' for name, value in tags.items()]
    lines.append(f'<meta name="description" content="{html.escape(about)}" />')
    lines.append('<meta name="twitter:card" content="summary_large_image" />')
    return "\n".join(lines) + "\n"


def description(doctree: nodes.document) -> str:
    """The first paragraph that stands in the page's text itself and not in a box, cut between two words."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section | nodes.document):
            text = " ".join(paragraph.astext().split())
            if len(text) > DESCRIPTION:
                text = text[: DESCRIPTION - 2].rpartition(" ")[0].rstrip(",;:") + " …"
            return text
    return ""


def offer_downloads(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """The header's download button gives the notebook as Colab shows it, and the script, not the site's own source."""
    name = page.rpartition("/")[2]
    offered = [kind for kind in ("ipynb", "py") if Path(app.srcdir, "extra", DOWNLOADS, f"{name}.{kind}").is_file()]
    for group in context.get("header_buttons", []):
        if group.get("label") == "download-buttons" and offered:
            sources = [
                {
                    "type": "link",
                    "url": context["pathto"](f"{DOWNLOADS}/{name}.{kind}", 1),
                    "text": f".{kind}",
                    "tooltip": {"ipynb": "Download the notebook", "py": "Download the Python script"}[kind],
                    "icon": "fas fa-code" if kind == "ipynb" else "fas fa-file",
                    "label": f"download-{kind}-button",
                }
                for kind in offered
            ]
            group["buttons"] = sources + [button for button in group["buttons"] if button["type"] == "javascript"]


def write_map(app: Sphinx, error: Exception | None) -> None:
    """The sitemap, a front door with the front page's preview, and a page that leads on from each old address."""
    if error or app.builder.name not in ("html", "dirhtml"):
        return
    out, base, root = Path(app.outdir), app.config.html_baseurl, app.config.root_doc
    addresses = [urljoin(base, app.builder.get_target_uri(page)) for page in sorted(app.env.found_docs)]
    lines = [f"<url><loc>{escape(address)}</loc></url>" for address in addresses]
    opening = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    (out / "sitemap.xml").write_text("\n".join([opening, *lines, "</urlset>\n"]), encoding="utf-8")

    page = out / f"{LOST}.html"
    page.write_text(page.read_text(encoding="utf-8").replace('href="#', f'href="{LOST}.html#'), encoding="utf-8")

    front = app.env.get_doctree(root)
    about = description(front)
    tags = head(app, root, app.config.html_title, about, f"{CARDS}/{root}.png", about)
    doors = {"index": (root, tags)} | {old: (new, "") for old, new in moved(app)["pages"].items()}
    for old, (new, tags) in doors.items():
        if new not in app.env.found_docs:
            raise ExtensionError(f"book/moved.yml: there is no page {new!r}, to which {old!r} leads.")
        target = "../" * old.count("/") + app.builder.get_target_uri(new)
        (out / f"{old}.html").parent.mkdir(parents=True, exist_ok=True)
        (out / f"{old}.html").write_text(_door(app, new, target, tags), encoding="utf-8")


def _door(app: Sphinx, page: str, target: str, tags: str) -> str:
    """A page that leads to another one at once, to the same anchor."""
    title = html.escape(app.env.titles[page].astext())
    return f"""<!DOCTYPE html>
<html lang="{app.config.language}"><head><meta charset="utf-8" /><title>{title}</title>
<link rel="canonical" href="{urljoin(app.config.html_baseurl, app.builder.get_target_uri(page))}" />
{tags}<script>location.replace({json.dumps(target)} + location.search + location.hash)</script>
<noscript><meta http-equiv="refresh" content="0; url={target}" /></noscript></head>
<body><main><h1><a href="{target}">{title}</a></h1></main></body></html>
"""
