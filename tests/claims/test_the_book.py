"""The real book: its ledger, its pages, its prose; and on a copy of it, that no digit changes unnoticed."""

import json
import re
import shutil
from pathlib import Path

import pytest

from course_lib import records
from course_lib.errors import CourseError
from course_tools import claims
from course_tools.claims import ledger, literals, prose, verdicts
from course_tools.claims.ledger import Claim, Fact
from course_tools.publishing.project import Project

ROOT = Path(__file__).parents[2]
DOCUMENTS = {"A": 9, "B": 12, "C": 9, "D": 5, "E": 10}


@pytest.fixture(scope="module")
def read():
    return ledger.read(Project(ROOT))


@pytest.fixture
def copy(tmp_path):
    """The book in a place where it may be spoilt."""
    for folder, files in (("book", "*"), ("notebooks", "*.py"), ("notebooks", "*.ipynb"), ("results", "*.jsonl")):
        (tmp_path / folder).mkdir(exist_ok=True)
        for file in (ROOT / folder).glob(files):
            if file.is_file():
                shutil.copy(file, tmp_path / folder)
    for file in ("README.md", "_toc.yml"):
        shutil.copy(ROOT / file, tmp_path)
    return Project(tmp_path)


def test_every_claim_of_the_documents_has_a_verdict(read):
    for document, count in DOCUMENTS.items():
        names = [name for name, claim in read.items() if claim.document == document]
        assert sorted(names) == sorted(f"{document}.{number}" for number in range(1, count + 1))
        assert all(fact.verdict for name in names for fact in read[name].facts)


def test_the_large_networks_are_proven_by_a_gpu_or_not_at_all(read):
    measured = [fact for name in ("C.3", "C.4") for fact in read[name].facts if fact.proof in ("records", "order")]
    assert len(measured) >= 12
    assert {fact.asked["profile"] for fact in measured} == {"full"}


def test_every_claim_is_on_the_scorecard():
    page = (ROOT / "book" / "scorecard.md").read_text()
    for document, count in DOCUMENTS.items():
        for number in range(1, count + 1):
            assert f"\n| **{document}.{number}** | " in page, f"{document}.{number}"


def test_every_fact_is_on_the_scorecard_and_every_error_of_a_source_in_the_errata(read):
    scorecard, errata = ((ROOT / "book" / f"{name}.md").read_text() for name in ("scorecard", "errata"))
    facts = [fact for claim in read.values() if claim.document for fact in claim.facts]
    wrong = [fact for fact in facts if fact.wrong]
    assert len(wrong) > 20
    for fact in facts:
        assert f" | {fact.what} | " in scorecard, fact.title
        assert (f"\n### {fact.claim}: {fact.what}\n" in errata) is fact.wrong, fact.title
    assert len(re.findall(r"(?m)^### [A-E]\.\d+: ", errata)) == len(wrong)
    assert scorecard.count(" | ⚠ ") == len(wrong)


def test_every_claim_of_the_books_own_is_named_in_its_prose(read):
    named = {name for text in prose.texts(Project(ROOT)) for name in literals.named(text.content)}
    assert {name for name, claim in read.items() if not claim.document} <= named


def test_everything_agrees():
    assert claims.check(Project(ROOT)) == []


def other_digit(text):
    """A literal with its first digit raised by one; nine becomes one."""
    return re.sub(r"\d", lambda digit: str(int(digit[0]) % 9 + 1), text, count=1)


def problem_of(project, claim, text):
    """What is wrong with a literal; None where nothing is."""
    try:
        right = prose.corrected(project, claim, text)
    except CourseError as error:
        return str(error)
    return None if right == text else right


def test_no_literal_of_the_prose_takes_another_digit(read):
    """Except where the digit makes another value that the source gives in the same claim."""
    project, tried = Project(ROOT), 0
    for text in prose.texts(project):
        for place in literals.claimed(text.content):
            claim = read.get(place.claim, Claim("unknown", ""))
            changed = other_digit(place.text)
            said = literals.read(changed)
            known = [fact.literal.values for fact in claim.facts if fact.literal]
            ours = literals.read(place.text).is_range and not any(len(one) > 1 for one in known)
            if problem_of(project, claim, place.text) is None and said.values not in known and not ours:
                assert problem_of(project, claim, changed), f"{text.where}: {place.text} became {changed}"
                tried += 1
    assert tried > 5


def change(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_a_changed_digit_of_the_prose_is_found_where_it_stands(copy, read):
    before = prose.problems(copy, read)
    change(copy.notebooks / "04-vgg.py", "134,301,514 <!-- claim: A.5 -->", "134,301,515 <!-- claim: A.5 -->")
    (said,) = set(prose.problems(copy, read)) - set(before)
    assert said.startswith("04-vgg.py, cell ") and "the prose says 134,301,515, and A.5 knows only " in said


@pytest.mark.parametrize("file", ["01-mlp", "bench-cpu"])
def test_a_changed_digit_of_a_record_spoils_its_digest(copy, file):
    path = copy.results / f"{file}.jsonl"
    text = path.read_text()
    spot = re.search(r"0\.\d\d\d", text).start() + 4
    path.write_text(text[:spot] + str((int(text[spot]) + 1) % 10) + text[spot + 1 :])
    (said,) = claims.check(copy)
    assert said.startswith(f"{file}.jsonl, line ") and "was changed after it was written" in said


def signed(path, name, change):
    """Change the first record of a name, and give it the digest that fits."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(next(record for record in lines if record["name"] == name))
    for record in lines:
        record["sha256"] = records.digest(record)
    path.write_text("".join(json.dumps(record) + "\n" for record in lines))


def test_a_changed_accuracy_with_a_right_digest_contradicts_the_readme(copy):
    row = next(one for one in (copy.root / "README.md").read_text().splitlines() if "notebooks/02-lenet.ipynb" in one)
    text = re.search(r"\d+\.\d\d ± \d+\.\d\d %", row)[0]
    asked = {"of": "02-lenet/LeNet-5, modern", "measure": "accuracy"}
    claim = Claim("lenet", "What the README says.", [Fact("lenet", "", proof="records", asked=asked)])
    assert problem_of(copy, claim, text) is None

    def digit(record):
        record["final"]["accuracy"] = round(record["final"]["accuracy"] - 0.01, 12)

    signed(copy.results / "02-lenet.jsonl", "LeNet-5, modern", digit)
    assert problem_of(copy, claim, text) not in (None, text)


def test_a_changed_loss_with_a_right_digest_costs_a_verdict(copy, read):
    (fact,) = [fact for fact in read["B.7"].facts if fact.proof == "order"]
    assert verdicts.problem_of(copy, fact) is None
    signed(copy.results / "06-resnet.jsonl", "plain-18", lambda one: one["epochs"][-1].update(train_loss=9.0))
    assert verdicts.problem_of(copy, fact).endswith(": not reproduced.")
