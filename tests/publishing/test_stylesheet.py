"""One stylesheet of many: every rule that may match stays, in order, and addresses still lead to their files."""

import pytest

from course_tools.publishing.stylesheet import small_stylesheet, words


@pytest.fixture
def small(tmp_path):
    def join(css: str, *used: str) -> str:
        (tmp_path / "styles").mkdir(exist_ok=True)
        (tmp_path / "styles" / "theme.css").write_text(css)
        return small_stylesheet([tmp_path / "styles" / "theme.css"], tmp_path, {"html", "a", *used})

    return join


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (".box{color:red}", ".box{color:red}"),
        (".box, .idle, a:hover {color: red}", ".box,a:hover{color:red}"),
        (".box .idle{color:red}", ""),
        ("#idle{color:red}", ""),
        ("video{color:red}", ""),
        (".box:not(.idle)::after{color:red}", ".box:not(.idle)::after{color:red}"),
        (":is(.idle,.box) a[href]{color:red}", ":is(.idle,.box) a[href]{color:red}"),
        ("@media print{.idle{color:red}.box{color:red}}", "@media print{.box{color:red}}"),
        ("@media print{.idle{color:red}}", ""),
        ("/* a note */ a { margin : calc(1px + 2px)  auto ; }", "a{margin : calc(1px + 2px) auto}"),
        (
            "html{--read:1px;--idle:2px;--deep:var(--deeper);--deeper:3px}a{top:var(--read)}",
            "html{--read:1px;}a{top:var(--read)}",
        ),
        ('a::after{content:"a  ;  b"}', 'a::after{content:"a  ;  b"}'),
        ("@font-face{font-family:F;src:url(f.woff2)}", "@font-face{font-family:F;src:url(styles/f.woff2)}"),
        ('a{background:url("../i.png")}', 'a{background:url("i.png")}'),
        ("a{background:url(data:image/png;base64,AA==)}", "a{background:url(data:image/png;base64,AA==)}"),
    ],
)
def test_what_stays_of_a_rule(small, css, kept):
    assert small(css, "box") == kept


def test_an_import_stands_where_it_was(small, tmp_path):
    (tmp_path / "basic.css").write_text("a{color:red}")
    assert small('@import "../basic.css"; a{color:blue}') == "a{color:red}a{color:blue}"


def test_a_class_that_a_script_gives_counts_as_used(small):
    assert small(".show{top:0}", *words('menu.classList.toggle("show", open)')) == ".show{top:0}"
