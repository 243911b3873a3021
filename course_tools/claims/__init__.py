"""Every number and comparison of the book, and what proves it: ``course claims`` compares them.

=========== =====================================================================
file        what it holds
=========== =====================================================================
ledger      ``book/claims/*.py``, read and checked
evidence    what a claim returns, and what it came from
measurements evidence from records: means over seeds, comparisons
published   evidence from published chapters
verdicts    whether a claim agrees with its evidence
literals    numbers in prose: how they are written, where they stand
prose       the texts of the book: is each number covered, and is it right?
review      passages where a claim may be missing, for a person to look at
pages       the Scorecard and the Errata, made from the ledger
=========== =====================================================================
"""

from pybtex.database import parse_file

from course_lib import records
from course_lib.errors import CourseError
from course_tools.claims import ledger, prose, verdicts
from course_tools.claims.pages import pages_of
from course_tools.claims.review import passages
from course_tools.publishing import pairs
from course_tools.publishing.project import Project
from course_tools.publishing.publish import check_records


def check(project: Project) -> list[str]:
    """What does not agree, one line each: verdicts, prose, then the pages that are out of date.

    Raises: CourseError for a ledger that cannot be read.
    """
    claims = ledger.read(project)
    for file in sorted(project.results.glob("*.jsonl")):
        try:
            check_records(file) if not file.stem.startswith("bench") else records.read(file)
        except CourseError as error:
            return [str(error)]  # it would spoil every claim over this file
    papers = set(parse_file(str(project.root / "book" / "references.bib")).entries)
    problems = verdicts.problems(project, claims.values(), papers) + prose.problems(project, claims)
    for page in pages_of(project, claims):
        try:
            page.check(project)
        except CourseError as error:
            problems.append(str(error))
    return problems


def update(project: Project) -> list[str]:
    """Rewrite what a program can: literals in prose, notebooks in step with it, Scorecard and Errata.

    Returns: what changed, one line each.
    Raises: CourseError for a ledger that cannot be read, and for evidence that is missing.
    """
    claims = ledger.read(project)
    changes = prose.rewrite(project, claims)
    for chapter in project.chapters():
        pairs.pair(chapter)
    for page in pages_of(project, claims):
        changes += [f"{page.file}: {name} was rewritten" for name in page.write(project)]
    return changes


def review(project: Project) -> dict[str, list[str]]:
    """Passages where a claim may be missing, by what is missing. A person decides: most are as they should be.

    Raises: CourseError for a ledger that cannot be read, and for evidence that is missing.
    """
    return passages(project, ledger.read(project))
