"""The book as one PDF: all pages of the built site in order, printed by Chrome or Chromium."""

import subprocess
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pikepdf
from bs4 import BeautifulSoup, Tag

from course_lib.errors import CourseError
from course_tools.publishing.browser import OPTIONS, find_browser
from course_tools.publishing.project import Project

# What a screen needs and paper does not.
_SCREEN_ONLY = "script, noscript, a.headerlink, button, .onlyprint, details.hide > summary"
_PRINT = """
@page { size: A4; margin: 18mm 17mm 20mm; font: 9pt "Source Sans 3", sans-serif; color: #4a5563;
  @bottom-left { content: "BOOK"; } @bottom-right { content: counter(page); } }
@page :first { @bottom-left { content: ""; } @bottom-right { content: ""; } }
html { font-size: 13px; }
body { background: #fff; }
.book-page { break-before: page; }
.book-page:first-child { break-before: auto; }
h1, h2, h3, h4, .admonition-title, .exercise > .admonition-title { break-after: avoid; }
img, svg, tr, .admonition-title { break-inside: avoid; }
.bd-content img { max-width: 100%; max-height: 235mm; object-fit: contain; }
.cell_input, .cell_output, p, pre { orphans: 3; widows: 3; }
.cell_input { display: block !important; }
pre { break-inside: auto !important; white-space: pre-wrap !important; overflow-wrap: anywhere; }
.cell_input, .highlight, pre, .text_html, .pst-scrollable-table-container { overflow: visible !important; }
table { font-size: 0.75rem !important; max-width: 100%; }
details > summary { list-style: none; }
details > summary::before, details > summary::after { display: none !important; }
.bd-content { display: block !important; max-width: none; }
.book-contents a { display: block; padding: 0.15rem 0; }
"""


def print_book(project: Project) -> Path:
    """Print ``_build/html`` into ``_build/convnets-measured.pdf``, with bookmarks, and return that file.

    Raises: CourseError where there is no site yet, no browser, or the browser prints nothing.
    """
    if not (project.html / "index.html").is_file():
        raise CourseError("There is no website yet: run `make book` or `make site`, then `make pdf` again.")
    browser = find_browser()
    source, target = project.html / "print.html", project.build / "convnets-measured.pdf"
    target.unlink(missing_ok=True)
    text = one_page(project.html, project.pages())
    source.write_text(text, encoding="utf-8")  # beside what it shows
    words = ["--headless", "--disable-gpu", "--no-pdf-header-footer", "--generate-pdf-document-outline"]
    try:
        done = subprocess.run(
            [browser, *OPTIONS, *words, f"--print-to-pdf={target}", source.as_uri()],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=600,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CourseError(
            f"{browser} printed for ten minutes and did not end: try another with COURSE_BROWSER."
        ) from error
    finally:
        source.unlink()
    if not target.is_file():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CourseError(f"{browser} printed nothing ({last}): try another browser with COURSE_BROWSER.")
    _finish(target, BeautifulSoup(text, "html.parser"))
    return target


def _finish(file: Path, book: BeautifulSoup) -> None:
    """Halve the file, and give bookmarks their headings' words: Chrome doubles those of a heading on top of a page."""
    words = [" ".join(heading.get_text().split()) for heading in book.select("h1, h2, h3, h4, h5, h6")]
    with pikepdf.open(file, allow_overwriting_input=True) as pdf:
        with pdf.open_outline() as outline:
            bookmarks = list(_flat(outline.root))
            if len(bookmarks) == len(words):
                for bookmark, title in zip(bookmarks, words, strict=True):
                    bookmark.title = title
        pdf.docinfo["/Title"] = str(book.title.string)
        pdf.save(file, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def _flat(bookmarks: list[pikepdf.OutlineItem]) -> Iterator[pikepdf.OutlineItem]:
    for bookmark in bookmarks:
        yield bookmark
        yield from _flat(bookmark.children)


def one_page(site: Path, pages: list[str]) -> str:
    """HTML of all pages in one: folds open, links between pages turned into links within the document.

    Args:
        site: the built site.
        pages: its pages in order, such as ``book/index``.
    """
    soups = {page: BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser") for page in pages}
    first = soups[pages[0]]
    styles = first.select("head link[rel=stylesheet]")
    for style in styles:
        style["href"] = _from(pages[0], style["href"])
    articles, entries = [], []
    for page, soup in soups.items():
        article = soup.select_one("article.bd-article")
        _unfold(article)
        _join(article, page, pages)
        title = article.find("h1").get_text(" ", strip=True)
        entries.append(f'<a href="#{_name(page)}">{title}</a>')
        articles.append(f'<section class="book-page" id="{_name(page)}">{article}</section>')
    book = first.title.string.rpartition(" — ")[2]
    style = _PRINT.replace("BOOK", book.replace("\\", "\\\\").replace('"', '\\"'))
    contents = f'<nav class="book-page book-contents"><h1>Contents</h1>{"".join(entries)}</nav>'
    return (
        f'<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8" />'
        f"<title>{escape(book)}</title>{''.join(map(str, styles))}<style>{style}</style></head>"
        f'<body><main class="bd-content">{articles[0]}{contents}{"".join(articles[1:])}</main></body></html>'
    )


def _unfold(article: Tag) -> None:
    for node in article.select(_SCREEN_ONLY):
        node.decompose()
    for node in article.find_all(True):
        if node.name == "details":
            node["open"] = ""
            node.name = "details" if node.find("summary") else "div"  # Chrome would write "Details" above it
        node.attrs.pop("loading", None)  # what is loaded late comes too late for paper


def _join(article: Tag, page: str, pages: list[str]) -> None:
    """Make names unique in the whole document, and links and images right for it."""
    for node in article.select("[id]"):
        node["id"] = _name(page, node["id"])
    for image in article.select("img[src]"):
        image["src"] = _from(page, image["src"])
    for link in article.select("a[href]"):
        path, _, anchor = link["href"].partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        target = _from(page, path).removesuffix(".html") if path else page
        if target in pages:
            link["href"] = f"#{_name(target, anchor)}"
        else:
            link.unwrap()  # a download: paper has none


def _name(page: str, anchor: str = "") -> str:
    return f"{page.replace('/', '-')}--{anchor}" if anchor else page.replace("/", "-")


def _from(page: str, address: str) -> str:
    """An address on a page, seen from the site's root."""
    parts = [*page.split("/")[:-1]]
    for part in address.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
