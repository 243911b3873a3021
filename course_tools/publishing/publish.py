"""Publish completed runs: outputs into ``notebooks/``, records and fingerprints into ``results/``; all or nothing."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import nbformat
from jsonschema import Draft202012Validator
from nbformat import NotebookNode

from course_lib import records
from course_lib.errors import CourseError
from course_lib.storage import atomic_file, writable_folder
from course_tools.publishing import fingerprints, freshness, pairs, stage
from course_tools.publishing.draw import draw
from course_tools.publishing.project import Chapter, Project

RANK = {"quick": 0, "cpu": 1, "full": 2}


def publish(project: Project, chapters: list[Chapter], profile: str, replace_better: bool = False) -> list[Chapter]:
    """Take over outputs, records and fingerprints of ``profile``'s runs: all of them, or none.

    ``replace_better`` lets a ``cpu`` run replace published outputs of a ``full`` run.

    Raises: CourseError where a run is missing, failed, stale, of another profile or less than what is published, or a
        record is not valid. Nothing is written then.
    """
    if profile == "quick":
        raise CourseError("A quick run is not published: use --profile cpu, or full on a machine with a GPU.")
    contents: dict[Path, str] = {}
    notebooks = {chapter.name: stage.load(project, chapter, profile) for chapter in chapters}
    draw(project, notebooks, profile)
    for chapter in chapters:
        notebook = notebooks[chapter.name]
        stage.refuse_bad_outputs(chapter, notebook, profile)
        _refuse_paths(project, chapter, notebook)
        _refuse_wrong_profile(chapter, notebook, profile, replace_better)
        fingerprint = stage.fingerprint_of(project, chapter, profile)
        changed = freshness.what_changed(project, chapter, notebook, fingerprint)
        if not changed and fingerprints.current(project, chapter, notebook) is None:
            changed = ["the library or the quick profile"]
        if changed:
            raise CourseError(
                f"{chapter.name}: since its run, {', '.join(changed)} changed: "
                f"`course run {chapter.name} --profile {profile}`."
            )
        pairs.number_cells(notebook)
        pairs.stamp(notebook)
        contents[chapter.notebook] = pairs.to_text(notebook)
        contents[fingerprints.published_file(project, chapter.name)] = fingerprints.to_text(fingerprint)
        kept = project.run_folder(profile) / f"{chapter.name}.jsonl"
        if kept.exists():
            check_records(kept, profile, chapter.name)
            contents[project.results / kept.name] = kept.read_text(encoding="utf-8")
    write_together(contents)
    return chapters


def stamp(project: Project, chapters: list[Chapter]) -> list[Chapter]:
    """Publish the fingerprint of today's quick run with outputs that stay as they are; of all chapters or none.

    For an author who changed values of the quick profile only: the library has to be the one that made the published
    outputs, or one that computes the same.

    Raises: CourseError where the published code, data, weights or records changed, or there is no quick run of today.
    """
    contents: dict[Path, str] = {}
    for chapter in chapters:
        published = pairs.read_notebook(chapter)
        changed = freshness.inputs_changed(project, chapter, published)
        if changed:
            raise CourseError(f"{chapter.name}: {', '.join(changed)} changed, so its outputs are stale: run it again.")
        fingerprint = fingerprints.current(project, chapter, pairs.read_source(chapter))
        if fingerprint is None:
            raise CourseError(f"{chapter.name} has no quick run of today: `course run {chapter.name} --profile quick`.")
        contents[fingerprints.published_file(project, chapter.name)] = fingerprints.to_text(fingerprint)
        for run in project.build.glob(f"runs/*/{chapter.name}.ipynb"):  # the published one, if it is still here
            key = nbformat.read(run, 4).metadata.get("course", {}).get("run", {}).get("key")
            if key == published.metadata.course.run.key:
                fingerprints.write(fingerprint, run.with_suffix(".fingerprint.json"))
    write_together(contents)
    return chapters


def redraw(project: Project) -> list[str]:
    """Draw tables and figures over records again in the committed notebooks. Returns the names of changed ones."""
    chapters = project.chapters()
    notebooks = {chapter.name: pairs.read_notebook(chapter) for chapter in chapters}
    before = {name: pairs.to_text(notebook) for name, notebook in notebooks.items()}
    draw(project, notebooks, None)
    changed = [chapter for chapter in chapters if pairs.to_text(notebooks[chapter.name]) != before[chapter.name]]
    write_together({chapter.notebook: pairs.to_text(notebooks[chapter.name]) for chapter in changed})
    return [chapter.name for chapter in changed]


def write_together(contents: dict[Path, str]) -> None:
    """Write all files, or none where one cannot be written: first each beside its place, then all are renamed.

    Raises: CourseError where a folder cannot be written or the disk is full.
    """
    with ExitStack() as stack:  # which renames on leaving, once everything is written
        for path, text in contents.items():
            stack.enter_context(writable_folder(path.parent))
            stack.enter_context(atomic_file(path)).write_text(text, encoding="utf-8")


def check_records(path: Path, profile: str | None = None, chapter: str | None = None) -> None:
    """Check every line of a record file: digest, schema, chapter, profile. Raises CourseError naming the line."""
    schema = json.loads((Path(records.__file__).parent / "schema.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema)
    for number, record in enumerate(records.read(path), 1):
        where = f"{path.name}, line {number}"
        problem = next(validator.iter_errors(record), None)
        if problem is not None:
            place = ".".join(str(part) for part in problem.absolute_path) or "the record"
            raise CourseError(f"{where}: {place}: {problem.message[:120]}: run the chapter again.")
        if chapter is not None and record["chapter"] != chapter:
            raise CourseError(f"{where} is a record of {record['chapter']}: run {chapter} again.")
        if profile is not None and record["profile"] != profile:
            raise CourseError(f"{where} is of a {record['profile']} run, not of {profile}: run {chapter} again.")


def _refuse_paths(project: Project, chapter: Chapter, notebook: NotebookNode) -> None:
    """A warning names the file that it comes from, and readers have no such file."""
    folders = {str(project.root), sys.prefix}
    for number, cell in enumerate(notebook.cells, 1):
        if any(folder in str(output) for output in cell.get("outputs", []) for folder in folders):
            raise CourseError(
                f"{chapter.name}: cell {number} shows a path of this machine, perhaps in a warning: find its cause, "
                "and run the chapter again."
            )


def _refuse_wrong_profile(chapter: Chapter, notebook: NotebookNode, profile: str, replace_better: bool) -> None:
    ran_in = notebook.metadata.course.run.profile
    if ran_in != profile:
        raise CourseError(f"{chapter.name}: this run is of profile {ran_in}, not {profile}: run it in {profile}.")
    published = pairs.read_notebook(chapter).metadata.get("course", {}).get("run", {}).get("profile", "quick")
    if RANK[published] > RANK[profile] and not replace_better:
        raise CourseError(
            f"{chapter.name} is published from a {published} run, which is worth more than {profile}: "
            "use --replace-better if you mean it."
        )
