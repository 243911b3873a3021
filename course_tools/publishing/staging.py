"""Lay out in ``_build/stage`` what jupyter-book builds: the book's own pages, and the chapters in MyST."""

import json
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from pybtex.database import parse_file

from course_lib.errors import CourseError
from course_tools.publishing import dialect, drawing, fingerprints, freshness, pairs
from course_tools.publishing.computation import computation, computing_cells
from course_tools.publishing.project import Chapter, Project
from course_tools.publishing.provenance import footer

STALE_BANNER = """\
:::{{warning}}
The outputs on this page are **stale**: since they were made, this changed: {what}. They will be made anew.
:::
"""
OUTPUT_BYTES = 1_000_000  # a published notebook's outputs, at most
QUICK_BANNER = """\
:::{warning}
This page shows a **quick run**: a small sample of the data, few epochs. Its numbers say that the code works, not how
good the networks are.
:::
"""


def stage(project: Project, profile: str | None) -> list[str]:
    """Lay the site out, touching only files that changed.

    Args:
        project: the checkout.
        profile: whose runs to show; None shows the published outputs that are committed.

    Returns: the pages, in order.
    Raises: CourseError for a page that is missing, a chapter that did not run or ran with errors, a pair out of step.
    """
    pages = project.pages()
    papers = read_papers(project.root / "book" / "references.bib")
    terms = read_terms(project.root / "book" / "glossary.md")
    wanted: dict[Path, str | bytes] = {}
    for chapter in project.chapters():
        if f"notebooks/{chapter.name}" not in pages:
            raise CourseError(f"{chapter.name} is not in _toc.yml: add `- file: notebooks/{chapter.name}`.")
    notebooks = {chapter.name: load(project, chapter, profile) for chapter in project.chapters()}
    drawing.draw(project, notebooks, profile)
    for chapter in project.chapters():
        notebook = notebooks[chapter.name]
        problem = what_is_wrong(notebook)
        if problem:
            raise CourseError(f"{chapter.name}: {problem}: {how_to_get(chapter, profile)}.")
        changed = freshness.what_changed(project, chapter, notebook, fingerprint_of(project, chapter, profile))
        notebook = translate(notebook, chapter, papers, terms, changed)
        wanted[Path("notebooks") / f"{chapter.name}.ipynb"] = nbformat.writes(notebook)
    for file in [project.root / "_config.yml", project.root / "_toc.yml", *sorted((project.root / "book").rglob("*"))]:
        if file.is_file():
            wanted[file.relative_to(project.root)] = file.read_bytes()

    for present in [file for file in project.stage.rglob("*") if file.is_file()]:
        if present.relative_to(project.stage) not in wanted:
            present.unlink()
    for place, content in wanted.items():
        content = content.encode() if isinstance(content, str) else content
        target = project.stage / place
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return pages


def load(project: Project, chapter: Chapter, profile: str | None) -> NotebookNode:
    """The notebook to show, as it ran: it belongs to its source. Its drawn cells are still empty, or of another day.

    Raises: CourseError where there is no such run, or its source was edited since.
    """
    reason = pairs.out_of_step(chapter)
    if reason:
        raise CourseError(reason)
    file = chapter.notebook if profile is None else project.run_folder(profile) / f"{chapter.name}.ipynb"
    if not file.exists():
        raise CourseError(f"{chapter.name} has no run in profile {profile}: {how_to_get(chapter, profile)}.")
    notebook = nbformat.read(file, as_version=4)
    if profile is not None and "run" in notebook.metadata.get("course", {}):
        source = pairs.read_source(chapter)
        ran_in = notebook.metadata.course.run.profile
        if computation(notebook, ran_in) != computation(source, ran_in):
            raise CourseError(f"{chapter.name}: its code was edited after its run: {how_to_get(chapter, profile)}.")
        notebook = pairs.with_outputs_of(source, notebook)
    return notebook


def fingerprint_of(project: Project, chapter: Chapter, profile: str | None) -> dict | None:
    """The fingerprint of the published outputs, or of the run in ``profile``."""
    if profile is None:
        return fingerprints.read(fingerprints.published_file(project, chapter.name))
    return fingerprints.read(project.run_folder(profile) / f"{chapter.name}.fingerprint.json")


def how_to_get(chapter: Chapter, profile: str | None) -> str:
    """The commands that make the outputs of a chapter."""
    if profile is None:
        return f"`course run {chapter.name} --profile full`, then `course publish {chapter.name}`"
    return f"`course run {chapter.name} --profile {profile}`"


def what_is_wrong(notebook: NotebookNode) -> str | None:
    """Why a notebook must not be shown, in a few words; None where it may."""
    if "run" not in notebook.metadata.get("course", {}):
        return "it never ran to its end"
    size, run = 0, notebook.metadata.course.run
    computing = [id(cell) for cell, _ in computing_cells(notebook, run.profile)]
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


def translate(
    notebook: NotebookNode, chapter: Chapter, papers: dict[str, str], terms: dict[str, str], changed: list[str]
) -> NotebookNode:
    """Turn a chapter into what myst-nb shows: MyST text, folded solutions, alt texts, banner and footer."""
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            continue
        if "install" in tags:
            tags = [*tags, "remove-cell"]
        elif "parameters" in tags:
            tags = [*tags, "hide-input"]
        cell.metadata = NotebookNode({"tags": tags} if tags else {})
        if cell.cell_type == "markdown":
            cell.source = dialect.translate_text(cell.source, papers, terms, chapter.name)
        else:
            image = image_options(cell)
            if image:
                cell.metadata["mystnb"] = {"image": image}
        cells.append(cell)
    cells[0].source = dialect.NUMBERED_TITLE.sub("# ", cells[0].source)  # the book numbers its chapters itself
    cells = dialect.wrap_exercises(cells, chapter.name)
    run = notebook.metadata.course.run
    banners = [QUICK_BANNER] if run.profile == "quick" else []
    if changed:
        banners.append(STALE_BANNER.format(what=", ".join(f"`{name}`" for name in changed)))
    title, _, rest = cells[0].source.partition("\n")
    cells[0].source = "\n".join([title, "", *banners, rest])
    cells.append(new_markdown_cell(f"```{{div}} course-provenance\n{footer(run)}\n```"))
    notebook.cells = cells
    pairs.number_cells(notebook)
    notebook.metadata = NotebookNode({"kernelspec": notebook.metadata.kernelspec, "language_info": {"name": "python"}})
    return notebook


def image_options(cell: NotebookNode) -> dict[str, str]:
    """Description and nominal width of a cell's figure, as the plot function left them in the output's metadata."""
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            about = output.metadata.get("image/png", {})
            return {"alt": about.get("alt", ""), **({"width": f"{about['width']}px"} if "width" in about else {})}
    return {}


def read_papers(bibliography: Path) -> dict[str, str]:
    """Citation key of each address in ``references.bib`` (its ``url``, or its ``doi`` as a link)."""
    papers = {}
    for key, entry in parse_file(str(bibliography)).entries.items():
        if "url" in entry.fields:
            papers[entry.fields["url"]] = key
        if "doi" in entry.fields:
            papers[f"https://doi.org/{entry.fields['doi']}"] = key
    return papers


def read_terms(glossary: Path) -> dict[str, str]:
    """Glossary entry of each word, in lower case, singular and simple plural."""
    block = re.search(r"```\{glossary\}\n(.*?)```", glossary.read_text(), re.DOTALL)
    entries = re.findall(r"(?m)^(\S.*)$", block[1]) if block else []
    return {form: entry for entry in entries for form in (entry.lower(), f"{entry.lower()}s")}
