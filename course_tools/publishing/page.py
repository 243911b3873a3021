"""A chapter as the book shows it: its top, its text in MyST, its figures with captions, and its footer."""

import io
import re
from base64 import b64decode

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from PIL import Image, ImageOps

from course_tools.publishing import myst, pairs
from course_tools.publishing.project import Chapter
from course_tools.publishing.provenance import footer

CARD = "card"  # the tag of the cell whose figure stands for its chapter on the front page
CARD_PIXELS = (560, 300)
FINISHED = "finished"  # the tag of the cell that a reader's own, tagged "your-turn", comes to
WORDS_A_MINUTE = 200
CAPTION_LETTERS = 160
STALE_BANNER = """\
:::{{warning}}
The outputs on this page are **stale**: since they were made, this changed: {what}. They will be made again.
:::
"""
QUICK_BANNER = """\
:::{warning}
This page shows a **quick run**: a small sample of the data, few epochs. Its numbers say that the code works, not how
good the networks are.
:::
"""


def to_page(
    notebook: NotebookNode, chapter: Chapter, papers: dict[str, str], terms: dict[str, str], changed: list[str]
) -> NotebookNode:
    """A chapter as myst-nb shows it: MyST text, folded solutions, alt texts, banner and footer."""
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            continue
        if "install" in tags:
            tags = [*tags, "remove-cell"]
        elif "parameters" in tags or FINISHED in tags:
            tags = [*tags, "hide-input"]
        cell.metadata = NotebookNode({"tags": tags} if tags else {})
        if FINISHED in tags:
            cell.metadata["mystnb"] = {"code_prompt_show": "Show one way to write it", "code_prompt_hide": "Hide it"}
        if cell.cell_type == "markdown":
            cell.source = myst.markdown_to_myst(cell.source, papers, terms, chapter.name)
        elif image := _image_options(cell):
            cell.metadata.setdefault("mystnb", {})["image"] = image
            if caption := caption_of(image["alt"]):
                cell.metadata["mystnb"]["figure"] = {"caption": caption}
        cells.append(cell)
    title, _, rest = myst.NUMBERED_TITLE.sub("# ", cells[0].source).partition("\n")  # the book numbers chapters itself
    question, _, rest = rest.strip().partition("\n\n")
    run = notebook.metadata.course.run
    top = [f":::{{div}} course-question\n{question}\n:::", f":::{{div}} course-meta\n{_times(cells, run)}\n:::"]
    if run.profile == "quick":
        top.append(QUICK_BANNER)
    if changed:
        top.append(STALE_BANNER.format(what=", ".join(f"`{name}`" for name in changed)))
    cells[0].source = "\n\n".join([title, *top, rest])
    notebook.cells = myst.wrap_exercises(cells, chapter.name)
    foot = f"{footer(run)}\n\n{download_line(chapter)}"
    notebook.cells.append(new_markdown_cell(f"```{{div}} course-provenance\n{foot}\n```"))
    pairs.number_cells(notebook)
    notebook.metadata = NotebookNode({"kernelspec": notebook.metadata.kernelspec, "language_info": {"name": "python"}})
    return notebook


def download_line(chapter: Chapter) -> str:
    """Links to the chapter as Colab shows it. HTML, since they are files of the site and no pages of the book."""
    kinds = {"the notebook": chapter.notebook.name, "its Python script": chapter.source.name}
    links = [f'<a href="../download/{name}" download>{kind}</a>' for kind, name in kinds.items()]
    return f"**Download** {' or '.join(links)}."


def question_of(notebook: NotebookNode) -> str:
    """The question that a chapter answers, as plain text: the first paragraph below its title and badge."""
    _title, *paragraphs = notebook.cells[0].source.split("\n\n")
    first = next(text for text in paragraphs if not text.startswith("[![")).replace("\n", " ")
    return re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", r"\1", myst.without_claims(first))


def card_of(notebook: NotebookNode) -> bytes | None:
    """The whole figure of the cell tagged ``card`` in ``CARD_PIXELS``, as a PNG; None where no cell is tagged."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []) if CARD in cell.metadata.get("tags", []) else []:
            if "image/png" in output.get("data", {}):
                picture = Image.open(io.BytesIO(b64decode(output["data"]["image/png"]))).convert("RGB")
                picture = ImageOps.pad(picture, CARD_PIXELS, Image.Resampling.LANCZOS, color="white")
                packed = io.BytesIO()
                picture.quantize(64, dither=Image.Dither.NONE).save(packed, format="png", optimize=True)
                return packed.getvalue()
    return None


def _times(cells: list[NotebookNode], run: NotebookNode) -> str:
    """How long a chapter takes to read and to run, and its memory: all of its text but folded solutions."""
    prose = [cell.source for cell in cells if cell.cell_type == "markdown" and "solution" not in _tags(cell)]
    minutes = max(5, 5 * round(sum(len(text.split()) for text in prose) / WORDS_A_MINUTE / 5))
    took = f"{round(run.seconds / 60)} min" if run.seconds >= 90 else f"{round(run.seconds)} s"
    device = "a CPU" if run.device == "CPU" else run.device
    memory = f"{run.peak_memory_mb / 1000:.1f} GB"
    return f"{minutes} min to read · {took} to run on {device}, profile `{run.profile}` · {memory} of memory"


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def _image_options(cell: NotebookNode) -> dict[str, str]:
    """Description and nominal width of a cell's figure, as the plot function left them in the output's metadata."""
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            about = output.metadata.get("image/png", {})
            return {"alt": about.get("alt", ""), **({"width": f"{about['width']}px"} if "width" in about else {})}
    return {}


def caption_of(alt: str) -> str:
    """The first sentence of a figure's description, as Markdown; empty where it lists too much for a caption."""
    sentence = re.split(r"(?<=[a-z0-9)%])\. |: |; ", alt, maxsplit=1)[0].rstrip(".:;")
    return re.sub(r"([\\`*_{}\[\]<>$#|])", r"\\\1", sentence) + "." if len(sentence) <= CAPTION_LETTERS else ""
