"""A checkout in miniature: a ledger with every claim, one published chapter, its records, and the pages around them."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from course_lib import records
from course_tools import claims
from course_tools.claims import ledger
from course_tools.publishing import pairs
from course_tools.publishing.project import Project

ROOT = Path(__file__).parents[2]

CHAPTER = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1 · A small chapter
#
# Tutorials give 97–98 % <!-- claim: A.1 -->. Ours reaches 98.50 ± 0.02 % <!-- claim: small-accuracy -->, with
# 61,706 parameters <!-- claim: small-parameters -->.

# %%
plots.picture()  # 12 % of a comment needs no claim

# %% [markdown]
# It lies above the other. <!-- claim: small-beats-other --> A paper gives 7.3 % <!-- claim: paper-error --> and
# the other needs 13 min <!-- claim: small-minutes --> for it.
"""
README = """\
# Small

| chapter | test accuracy |
|---|---|
| [A small chapter](notebooks/01-small.ipynb) | 98.50 ± 0.02 % <!-- claim: small-accuracy --> (3 seeds) |
"""
PAGE = "# {title}\n\nProse of {title}.\n\n{places}"
PLACE = "<!-- claims: {name} -->\n<!-- claims: end -->\n"


def filler(name: str) -> dict[str, Any]:
    """The least that the ledger takes for a claim of the documents."""
    fact = {"what": "one and one", "source": "2", "calculate": "1 + 1", "verdict": "reproduced"}
    if name in ledger.MAY_BE_EXPLAINED:
        fact = {"what": "history", "verdict": "explained", "cite": ["paper2000"], "because": "A paper has it."}
    if name in ledger.ONLY_FULL:
        fact = {"what": "test accuracy", "source": "98.6 %", "verdict": "awaiting"}
        fact["records"] = {"of": "study-small/large", "measure": "accuracy", "profile": "full"}
    return {"says": f"What {name} says.", "facts": [fact]}


def whole() -> dict[str, Any]:
    """A ledger in which every claim agrees with the records of :func:`build`."""
    names = [f"{one}.{number}" for one, count in ledger.DOCUMENTS.items() for number in range(1, count + 1)]
    sources = {name: filler(name) for name in names}
    sources["A.1"]["facts"] = [
        {
            "what": "test accuracy",
            "source": "97–98 %",
            "records": {"of": "study-small/net", "measure": "accuracy"},
            "band": 0.01,
            "verdict": "reproduced",
        }
    ]
    sources["D.3"]["facts"] = [
        {
            "what": "two and two",
            "source": "5",
            "wrong": True,
            "calculate": 'print("two and two:")\n2 + 2',
            "because": "They are four.",
            "cite": ["paper2000"],
            "verdict": "corrected",
        }
    ]
    order = {"measure": "accuracy", "higher": "study-small/net", "than": ["01-small/other"]}
    return {
        "sources": sources,
        "book": {
            "small-accuracy": {"says": "Its accuracy.", "records": {"of": "study-small/net", "measure": "accuracy"}},
            "small-parameters": {"says": "Its size.", "calculate": "analysis.count_parameters(models.lenet5())"},
            "small-beats-other": {"says": "It is better.", "order": order},
            "small-minutes": {
                "says": "The chapter's run.",
                "run": {"chapter": "01-small", "profile": "cpu", "measure": "seconds"},
            },
            "paper-error": {"says": "A paper's.", "value": "7.3 %", "cite": ["paper2000"]},
        },
    }


