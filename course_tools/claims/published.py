"""Evidence from published chapters: what they printed and drew, and what their run took.

All functions raise NoEvidence for a chapter that is not published, or not so.
"""

from course_tools.claims.evidence import Evidence, NoEvidence, project_of_claims
from course_tools.publishing import literals, pairs
from course_tools.publishing.project import Chapter


def figures(chapters: dict[str, list[str]]) -> Evidence:
    """Whether published chapters hold figures: a cell that calls the function and shows a picture.

    Args:
        chapters: names of functions, as the chapter calls them, by chapter.
    """
    for name, functions in chapters.items():
        cells = [
            cell.source
            for cell in pairs.read_notebook(_chapter(name)).cells
            if cell.cell_type == "code" and any("image/png" in output.get("data", {}) for output in cell.outputs)
        ]
        missing = [function for function in functions if not any(f"{function}(" in source for source in cells)]
        if missing:
            raise NoEvidence(f"{name} shows no figure of {', '.join(missing)}.")
    numbers = " and ".join(str(int(name[:2])) for name in chapters)
    return Evidence(True, kind="figures", note=f"drawn in chapter{'s' * (len(chapters) > 1)} {numbers}")


def output(chapter: str) -> str:
    """What the cells of a published chapter printed, and the values that they showed, as text."""
    texts = []
    for cell in pairs.read_notebook(_chapter(chapter)).cells:
        for shown in cell.get("outputs", []):
            texts.append(shown.get("text", "") or shown.get("data", {}).get("text/plain", ""))
    return "\n".join(texts)


def printed(chapter: str, behind: str, profiles: tuple[str, ...] = ("cpu", "full")) -> Evidence:
    """The number behind some words in what a chapter printed that was published from a run in one of ``profiles``."""
    _require_run(chapter, *profiles)
    try:
        values = {literals.read(text).values for text in output(chapter).split(behind)[1:]}
    except ValueError as error:
        raise NoEvidence(f"{chapter} prints no number behind {behind!r}: {error}.") from error
    if len(values) != 1:
        seen = "different numbers" if values else "nothing"
        raise NoEvidence(f"{chapter} prints {seen} behind {behind!r}.")
    return Evidence(values.pop()[0], kind="printed")


def seconds(chapter: str, profile: str = "cpu") -> Evidence:
    """How long a chapter's published run took."""
    return Evidence(float(_require_run(chapter, profile)["seconds"]), kind="run")


def memory(chapter: str, profile: str = "cpu") -> Evidence:
    """The most memory, in bytes, that a chapter's published run held."""
    return Evidence(_require_run(chapter, profile)["peak_memory_mb"] * 1e6, kind="run")


def _require_run(name: str, *profiles: str) -> dict:
    run = pairs.read_notebook(_chapter(name)).metadata.get("course", {}).get("run", {})
    if run.get("profile") not in profiles:
        raise NoEvidence(f"{name} is not published from a {' or '.join(profiles)} run.")
    return run


def _chapter(name: str) -> Chapter:
    for chapter in project_of_claims.get().chapters():
        if chapter.name == name and chapter.notebook.is_file():
            return chapter
    raise NoEvidence(f"there is no chapter {name}.")
