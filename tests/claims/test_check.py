"""The whole of it, on the miniature: what is noticed, what is mended, and what the command says."""

import json

import pytest

from course_lib import records
from course_tools import claims, cli
from course_tools.publishing import pairs


def lines_of(checkout, file):
    return (checkout.project.results / file).read_text().splitlines()


def change_line(checkout, file, number, change, *, sign=False):
    """Change a record: its text, or with ``sign`` the record itself, with a digest that fits."""
    path = checkout.project.results / file
    lines = path.read_text().splitlines()
    lines[number - 1] = _signed(lines[number - 1], change) if sign else change(lines[number - 1])
    path.write_text("\n".join(lines) + "\n")


def _signed(line, change):
    record = json.loads(line)
    change(record)
    record["sha256"] = records.digest(record)
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_no_problem_where_everything_agrees(checkout):
    assert checkout.check() == []


@pytest.mark.parametrize("place", range(10))
def test_no_digit_of_the_prose_changes_unnoticed(checkout, place):
    """Each digit of each literal of the small chapter, by one: 97–98, 98.50 ± 0.02, 61,706, 7.3 and 13."""
    text = checkout.source.read_text()
    start = text.index("Tutorials")
    end = text.index("13 min") + 2
    literals = ["97–98 %", "98.50 ± 0.02 %", "61,706", "7.3 %", "13 min"]
    spots = [text.index(one, start) + at for one in literals for at, sign in enumerate(one) if sign.isdigit()]
    assert len(spots) == 20 and max(spots) < end
    for spot in spots[place::10]:
        digit = str((int(text[spot]) + 1) % 10)
        checkout.source.write_text(text[:spot] + digit + text[spot + 1 :])
        (said,) = checkout.check()
        assert said.startswith("01-small.py, cell ") and " says " in said


@pytest.mark.parametrize("file", ["study-small.jsonl", "01-small.jsonl"])
@pytest.mark.parametrize("field", ['"accuracy":0.9', '"seed":'])
def test_no_digit_of_a_record_changes_without_its_digest(checkout, file, field):
    def digit(line):
        before, found, after = line.partition(field)
        assert found and after[0].isdigit()
        return f"{before}{found}{(int(after[0]) + 1) % 10}{after[1:]}"

    change_line(checkout, file, 2, digit)
    (said,) = checkout.check()
    assert said.startswith(f"{file}, line 2 was changed after it was written (its SHA-256 is wrong)")


def test_a_changed_accuracy_with_a_right_digest_is_noticed(checkout):
    """The prose says another mean, the Scorecard too."""
    change_line(checkout, "study-small.jsonl", 1, lambda record: record["final"].update(accuracy=0.9878), sign=True)
    found = checkout.check()
    assert [one for one in found if one.startswith("README.md says 98.50 ± 0.02 %, and small-accuracy is 98.60")]
    assert [one for one in found if one.startswith("01-small.py, cell 1 says 98.50 ± 0.02 %, and small-accuracy is")]
    assert [one for one in found if one.startswith("book/scorecard.md is out of date (a)")]
    assert len(found) == 3


def test_a_changed_accuracy_can_cost_a_verdict_and_a_comparison(checkout):
    change_line(checkout, "study-small.jsonl", 1, lambda record: record["final"].update(accuracy=0.8848), sign=True)
    found = checkout.check()
    assert "A.1, test accuracy: the source says 97–98 %, and ours is 95.2 ± 5.8 %: not reproduced." in found
    assert "small-beats-other does not hold any more: say so in the prose." in found


def test_a_benchmark_is_no_record_of_a_run_and_yet_may_not_be_changed(checkout):
    records.append(checkout.project.results / "bench-cpu.jsonl", {"kind": "step", "milliseconds": 3})
    assert checkout.check() == []
    change_line(checkout, "bench-cpu.jsonl", 1, lambda line: line.replace("3", "4", 1))
    (said,) = checkout.check()
    assert said.startswith("bench-cpu.jsonl, line 1 was changed")


def test_an_update_rewrites_prose_notebook_and_pages_and_then_all_agree(checkout):
    for seed in (3, 4):
        checkout.record("study-small/net", 0.9802, seed=seed)
    assert len(checkout.check()) == 3
    changes = claims.update(checkout.project)
    assert changes == [
        "README.md: 98.50 ± 0.02 % is now 98.31 ± 0.26 % (small-accuracy)",
        "01-small.py: 98.50 ± 0.02 % is now 98.31 ± 0.26 % (small-accuracy)",
        "book/scorecard.md: a was rewritten",
    ]
    assert checkout.check() == []
    (chapter,) = checkout.project.chapters()
    assert pairs.out_of_step(chapter) is None
    notebook = pairs.read_notebook(chapter)
    assert "98.31 ± 0.26 %" in notebook.cells[0].source
    assert notebook.metadata.course.run.seconds == 780
    assert any(cell.get("outputs") for cell in notebook.cells), "the outputs of the published run stay"


def course(checkout, monkeypatch, capsys, *words):
    """Run the command in the checkout. Returns its status, and the lines that it printed and complained."""
    monkeypatch.chdir(checkout.root / "book")
    status = cli.main(["claims", *words])
    shown = capsys.readouterr()
    return status, shown.out.splitlines(), shown.err.splitlines()


FIX = "see above. `course claims --update` rewrites numbers; verdicts and sentences are yours to fix."


def test_the_command_lists_what_does_not_agree_and_changes_nothing(checkout, monkeypatch, capsys):
    checkout.replace("README.md", "98.50", "98.51")
    before = (checkout.root / "README.md").read_bytes()
    status, printed, complained = course(checkout, monkeypatch, capsys)
    assert status == 1
    assert printed == ["README.md says 98.51 ± 0.02 %, and small-accuracy is 98.50 ± 0.02 %."]
    assert complained == [f"course: 1 statement does not agree with the evidence: {FIX}"]
    assert (checkout.root / "README.md").read_bytes() == before
    checkout.add("README.md", "And 97 % more.\n")
    status, printed, complained = course(checkout, monkeypatch, capsys)
    assert (status, len(printed)) == (1, 2)
    assert complained == [f"course: 2 statements do not agree with the evidence: {FIX}"]


def test_update_rewrites_numbers(checkout, monkeypatch, capsys):
    right = (checkout.root / "README.md").read_bytes()
    checkout.replace("README.md", "98.50", "98.51")
    assert course(checkout, monkeypatch, capsys, "--update") == (
        0,
        [
            "README.md: 98.51 ± 0.02 % is now 98.50 ± 0.02 % (small-accuracy)",
            "Every claim agrees with its evidence, and every number in the prose has a claim.",
        ],
        [],
    )
    assert (checkout.root / "README.md").read_bytes() == right


@pytest.mark.parametrize("words", [[], ["--update"]])
def test_the_command_says_in_one_line_what_is_wrong_with_the_ledger(checkout, monkeypatch, capsys, words):
    checkout.rewrite_ledger(lambda entries: entries["sources"].pop("E.10"))
    assert course(checkout, monkeypatch, capsys, *words) == (
        1,
        [],
        ["course: book/claims.yml has no E.10: every claim of the documents needs a verdict."],
    )