@dataclass(frozen=True)
class Checkout:
    """The miniature, and short ways to change it."""

    project: Project

    @property
    def root(self) -> Path:
        return self.project.root

    @property
    def source(self) -> Path:
        return self.project.notebooks / "01-small.py"

    @property
    def ledger_file(self) -> Path:
        return self.root / ledger.FILE

    def claims(self) -> dict[str, ledger.Claim]:
        return ledger.read(self.project)

    def check(self) -> list[str]:
        return claims.check(self.project)

    def replace(self, file: str | Path, old: str, new: str) -> None:
        """Replace what stands exactly once in a file."""
        path = self.root / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))

    def add(self, file: str | Path, text: str) -> None:
        path = self.root / file
        path.write_text(path.read_text() + text)

    def rewrite_ledger(self, change) -> None:
        """Let a function change the ledger's entries."""
        entries = yaml.safe_load(self.ledger_file.read_text())
        change(entries)
        self.ledger_file.write_text(yaml.safe_dump(entries, allow_unicode=True, sort_keys=False))

    def give(self, claim: str, *facts: dict[str, Any]) -> None:
        """Give a claim of the documents other facts."""
        self.rewrite_ledger(lambda entries: entries["sources"][claim].update(facts=list(facts)))

    def record(
        self,
        of: str,
        accuracy: float = 0.985,
        *,
        seed: int = 0,
        profile: str = "cpu",
        split: str = "test",
        device: str = "CPU",
        seconds: float = 120.0,
        epochs: Sequence[dict[str, float | None]] = ({}, {}),
        **recipe: Any,
    ) -> dict[str, Any]:
        """Add a record: a real one of ``results/`` with other numbers.

        ``of`` is FILE/NAME; each dictionary of ``epochs`` changes what an epoch says; ``recipe`` changes the recipe.
        """
        file, _, name = of.partition("/")
        real = records.read(ROOT / "results" / "01-mlp.jsonl")[0]
        each = [real["epochs"][0] | {"epoch": number} | changes for number, changes in enumerate(epochs, 1)]
        return records.append(
            self.project.results / f"{file}.jsonl",
            real
            | {"chapter": file, "name": name, "seed": seed, "profile": profile, "epochs": each}
            | {"recipe": real["recipe"] | {"seed": seed, "epochs": len(each)} | recipe}
            | {"final": real["final"] | {"accuracy": accuracy, "split": split}}
            | {"seconds": {"epochs": [seconds / len(each)] * len(each), "total": seconds}}
            | {"machine": real["machine"] | {"device": device}},
        )


def build(root: Path) -> Checkout:
    """A checkout in which everything agrees."""
    for folder in ("book", "notebooks", "results"):
        (root / folder).mkdir(parents=True)
    checkout = Checkout(Project(root))
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/scorecard\n")
    (root / "README.md").write_text(README)
    (root / "book" / "references.bib").write_text("@misc{paper2000, title={T}, author={A, B}, year={2000}}\n")
    summary, places = PLACE.format(name="summary"), "\n".join(PLACE.format(name=name) for name in "abcde")
    (root / "book" / "scorecard.md").write_text(PAGE.format(title="Scorecard", places=f"{summary}\n{places}"))
    (root / "book" / "errata.md").write_text(PAGE.format(title="Errata", places=places))
    checkout.ledger_file.write_text(yaml.safe_dump(whole(), allow_unicode=True, sort_keys=False))
    for seed, accuracy in enumerate((0.9848, 0.9850, 0.9852)):
        checkout.record("study-small/net", accuracy, seed=seed)
        checkout.record("01-small/other", accuracy - 0.01, seed=seed)
    checkout.source.write_text(CHAPTER)
    publish(checkout)
    claims.update(checkout.project)
    return checkout


def publish(checkout: Checkout) -> None:
    """Make the notebook, with the outputs and the metadata of a run: its code cell shows a picture."""
    (chapter,) = checkout.project.chapters()
    pairs.pair(chapter)
    notebook = nbformat.read(chapter.notebook, as_version=4)
    (code,) = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code.outputs = [nbformat.v4.new_output("display_data", {"image/png": "iVBORw0KGgo="})]
    notebook.metadata.course["run"] = {"profile": "cpu", "seconds": 780.0, "peak_memory_mb": 392}
    pairs.write_notebook(notebook, chapter.notebook)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("claims") / "checkout")


@pytest.fixture
def checkout(built, tmp_path):
    """A checkout of one's own."""
    root = tmp_path / "checkout"
    shutil.copytree(built.root, root)
    return Checkout(Project(root))
