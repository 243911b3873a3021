"""What a page of the theme loses and gains before it is published: weight, and faults that keep readers out.

Sphinx's own output stays as it is; these rules make the published copy of it.
"""

import hashlib
import re
import struct
from pathlib import Path
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from course_tools.publishing.stylesheet import small_stylesheet, subset_icons, words

# Icons come from a font, menus.js has the menus, folds are the browser's own, nothing runs in the page, and only
# search.html searches.
_IDLE_SCRIPTS = re.compile(r"fontawesome\.js|bootstrap\.js|thebe|THEBE|design-tabs|togglebutton|toggleHint")
_SEARCH_SCRIPTS = re.compile(r"searchtools\.js|language_data\.js|searchindex\.js")
_OPTIONS = "documentation_options.js"
_EMPTY_HEADER = re.compile(r"<th\b([^>]*)>((?:\s|<p>\s*</p>)*)</th>")
# Names, brackets and gaps have the colour of plain code, and operators get it: these marks were half a chapter's bytes.
PLAIN_CODE = ("n", "p", "w", "nn", "nx", "pm", "o")
_PLAIN_CODE = re.compile(rf'<span class="(?:{"|".join(PLAIN_CODE)})">([^<]*)</span>')
# A font that is used only if it is there when text is first drawn.
_EARLY_FONT = re.compile(r"@font-face ?\{(?=[^}]*font-display:optional)[^}]*?url\(\"?([^)\"]+)")
_TABLE_GAP = re.compile(r"\s+(?=</?(?:table|thead|tbody|tr|th|td)\b)")
_SOURCE_MAP = re.compile(r"(?m)^//# sourceMappingURL=.*$")
# Before anything is drawn: the reader's colours, and a store that forgets where the browser forbids one.
_START = """
try { localStorage.getItem("mode") } catch { for (const name of ["localStorage", "sessionStorage"]) {
  const kept = new Map();
  Object.defineProperty(window, name, { value: {
    getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, String(value)),
    removeItem: (key) => void kept.delete(key) } });
} }
{ const mode = localStorage.getItem("mode") || "auto", dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = mode === "auto" ? (dark ? "dark" : "light") : mode;
  Object.assign(document.documentElement.dataset, { mode, theme }); }
"""


def finish(site: Path) -> None:
    """Make the pages below ``site``, a copy of what Sphinx built, light and accessible, in place."""
    pages = {}
    for file in sorted(site.rglob("*.html")):
        if "_static" not in file.relative_to(site).parts:
            pages[file] = LexborHTMLParser(lean_text(file.read_text(encoding="utf-8")))
    for file, page in pages.items():
        fix_faults(page)
        fold_boxes(page)
        drop_scripts(page, file)
        load_images_late(page, file)
    join_stylesheets(pages, site)
    join_scripts(pages, site)
    for file, page in pages.items():
        file.write_text(page.html, encoding="utf-8")


def lean_text(text: str) -> str:
    """A page's source without marks that change nothing; empty table headers become cells, as axe asks."""
    return _EMPTY_HEADER.sub(r"<td\1></td>", _TABLE_GAP.sub("", _PLAIN_CODE.sub(r"\1", text)))


def fix_faults(page: LexborHTMLParser) -> None:
    """Correct what axe finds in the theme's pages; the empty table headers are cells already."""
    for node in page.css("button[aria-label], summary[aria-label]"):
        if node.text(strip=True):  # its words are its name: speech control says what it sees
            del node.attrs["aria-label"]
    for node in page.css("#pst-primary-sidebar"):  # the book's name belongs to a landmark, as all content
        node.attrs["role"], node.attrs["aria-label"] = "complementary", "Book"
    for node in page.css("div.citation[role], div.citation-list[role]"):  # deprecated, and a list without items
        del node.attrs["role"]
    for node in page.css("[data-bs-toggle=tooltip]"):  # the browser shows titles itself
        if "data-bs-title" in node.attrs:
            node.attrs["title"] = node.attrs["data-bs-title"]
    for node in page.css("i[class*='fa-'], span[class*='fa-']"):  # a glyph of a private code point has no name
        node.attrs["aria-hidden"] = "true"
    for node in page.css("meta[name=viewport]")[1:] + page.css("#ethical-ad-placement, .cell_output style"):
        node.decompose()


def fold_boxes(page: LexborHTMLParser) -> None:
    """Have the browser fold what a script of the theme would fold after it was drawn: boxes of the class dropdown."""
    for box in reversed(page.css("div.admonition.dropdown")):  # the inner ones first
        title = box.css_first(".admonition-title")
        for link in title.css("a"):  # the title is the handle; a solution stands below its exercise anyway
            link.unwrap()
        title.replace_with(_renamed(page, title, "summary"))
        fold = _renamed(page, box, "details")
        fold.attrs["class"] = box.attrs["class"].replace("dropdown", "fold")
        box.replace_with(fold)


