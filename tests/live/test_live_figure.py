"""What a live figure leaves in a notebook: itself in a reader's own, a picture with its name in the pipeline."""

import json
import re
from base64 import b64decode

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from course_lib import live
from course_lib.live.figure import FOLDER, METADATA, LiveFigure, still
from course_tools.publishing.live import bring_to_life, in_page

FIGURE = live.drag_a_digit(digit=7, right=-1)


def bundle(monkeypatch, pipeline: bool) -> tuple[dict, dict]:
    if pipeline:
        monkeypatch.setenv("COURSE_STILL", "1")
    else:
        monkeypatch.delenv("COURSE_STILL", raising=False)
    return FIGURE._repr_mimebundle_()


def test_in_the_pipeline_a_picture_and_what_makes_the_figure_again(monkeypatch):
    data, metadata = bundle(monkeypatch, pipeline=True)
    assert set(data) == {"image/png", "text/plain"}
    assert b64decode(data["image/png"]) == still(FIGURE.name)
    again = LiveFigure(**json.loads(json.dumps(metadata[METADATA])))
    assert (again.name, again.caption, again.alt, again.options) == (
        FIGURE.name,
        FIGURE.caption,
        FIGURE.alt,
        FIGURE.options,
    )
    assert len(json.dumps([data, metadata])) < 150_000, "a notebook's outputs take a megabyte"


def test_in_a_notebook_of_ones_own_all_that_it_needs(monkeypatch):
    data, _ = bundle(monkeypatch, pipeline=False)
    html = data["text/html"]
    sources = json.loads(re.search(r"const sources = (\{.*?\}), files = ", html, re.DOTALL)[1])
    needed = [*re.findall(r'from "\./([\w-]+)\.js"', " ".join(sources.values())), "frame", FIGURE.name]
    assert set(needed) == set(sources)
    names = list(sources)
    for name, source in sources.items():
        assert all(names.index(other) < names.index(name) for other in re.findall(r'from "\./([\w-]+)\.js"', source))
    assert all(f'"{file}": "' in html for file in FIGURE.files)
    assert "image/png" in data


def test_no_setting_ends_the_script(monkeypatch):
    figure = LiveFigure("drag-a-digit", "<b>", '"quoted"', options={"text": "</script><!-- <script>"})
    html = figure.to_html()
    assert html.count("</script>") == 1 and "<!--" not in html.partition("<script>")[2]
    assert "&lt;b&gt;" in html and 'alt="&quot;quoted&quot;"' in html


def test_imports_are_on_one_line_and_without_circles():
    for file in FOLDER.glob("*.js"):
        text = file.read_text(encoding="utf-8")
        imports = re.findall(r"(?m)^import .*$", text)
        assert all(re.fullmatch(r'import \{ [\w, ]+ \} from "\./[\w-]+\.js";', line) for line in imports), file.name
        assert len(re.findall(r"\bfrom \"", text)) == len(imports), file.name
        LiveFigure(file.stem, "", "").needed_modules()  # a circle would not end


def test_the_site_gets_the_figure_and_its_picture_where_the_picture_stood(monkeypatch):
    data, metadata = bundle(monkeypatch, pipeline=True)
    plain = new_output("display_data", data={"image/png": "AAAA"})
    cell = new_code_cell("live.drag_a_digit()", outputs=[new_output("execute_result", data=data, metadata=metadata)])
    cells = [cell, new_code_cell("figure", outputs=[plain])]
    bring_to_life(cells)
    [shown] = cells[0].outputs
    assert set(shown.data) == {"text/html", "text/plain"}
    assert 'data-figure="drag-a-digit"' in shown.data["text/html"] and "&quot;digit&quot;: 7" in shown.data["text/html"]
    assert cells[1].outputs == [plain]
    nbformat.validate(nbformat.v4.new_notebook(cells=cells))


@pytest.mark.parametrize("line", ["<!-- live: drag-a-digit --> and more", "a <!-- live: drag-a-digit -->"])
def test_only_a_line_of_its_own_is_a_figure_on_a_page(line):
    assert in_page(line) == line
    assert 'data-figure="drag-a-digit"' in in_page("Before.\n\n<!-- live: drag-a-digit -->\n\nAfter.")
