"""axe finds nothing on any page: WCAG 2.1 A and AA, and its own best practices."""

from itertools import product

import pytest
from book_pages import PAGES, UNFOLD

LOOKS = list(product((390, 1300), ("light", "dark")))
# One page of each kind is looked at in every way on every commit; each other page in one way, and nightly in all.
KINDS = ["book/index", "notebooks/02-lenet", "notebooks/06-resnet", "book/scorecard", "book/glossary"]
KINDS.append("search?q=pooling")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
    "rules": {
        "label-content-name-mismatch": {"enabled": True},  # of WCAG 2.1 A, and still experimental in axe
        "target-size": {"enabled": True},  # of WCAG 2.2 AA: 24 × 24 pixels
    },
    "resultTypes": ["violations"],
}


def cases():
    for place, name in enumerate([*KINDS, *(page for page in PAGES if page not in KINDS)]):
        for look in LOOKS:
            often = name in KINDS or look == LOOKS[place % len(LOOKS)]
            yield pytest.param(name, *look, marks=[] if often else [pytest.mark.nightly])


@pytest.mark.parametrize(("name", "width", "scheme"), cases())
def test_axe_finds_nothing(visit, name, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(name, width=width, scheme=scheme)
    page.evaluate(UNFOLD)
    found = Axe().run(page, options=RULES).response["violations"]
    faults = {f"{rule['id']}: {node['target'][0]} · {node['html'][:120]}" for rule in found for node in rule["nodes"]}
    assert not faults, "\n".join(sorted(faults))
