"""Promote completed runs: outputs into ``notebooks/*.ipynb``, records into ``results/``. All of it, or nothing."""

import json
from pathlib import Path

import nbformat
from jsonschema import Draft202012Validator
from nbformat import NotebookNode

from course_lib import records
from course_lib.errors import CourseError
from course_tools.publishing import drawing, fingerprints, freshness, journal, pairs, staging
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
    notebooks = {chapter.name: staging.load(project, chapter, profile) for chapter in chapters}
    drawing.draw(project, notebooks, profile)
    for chapter in chapters:
        notebook = notebooks[chapter.name]
        problem = staging.what_is_wrong(notebook)
        if problem:
            raise CourseError(f"{chapter.name}: {problem}: {staging.how_to_get(chapter, profile)}.")
        _refuse_the_wrong_profile(chapter, notebook, profile, replace_better)
        fingerprint = staging.fingerprint_of(project, chapter, profile)
        changed = freshness.what_changed(project, chapter, notebook, fingerprint)
        if fingerprints.current(project, chapter, notebook) is None:
            changed = changed or ["the library or the quick profile"]
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
    journal.replace_all(project, contents)
    return chapters


def stamp(project: Project, chapters: list[Chapter]) -> list[Chapter]:
    """Publish the fingerprint of today's quick run with outputs that stay as they are; of all chapters or none.

    For an author who changed values of the quick profile, and nothing else: the library has to be the one which made
    the published outputs, or one that was shown to compute the same.

    Raises: CourseError where the published code, data, weights or records changed, or no quick run is at hand.
    """
    contents: dict[Path, str] = {}
    for chapter in chapters:
        changed = freshness.inputs_changed(project, chapter, pairs.read_notebook(chapter))
        if changed:
            raise CourseError(f"{chapter.name}: {', '.join(changed)} changed, so its outputs are stale: run it again.")
        found = fingerprints.current(project, chapter, pairs.read_source(chapter))
        if found is None:
            raise CourseError(f"{chapter.name} has no quick run of today: `course run {chapter.name} --profile quick`.")
        contents[fingerprints.published_file(project, chapter.name)] = fingerprints.to_text(found)
        key = pairs.read_notebook(chapter).metadata.course.run.key
        for folder in (project.build / "runs").glob("*"):  # the run that was published, if it still lies here
            run = folder / f"{chapter.name}.ipynb"
            if run.exists() and nbformat.read(run, 4).metadata.get("course", {}).get("run", {}).get("key") == key:
                fingerprints.write(found, run.with_suffix(".fingerprint.json"))
    journal.replace_all(project, contents)
    return chapters


def redraw(project: Project) -> list[str]:
    """Draw tables and figures over records anew in the committed notebooks. Returns the names of those that changed."""
    chapters = project.chapters()
    notebooks = {chapter.name: pairs.read_notebook(chapter) for chapter in chapters}
    before = {name: pairs.to_text(notebook) for name, notebook in notebooks.items()}
    drawing.draw(project, notebooks, None)
    texts = {chapter.notebook: pairs.to_text(notebooks[chapter.name]) for chapter in chapters}
    changed = {file: text for file, text in texts.items() if text != before[file.stem]}
    journal.replace_all(project, changed)
    return [file.stem for file in changed]


def check_records(path: Path, profile: str | None = None, chapter: str | None = None) -> None:
    """Check every line of a record file: digest, schema, chapter, profile. Raises CourseError naming the line."""
    schema = json.loads((Path(records.__file__).parent / "schema.json").read_text())
    validator = Draft202012Validator(schema)
    for number, record in enumerate(records.read(path), 1):
        where = f"{path.name}, line {number}"
        problem = next(iter(validator.iter_errors(record)), None)
        if problem is not None:
            place = ".".join(str(part) for part in problem.absolute_path) or "the record"
            raise CourseError(f"{where}: {place}: {problem.message[:120]}: run the chapter again.")
        if chapter is not None and record["chapter"] != chapter:
            raise CourseError(f"{where} is a record of {record['chapter']}: run {chapter} again.")
        if profile is not None and record["profile"] != profile:
            raise CourseError(f"{where} is of a {record['profile']} run, not of {profile}: run {chapter} again.")


def _refuse_the_wrong_profile(chapter: Chapter, notebook: NotebookNode, profile: str, replace_better: bool) -> None:
    ran = notebook.metadata.course.run.profile
    if ran != profile:
        raise CourseError(f"{chapter.name}: this run is of profile {ran}, not {profile}: run it in {profile}.")
    now = pairs.read_notebook(chapter).metadata.get("course", {}).get("run", {}).get("profile", "quick")
    if RANK[now] > RANK[profile] and not replace_better:
        raise CourseError(
            f"{chapter.name} is published from a {now} run, which is worth more than {profile}: "
            "use --replace-better if you mean it."
        )
