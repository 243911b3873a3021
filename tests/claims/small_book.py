"""A checkout in miniature: every claim, one published chapter, its records, and the pages around them."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

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
| [A small chapter](notebooks/01-small.ipynb) | 98.50 ± 0.02 % <!-- claim: small-accuracy --> (5 seeds) |
"""
PAGE = "# {title}\n\nProse of {title}.\n\n{places}"
PLACE = "<!-- claims: {name} -->\n<!-- claims: end -->\n"


IMPORTS = """\
from course_lib import analysis, models
from course_tools.claims.ledger import claim, fact
from course_tools.claims.measurements import difference, higher, level, mean, record
from course_tools.claims.published import figures, memory, printed, seconds
"""
NUMBERS = itertools.count()  # no two functions of one file have the same name
OWN = """
@claim
def small_accuracy():
    \"\"\"Its accuracy.\"\"\"
    return mean("study-small/net")


@claim
def small_parameters():
    \"\"\"Its size.\"\"\"
    return analysis.count_parameters(models.lenet5())


@claim
def small_beats_other():
    \"\"\"It is better.\"\"\"
    return higher("study-small/net", "01-small/other")


@claim
def small_minutes():
    \"\"\"The chapter's run.\"\"\"
    return seconds("01-small")


@claim(value="7.3 %", cite=["paper2000"])
def paper_error():
    \"\"\"A paper's.\"\"\"
"""


def fact(what: str, code: str = "", because: str = "", **options: Any) -> str:
    """The function of one fact: ``code`` computes the evidence, and its last line is what it returns."""
    *lines, last = code.split("\n")
    body = [f'"""{what}.\n\n    {because}\n    """' if because else f'"""{what}."""', *lines]
    body += [f"return {last}"] if last else []
    number = next(NUMBERS)
    settings = "".join(f", {key}={value!r}" for key, value in options.items())
    return (
        f"@fact(NAME{settings})\ndef {''.join(filter(str.isalnum, what))}_{number}():\n    "
        + "\n    ".join(body)
        + "\n"
    )


def filler(name: str) -> str:
    """The least that is taken for a claim of the documents."""
    if name in ledger.MAY_BE_EXPLAINED:
        return fact("History", because="A paper has it.", verdict="explained", cite=["paper2000"])
    if name in ("C.3", "C.4"):
        large = 'mean("study-small/large", profile="full")'
        return fact("Test accuracy", large, source="98.6 %", verdict="awaiting")
    return fact("One and one", "1 + 1", source="2", verdict="reproduced")


def whole() -> dict[str, str]:
    """Facts for every claim of the documents, which agree with the records of :func:`build`."""
    names = [f"{letter}.{number}" for letter, count in ledger.DOCUMENTS.items() for number in range(1, count + 1)]
    four = {"source": "5", "verdict": "corrected", "cite": ["paper2000"]}
    return {name: filler(name) for name in names} | {
        "A.1": fact("Test accuracy", 'mean("study-small/net")', source="97–98 %", band=0.01, verdict="reproduced"),
        "D.3": fact("Two and two", 'print("two and two:")\n2 + 2', because="They are four.", **four),
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
    def claims_folder(self) -> Path:
        return self.root / ledger.FOLDER

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

    def give(self, name: str, *facts: str) -> None:
        """Give a claim of the documents other facts, made by :func:`fact`."""
        start = self.claims_folder / "start.py"
        start.write_text(re.sub(rf"# {re.escape(name)}:\n(?s:.*?)\n# end\n", "", start.read_text()))
        text = "\n\n".join((IMPORTS, *facts)).replace("NAME", repr(name))
        (self.claims_folder / f"{name.replace('.', '_').lower()}.py").write_text(text)

    def record(
        self,
        of: str,
        accuracy: float = 0.985,
        *,
        seed: int = 0,
        profile: str = "cpu",
        split: str = "test",
        device: str = "CPU",
        processor: str = "One",
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
            | {"machine": real["machine"] | {"device": device, "processor": processor}},
        )


def build(root: Path) -> Checkout:
    """A checkout in which everything agrees."""
    for folder in ("book/claims", "notebooks", "results"):
        (root / folder).mkdir(parents=True)
    checkout = Checkout(Project(root))
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/scorecard\n")
    (root / "README.md").write_text(README)
    (root / "book" / "references.bib").write_text("@misc{paper2000, title={T}, author={A, B}, year={2000}}\n")
    summary, places = PLACE.format(name="summary"), "\n".join(PLACE.format(name=name) for name in "abcde")
    (root / "book" / "scorecard.md").write_text(PAGE.format(title="Scorecard", places=f"{summary}\n{places}"))
    (root / "book" / "errata.md").write_text(PAGE.format(title="Errata", places=places))
    facts = [f"# {name}:\n{text.replace('NAME', repr(name))}\n# end\n" for name, text in whole().items()]
    (checkout.claims_folder / "start.py").write_text("\n".join((IMPORTS, *facts)))
    (checkout.claims_folder / "own.py").write_text(IMPORTS + OWN)
    for seed, accuracy in enumerate((0.9848, 0.9850, 0.9852, 0.9848, 0.9852)):
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
