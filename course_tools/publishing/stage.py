"""Lay out in ``_build/stage`` what jupyter-book builds: the book's own pages, and the chapters in MyST."""

import json
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

from course_lib.errors import CourseError
from course_tools.publishing import boxes, fingerprints, freshness, live, myst, pairs
from course_tools.publishing.computation import computation, computing_cells
from course_tools.publishing.draw import draw
from course_tools.publishing.page import card_of, question_of, to_page
from course_tools.publishing.project import Chapter, Project

OUTPUT_BYTES = 1_000_000  # a published notebook's outputs, at most


def stage(project: Project, profile: str | None) -> list[str]:
    """Lay the site out, touching only files that changed.

    Args:
        project: the checkout.
        profile: whose runs to show; None shows the published outputs that are committed.

    Returns: the pages, in order.
    Raises: CourseError for a page that is missing, a chapter that did not run or ran with errors, a pair out of step.
    """
    pages, chapters = project.pages(), project.chapters()
    for chapter in chapters:
        if f"notebooks/{chapter.name}" not in pages:
            raise CourseError(f"{chapter.name} is not in _toc.yml: add `- file: notebooks/{chapter.name}`.")
    papers = myst.read_papers(project.root / "book" / "references.bib")
    terms = myst.read_terms(project.root / "book" / "glossary.md")
    notebooks = {chapter.name: load(project, chapter, profile) for chapter in chapters}
    draw(project, notebooks, profile)
    titles = {name: myst.title_of(notebook) for name, notebook in notebooks.items()}
    contents: dict[Path, bytes] = live.site_files()
    questions = {}
    guesses: list[boxes.AnsweredGuess] = []
    issues = boxes.new_issue_address(project)
    for chapter in chapters:
        notebook = notebooks[chapter.name]
        refuse_bad_outputs(chapter, notebook, profile)
        changed = freshness.what_changed(project, chapter, notebook, fingerprint_of(project, chapter, profile))
        if card := card_of(notebook):
            contents[Path("book") / "cards" / f"{chapter.name}.png"] = card
        questions[f"{chapter.name}.html"] = question_of(notebook)
        live.bring_to_life(notebook.cells)
        commit = notebook.metadata.course.run.commit
        guesses += boxes.translate(notebook.cells, chapter.name, issues, commit)
        page = to_page(notebook, chapter, papers, terms, changed)
        contents[Path("notebooks") / f"{chapter.name}.ipynb"] = nbformat.writes(page).encode()
        for file in (chapter.notebook, chapter.source):
            contents[Path("extra", "download", file.name)] = file.read_bytes()
    for file in [project.root / "_config.yml", project.root / "_toc.yml", *sorted((project.root / "book").rglob("*"))]:
        if file.suffix == ".md":
            text = myst.without_claims(boxes.list_guesses(file.read_text(encoding="utf-8"), guesses, titles))
            contents[file.relative_to(project.root)] = live.in_page(text).encode()
        elif file.is_file() and file.suffix not in (".py", ".pyc"):
            contents[file.relative_to(project.root)] = file.read_bytes()
    contents[Path("_config.yml")] = with_questions(contents[Path("_config.yml")], questions)

    for file in [file for file in project.stage.rglob("*") if file.is_file()]:
        if file.relative_to(project.stage) not in contents:
            file.unlink()
    for place, content in contents.items():
        target = project.stage / place
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    (project.build / "shown").write_text(profile or "", encoding="utf-8")
    return pages


def load(project: Project, chapter: Chapter, profile: str | None) -> NotebookNode:
    """The source's cells with the outputs to show; drawn cells are still empty, or of another day.

    Raises: CourseError where there is no such run, or its source was edited since.
    """
    reason = pairs.out_of_step(chapter)
    if reason:
        raise CourseError(reason)
    if profile is None:
        return pairs.read_notebook(chapter)
    file = project.run_folder(profile) / f"{chapter.name}.ipynb"
    if not file.exists():
        raise CourseError(f"{chapter.name} has no run in profile {profile}: {_how_to_get(chapter, profile)}.")
    notebook = nbformat.read(file, as_version=4)
    if "run" not in notebook.metadata.get("course", {}):
        return notebook
    source, ran_in = pairs.read_source(chapter), notebook.metadata.course.run.profile
    if computation(notebook, ran_in) != computation(source, ran_in):
        raise CourseError(f"{chapter.name}: its code was edited after its run: {_how_to_get(chapter, profile)}.")
    return pairs.with_outputs_of(source, notebook)


def fingerprint_of(project: Project, chapter: Chapter, profile: str | None) -> dict | None:
    """The fingerprint of the published outputs, or of the run in ``profile``."""
    if profile is None:
        return fingerprints.read(fingerprints.published_file(project, chapter.name))
    return fingerprints.read(project.run_folder(profile) / f"{chapter.name}.fingerprint.json")


def refuse_bad_outputs(chapter: Chapter, notebook: NotebookNode, profile: str | None) -> None:
    """Raise CourseError where a notebook did not run to its end, raised, or shows too much."""
    problem = _problem(notebook)
    if problem:
        raise CourseError(f"{chapter.name}: {problem}: {_how_to_get(chapter, profile)}.")


def _how_to_get(chapter: Chapter, profile: str | None) -> str:
    """The commands that make the outputs of a chapter."""
    if profile is None:
        return f"`course run {chapter.name} --profile full`, then `course publish {chapter.name}`"
    return f"`course run {chapter.name} --profile {profile}`"


def _problem(notebook: NotebookNode) -> str | None:
    if "run" not in notebook.metadata.get("course", {}):
        return "it never ran to its end"
    size = 0
    computing = [id(cell) for cell, _ in computing_cells(notebook, notebook.metadata.course.run.profile)]
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code":
            continue
        if any(output.output_type == "error" for output in cell.outputs):
            return f"cell {number} raised an error"
        if cell.execution_count is None and id(cell) in computing:
            return f"cell {number} did not run"
        if sum("image/png" in output.get("data", {}) for output in cell.outputs) > 1:
            return f"cell {number} shows more than one figure"
        size += len(json.dumps(cell.outputs))
    if size > OUTPUT_BYTES:
        return f"its outputs take {size / 1e6:.1f} MB, and {OUTPUT_BYTES / 1e6:.0f} MB is the limit"
    return None


def with_questions(config: bytes, questions: dict[str, str]) -> bytes:
    """The book's configuration with each chapter's question, which the links to it show."""
    settings = yaml.safe_load(config)
    sphinx = settings.setdefault("sphinx", {}).setdefault("config", {})
    sphinx.setdefault("html_context", {})["questions"] = questions
    return yaml.safe_dump(settings, allow_unicode=True, sort_keys=False).encode()
