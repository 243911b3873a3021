"""One small stylesheet from the many that the theme and its extensions load.

The theme brings 400 kB of rules for parts that no page of ours has. A rule stays if every class, id and element of its
selector occurs in a page or, as a word, in a script: scripts put classes on elements too.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import tinycss2
from fontTools import subset

_GROUPS = {"media", "supports", "layer", "container"}
_ICON_FONT = re.compile(r"url\(([^)]*?/fa-[a-z]+-\d+)\.woff2\)[^;}]*")
_STRING = re.compile(r"""content:\s*["']([^"']*)["']|--pst-icon-[\w-]+:\s*["']([^"']*)["']""")


def small_stylesheet(files: Iterable[Path], folder: Path, used: set[str]) -> str:
    """The rules of several stylesheets that a site needs, in their order.

    Args:
        files: the stylesheets; those that they import are read too.
        folder: where the result will lie, which decides its addresses of fonts and images.
        used: every class, id and element of the pages, and every word of the scripts.
    """
    text = "".join(_rule(rule, used) for file in files for rule in _rules(file, folder))
    return _without_idle_variables(text)


def subset_icons(css: str, folder: Path) -> str:
    """The stylesheet with icon fonts of its own icons only, written beside the full ones as ``.icons.woff``.

    Args:
        css: a stylesheet in ``folder``.
    """
    icons = {ord(letter) for strings in _STRING.findall(css) for text in strings for letter in text}

    def subset_font(source: re.Match) -> str:
        options = subset.Options(flavor="woff", layout_features=[], name_IDs=[0, 13, 14])
        font = subset.load_font(str(folder / f"{source[1]}.ttf"), options)
        worker = subset.Subsetter(options)
        worker.populate(unicodes=icons)
        worker.subset(font)
        subset.save_font(font, str(folder / f"{source[1]}.icons.woff"), options)
        return f'url({source[1]}.icons.woff) format("woff")'

    return _ICON_FONT.sub(subset_font, css)


def _rules(file: Path, folder: Path) -> Iterator[tinycss2.ast.Node]:
    """A stylesheet's rules with addresses as seen from ``folder``, and those of the stylesheets that it imports."""
    for rule in _own_rules(file.read_text(encoding="utf-8"), file.parent, folder):
        if _is_import(rule):
            address = next(token.value for token in rule.prelude if token.type in ("string", "url"))
            yield from _rules(file.parent / address, folder)
        else:
            yield rule


@lru_cache(64)  # while a site is served, it is built again after every edit
def _own_rules(text: str, old: Path, new: Path) -> list[tinycss2.ast.Node]:
    rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    for rule in rules:
        if not _is_import(rule):
            _move_addresses(getattr(rule, "content", None) or [], old, new)
    return rules


def _is_import(rule: tinycss2.ast.Node) -> bool:
    return rule.type == "at-rule" and rule.lower_at_keyword == "import"


def _move_addresses(tokens: list, old: Path, new: Path) -> None:
    for token in tokens:
        inner = getattr(token, "content", None) or getattr(token, "arguments", None) or []
        if token.type == "function" and token.lower_name == "url":  # with quotation marks
            _move_address(inner[0], old, new, '"{}"')
        elif token.type == "url":
            _move_address(token, old, new, "url({})")
        else:
            _move_addresses(inner, old, new)


def _move_address(token: tinycss2.ast.Node, old: Path, new: Path, written: str) -> None:
    address = urlsplit(token.value)
    if address.path and not address.scheme:
        token.value = (old / address.path).resolve().relative_to(new.resolve()).as_posix()
        token.representation = written.format(token.value)


def _rule(rule: tinycss2.ast.Node, used: set[str]) -> str:
    """A rule without the selectors that match nothing; empty where none is left."""
    if rule.type == "qualified-rule":
        selectors = [_compact(one) for one in _split(rule.prelude) if _names(one) <= used]
        return f"{','.join(selectors)}{{{_compact(rule.content)}}}" if selectors and _compact(rule.content) else ""
    if rule.type != "at-rule":
        return ""
    head = f"@{rule.at_keyword} {_compact(rule.prelude)}".rstrip()
    if rule.lower_at_keyword == "charset":
        return ""
    if rule.content is None:
        return f"{head};"
    if rule.lower_at_keyword in _GROUPS:
        inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
        body = "".join(_rule(one, used) for one in inner)
    else:
        body = _compact(rule.content)
    return f"{head}{{{body}}}" if body else ""


def _split(prelude: list) -> Iterator[list]:
    """The selectors of a list."""
    selector: list = []
    for token in prelude:
        if token == ",":
            yield selector
            selector = []
        else:
            selector.append(token)
    yield selector


def _names(selector: list) -> set[str]:
    """Classes, ids and elements that an element must have; what stands in ``:not()`` and its like is left out."""
    names, before = set(), ""
    for token in selector:
        if token.type == "hash" or (token.type == "ident" and before != ":"):  # a class stands behind a full stop
            names.add(token.value)
        before = token.value if token.type == "literal" else ""
    return names


def _compact(tokens: list) -> str:
    """Tokens as text without comments, and with no more white space than it needs."""
    text = tinycss2.serialize([token for token in tokens if token.type != "comment"])
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    pieces = re.split(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|url\([^)]*\))""", text)
    for place in range(0, len(pieces), 2):  # every second piece is a string or an address
        pieces[place] = re.sub(r"\s*([{};,>])\s*", r"\1", re.sub(r"\s+", " ", pieces[place]))
        pieces[place] = re.sub(r"(?<=[\w-]): ", ":", pieces[place])
    return "".join(pieces).strip().rstrip(";")


def _without_idle_variables(css: str) -> str:
    """The stylesheet without custom properties that nothing reads, as most of Bootstrap's are."""
    read = set(re.findall(r"var\(\s*(--[\w-]+)", css))
    variables = re.compile(r"(?<=[{;])(--[\w-]+):[^;{}]*(;|(?=\}))")
    smaller = variables.sub(lambda found: found[0] if found[1] in read else "", css)
    return css if smaller == css else _without_idle_variables(smaller)


def words(text: str) -> set[str]:
    """Every word of a script that may name a class, an id or an element."""
    return set(re.findall(r"[A-Za-z_][\w-]*", text))
