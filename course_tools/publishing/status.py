"""The table of ``course status``: what is published of each chapter, what ran here since, and whether it is fresh."""

from pathlib import Path

import nbformat

from course_tools.publishing import fingerprints, freshness, pairs
from course_tools.publishing.project import Chapter, Project

_HEADINGS = ("chapter", "outputs", "profile", "device", "date", "key", "state")


def table(project: Project) -> str:
    """Chapters with the profile, device, date and key of their published outputs and of the runs in ``_build``.

    A last line names the chapters without a quick run of today's library: whether it computes the same is not known.
    """
    rows, unknown = [_HEADINGS], []
    for chapter in project.chapters():
        if fingerprints.current(project, chapter, pairs.read_source(chapter)) is None:
            unknown.append(chapter.name)
        published = fingerprints.published_file(project, chapter.name)
        rows.append(_row(project, chapter, "published", chapter.notebook, published))
        for file in sorted(project.build.glob(f"runs/*/{chapter.name}.ipynb")):
            rows.append(_row(project, chapter, "run here", file, file.with_suffix(".fingerprint.json")))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if unknown:
        names = "" if len(unknown) == len(project.chapters()) else f" {' '.join(unknown)}"
        lines.append(
            f"\nThe library was edited since the last quick run: `course run{names} --profile quick` or `make"
            " test` finds out whether it still computes what is published."
        )
    return "\n".join(lines)


def _row(project: Project, chapter: Chapter, outputs: str, file: Path, fingerprint: Path) -> tuple[str, ...]:
    try:
        notebook = nbformat.read(file, as_version=4)
    except Exception:  # missing, or not a notebook: nbformat raises whatever a malformed file leads to
        return (chapter.name, outputs, "-", "-", "-", "-", "no notebook: run `course pair`")
    run = notebook.metadata.get("course", {}).get("run", {})
    if "ingredients" not in run:
        return (chapter.name, outputs, "-", "-", "-", "-", "never ran")
    changed = freshness.what_changed(project, chapter, notebook, fingerprints.read(fingerprint))
    state = f"stale: {', '.join(changed[:3])}{' …' if len(changed) > 3 else ''} changed" if changed else "fresh"
    return (chapter.name, outputs, run["profile"], run["device"], run["date"], run["key"][:8], state)
