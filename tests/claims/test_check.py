"""The whole of it, on the miniature: what is noticed, what is mended, and what the command says."""

import json

import pytest

from course_lib import records
from course_lib.errors import CourseError
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


def test_where_everything_agrees_there_is_nothing_to_say(checkout):
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
@pytest.mark.parametrize("field", ['"accuracy":0.9', '"seed":', '"train_loss":0.', '"threads":'])
def test_no_digit_of_a_record_changes_without_its_digest(checkout, file, field):
    def digit(line):
        before, found, after = line.partition(field)
        assert found and after[0].isdigit()
        return f"{before}{found}{(int(after[0]) + 1) % 10}{after[1:]}"

    change_line(checkout, file, 2, digit)
    (said,) = checkout.check()
    assert said.startswith(f"{file}, line 2 was changed after it was written (its SHA-256 is wrong)")


def test_a_record_that_no_claim_asks_is_looked_at_too(checkout):
    checkout.record("02-more/net", 0.9)
    assert checkout.check() == []
    change_line(checkout, "02-more.jsonl", 1, lambda line: line.replace('"accuracy":0.9,', '"accuracy":0.8,'))
    (said,) = checkout.check()
    assert said.startswith("02-more.jsonl, line 1 was changed")


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


@pytest.mark.parametrize("file", ["study-small.jsonl", "01-small.jsonl"])
def test_a_record_that_is_none_is_named(checkout, file):
    change_line(checkout, file, 3, lambda record: record.pop("machine"), sign=True)
    (said,) = checkout.check()
    assert said.startswith(f"{file}, line 3: ") and "'machine' is a required property" in said


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
    told = claims.update(checkout.project)
    assert told == [
        "README.md: 98.50 ± 0.02 % is now 98.31 ± 0.26 % (small-accuracy)",
        "01-small.py: 98.50 ± 0.02 % is now 98.31 ± 0.26 % (small-accuracy)",
        "book/scorecard.md: a is made anew",
    ]
    assert checkout.check() == []
    (chapter,) = checkout.project.chapters()
    assert pairs.out_of_step(chapter) is None
    notebook = pairs.read_notebook(chapter)
    assert "98.31 ± 0.26 %" in notebook.cells[0].source
    assert notebook.metadata.course.run.seconds == 780
    assert any(cell.get("outputs") for cell in notebook.cells), "the outputs of the published run stay"


def test_a_second_update_has_nothing_to_do(checkout):
    before = {one: one.stat().st_mtime_ns for one in checkout.root.rglob("*") if one.is_file()}
    assert claims.update(checkout.project) == []
    assert {one: one.stat().st_mtime_ns for one in checkout.root.rglob("*") if one.is_file()} == before


def test_an_update_changes_no_verdict(checkout):
    change_line(checkout, "study-small.jsonl", 1, lambda record: record["final"].update(accuracy=0.8848), sign=True)
    before = checkout.ledger_file.read_bytes()
    claims.update(checkout.project)
    assert checkout.ledger_file.read_bytes() == before
    assert [one.partition(":")[0] for one in checkout.check()] == [
        "A.1, test accuracy",
        "small-beats-other does not hold any more",
    ]


def test_a_ledger_that_cannot_be_read_is_an_error(checkout):
    checkout.ledger_file.write_text("sources: [")
    for act in (claims.check, claims.update):
        with pytest.raises(CourseError, match=r"book/claims\.yml, line 1: "):
            act(checkout.project)


def course(checkout, monkeypatch, capsys, *words):
    """Run the command in the checkout. Returns its status, and the lines that it printed and complained."""
    monkeypatch.chdir(checkout.root / "book")
    status = cli.main(["claims", *words])
    shown = capsys.readouterr()
    return status, shown.out.splitlines(), shown.err.splitlines()


def test_the_command_says_that_all_agree(checkout, monkeypatch, capsys):
    assert course(checkout, monkeypatch, capsys) == (
        0,
        ["Every claim agrees with its evidence, and every number in the prose has a claim."],
        [],
    )


MEND = "see above. `course claims --update` rewrites numbers; a verdict and a sentence are yours to mend."


def test_the_command_lists_what_does_not_agree_and_changes_nothing(checkout, monkeypatch, capsys):
    checkout.replace("README.md", "98.50", "98.51")
    before = (checkout.root / "README.md").read_bytes()
    status, printed, complained = course(checkout, monkeypatch, capsys)
    assert status == 1
    assert printed == ["README.md says 98.51 ± 0.02 %, and small-accuracy is 98.50 ± 0.02 %."]
    assert complained == [f"course: 1 statement does not agree with the evidence: {MEND}"]
    assert (checkout.root / "README.md").read_bytes() == before
    checkout.add("README.md", "And 97 % more.\n")
    status, printed, complained = course(checkout, monkeypatch, capsys)
    assert (status, len(printed)) == (1, 2)
    assert complained == [f"course: 2 statements do not agree with the evidence: {MEND}"]


def test_the_command_mends_numbers(checkout, monkeypatch, capsys):
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


def test_the_command_cannot_mend_a_number_without_a_claim(checkout, monkeypatch, capsys):
    checkout.add("README.md", "And 97 % more.\n")
    status, printed, complained = course(checkout, monkeypatch, capsys, "--update")
    assert (status, len(printed), len(complained)) == (1, 1, 1)
    assert printed[0].startswith("README.md: '97 %' in ")


@pytest.mark.parametrize("words", [[], ["--update"]])
def test_the_command_says_in_one_line_what_is_wrong_with_the_ledger(checkout, monkeypatch, capsys, words):
    checkout.rewrite_ledger(lambda entries: entries["sources"].pop("E.10"))
    assert course(checkout, monkeypatch, capsys, *words) == (
        1,
        [],
        ["course: book/claims.yml has no E.10: every claim of the documents needs a verdict."],
    )


def test_an_update_without_the_evidence_says_how_to_get_it(checkout, monkeypatch, capsys):
    checkout.own("new", records={"of": "study-none/net", "measure": "accuracy"})
    checkout.add("README.md", "It reaches 97 % <!-- claim: new -->.\n")
    assert course(checkout, monkeypatch, capsys, "--update") == (
        1,
        [],
        ["course: new: there is no results/study-none.jsonl: call `course study none --publish`."],
    )
