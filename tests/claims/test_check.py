"""The whole of it, on the miniature: what is noticed, what is rewritten, and what the command prints."""

import json

import pytest

from course_lib import records
from course_tools import claims, cli
from course_tools.publishing import pairs


def change_line(checkout, file, number, change):
    """Change the text of a record."""
    path = checkout.project.results / file
    lines = path.read_text().splitlines()
    lines[number - 1] = change(lines[number - 1])
    path.write_text("\n".join(lines) + "\n")


def with_accuracy(accuracy):
    """A change of a record's accuracy, with a digest that fits."""

    def change(line):
        record = json.loads(line)
        record["final"]["accuracy"] = accuracy
        record["sha256"] = records.digest(record)
        return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    return change


def test_no_problem_where_everything_agrees(checkout):
    assert checkout.check() == []


@pytest.mark.parametrize("literal", ["97–98 %", "98.50 ± 0.02 %", "61,706", "7.3 %", "13 min"])
def test_no_digit_of_the_prose_changes_unnoticed(checkout, literal):
    text = checkout.source.read_text()
    start = text.index(literal, text.index("Tutorials"))
    for spot in [start + place for place, sign in enumerate(literal) if sign.isdigit()]:
        digit = str((int(text[spot]) + 1) % 10)
        checkout.source.write_text(text[:spot] + digit + text[spot + 1 :])
        (problem,) = checkout.check()
        assert problem.startswith("01-small.py, cell ") and " says " in problem


@pytest.mark.parametrize("field", ['"accuracy":0.9', '"seed":'])
def test_no_digit_of_a_record_changes_without_its_digest(checkout, field):
    def digit(line):
        before, found, after = line.partition(field)
        assert found and after[0].isdigit()
        return f"{before}{found}{(int(after[0]) + 1) % 10}{after[1:]}"

    change_line(checkout, "study-small.jsonl", 2, digit)
    (problem,) = checkout.check()
    assert problem.startswith("study-small.jsonl, line 2 was changed after it was written (its SHA-256 is wrong)")


def test_a_changed_accuracy_with_a_right_digest_is_noticed(checkout):
    change_line(checkout, "study-small.jsonl", 1, with_accuracy(0.8348))
    problems = checkout.check()
    assert [problem.partition(",")[0] for problem in problems] == [
        "A.1",
        "small-beats-other is undecided: −2.0 ± 8.3 points in 5 seeds. Run more seeds",
        "README.md says 98.50 ± 0.02 %",
        "01-small.py",
        "book/scorecard.md is out of date (a): run `course claims --update`.",
    ]
    assert problems[0] == "A.1, Test accuracy: the source says 97–98 %, and ours is 95.5 ± 6.7 %: not reproduced."


def test_a_benchmark_is_no_record_of_a_run_and_yet_may_not_be_changed(checkout):
    records.append(checkout.project.results / "bench-cpu.jsonl", {"kind": "step", "milliseconds": 3})
    assert checkout.check() == []
    change_line(checkout, "bench-cpu.jsonl", 1, lambda line: line.replace("3", "4", 1))
    (problem,) = checkout.check()
    assert problem.startswith("bench-cpu.jsonl, line 1 was changed")


def test_an_update_rewrites_prose_notebook_and_pages_and_then_all_agree(checkout):
    for seed in (5, 6):
        checkout.record("study-small/net", 0.9802, seed=seed)
    assert len(checkout.check()) == 3
    assert claims.update(checkout.project) == [
        "README.md: 98.50 ± 0.02 % is now 98.36 ± 0.23 % (small-accuracy)",
        "01-small.py: 98.50 ± 0.02 % is now 98.36 ± 0.23 % (small-accuracy)",
        "book/scorecard.md: a was rewritten",
    ]
    assert checkout.check() == []
    (chapter,) = checkout.project.chapters()
    assert pairs.out_of_step(chapter) is None
    notebook = pairs.read_notebook(chapter)
    assert "98.36 ± 0.23 %" in notebook.cells[0].source
    assert notebook.metadata.course.run.seconds == 780
    assert any(cell.get("outputs") for cell in notebook.cells), "the outputs of the published run stay"


def test_the_command_lists_what_does_not_agree_and_rewrites_it_if_asked(checkout, monkeypatch, capsys):
    monkeypatch.chdir(checkout.root / "book")
    readme = checkout.root / "README.md"
    right = readme.read_text()
    readme.write_text(right.replace("98.50", "98.51"))
    assert cli.main(["claims"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "README.md says 98.51 ± 0.02 %, and small-accuracy is 98.50 ± 0.02 %.\n"
    assert shown.err.startswith("course: 1 statement does not agree with the evidence: see above. `course claims --up")
    assert readme.read_text() != right, "nothing is rewritten unasked"
    assert cli.main(["claims", "--update"]) == 0
    assert readme.read_text() == right