def drop_scripts(page: LexborHTMLParser, file: Path) -> None:
    """Drop scripts that do nothing here; the others run when the page has been read."""
    for node in page.css("html[data-theme]"):  # without a script, the theme has colours for no such attribute only
        del node.attrs["data-theme"]
    for node in page.css("link[rel=preload][as=script]"):  # they would come before the stylesheet
        node.decompose()
    for node in page.css("script"):
        source, text = node.attrs.get("src") or "", node.text()
        if "dataset.mode" in text:
            _set_text(page, node, _START)
        elif _IDLE_SCRIPTS.search(source or text) or (file.name != "search.html" and _SEARCH_SCRIPTS.search(source)):
            node.decompose()
        elif _OPTIONS in source:  # a few lines, which scripts in the page read at once
            _set_text(page, node, _local(source, file).read_text(encoding="utf-8"))
            del node.attrs["src"]
        elif source:
            node.attrs["defer"] = ""


def load_images_late(page: LexborHTMLParser, file: Path) -> None:
    """Give each picture the room that it will take; one below a page's first section is fetched when it comes near."""
    early = True
    for node in page.css("h2, img"):
        if node.tag == "h2":
            early = early and not _is_in(node, "article")
            continue
        picture = _local(node.attrs.get("src") or "", file)
        if picture.suffix == ".png" and picture.is_file() and "width" not in node.attrs:
            with picture.open("rb") as stream:
                width, height = struct.unpack(">2I", stream.read(24)[16:])
            node.attrs["width"], node.attrs["height"] = str(width), str(height)
        if not (early and _is_in(node, "article")) and "logo__image" not in (node.attrs.get("class") or ""):
            node.attrs["loading"] = "lazy"


def join_stylesheets(pages: dict[Path, LexborHTMLParser], site: Path) -> None:
    """Put what the pages need of their stylesheets into ``_static/site.css``, and have each page load that one."""
    used, files, scripts = set(), {}, set()
    for file, page in pages.items():
        for node in page.css("*"):
            used |= {node.tag, node.attrs.get("id") or "", *(node.attrs.get("class") or "").split()}
            if node.tag == "link" and node.attrs.get("rel") == "stylesheet":
                files[_local(node.attrs["href"], file)] = None
            elif node.tag == "script":
                scripts.add(_local(node.attrs["src"], file) if "src" in node.attrs else node.text())
    for script in scripts:
        used |= words(script.read_text(encoding="utf-8") if isinstance(script, Path) else script)
    css = subset_icons(small_stylesheet(files, site / "_static", used), site / "_static")
    address, fonts = _write(site, "site.css", css), _EARLY_FONT.findall(css)
    for file, page in pages.items():
        sheets = page.css("link[rel=stylesheet]")
        _keep_first(sheets, "href", f"{_up(file, site)}{address}")
        for font in fonts if sheets else []:
            link = f'<link rel="preload" as="font" crossorigin href="{_up(file, site)}_static/{font}">'
            sheets[0].insert_before(LexborHTMLParser(link).css_first("link"))


def join_scripts(pages: dict[Path, LexborHTMLParser], site: Path) -> None:
    """Put the scripts that every page runs into ``_static/site.js``, and have each page load that one.

    Modules stay files of their own, as their names do.
    """
    nodes = {file: page.css("script[src]:not([type=module])") for file, page in pages.items()}
    files = {file: [_local(node.attrs["src"], file) for node in found] for file, found in nodes.items() if found}
    common = [script for script in next(iter(files.values()), []) if all(script in others for others in files.values())]
    text = ";\n" + "\n;\n".join(  # the first semicolon ends what could make all scripts strict, as one of them is
        _SOURCE_MAP.sub("", script.read_text(encoding="utf-8")) for script in common
    )
    address = _write(site, "site.js", text)
    for file in files:
        shared = [node for node, script in zip(nodes[file], files[file], strict=True) if script in common]
        _keep_first(shared, "src", f"{_up(file, site)}{address}")


def _write(site: Path, name: str, text: str) -> str:
    """Write a file of ``_static``. Returns its address, with a number that changes with its content."""
    (site / "_static" / name).write_text(text, encoding="utf-8")
    return f"_static/{name}?v={hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _keep_first(nodes: list[LexborNode], attribute: str, address: str) -> None:
    for number, node in enumerate(nodes):
        if number:
            node.decompose()
        else:
            node.attrs[attribute] = address


def _up(page: Path, site: Path) -> str:
    """From a page's folder to the site's."""
    return "../" * (len(page.relative_to(site).parts) - 1)


def _local(address: str, page: Path) -> Path:
    """The file that a page's address means."""
    return (page.parent / urlsplit(address).path).resolve()


def _is_in(node: LexborNode, tag: str) -> bool:
    while node := node.parent:
        if node.tag == tag:
            return True
    return False


def _renamed(page: LexborHTMLParser, node: LexborNode, tag: str) -> LexborNode:
    """A new element with the attributes of another and a copy of its content."""
    made = page.create_node(tag)
    for name, value in node.attributes.items():
        made.attrs[name] = value
    for child in list(node.iter(include_text=True)):
        made.insert_child(child)
    return made


def _set_text(page: LexborHTMLParser, node: LexborNode, text: str) -> None:
    for child in list(node.iter(include_text=True)):
        child.decompose()
    node.insert_child(text)
