import json
from pathlib import Path

import pytest

from course_lib import models, records, training
from course_lib.errors import CourseError
from course_lib.records import lines
from course_lib.records.table import mean_and_spread
from course_tools.publishing.publish import check_records

ROOT = Path(__file__).parents[2]


@pytest.fixture
def made(few, digits, monkeypatch, tmp_path):
    """Two records of one small run with two seeds, written as the pipeline writes them."""
    path = tmp_path / "01-mlp.jsonl"
    monkeypatch.setenv("COURSE_RESULTS", str(tmp_path))
    monkeypatch.setenv("COURSE_RECORDS", str(path))
    monkeypatch.setenv("COURSE_CHAPTER", "01-mlp")
    monkeypatch.setenv("COURSE_PROFILE", "cpu")
    monkeypatch.setenv("COURSE_COMMIT", "abc123")
    for seed in (0, 1):
        training.set_seed(seed)
        model = models.mlp(hidden=(16,))
        history = training.fit(model, few, epochs=2, seed=seed, show=False, device="cpu", schedule=training.cosine)
        training.record("small", history, training.predict(model, digits.val), digits)
    return path


def test_a_record_describes_the_run_and_satisfies_the_schema(made):
    check_records(made, "cpu", "01-mlp")
    first, second = records.read(made)
    assert (first["seed"], second["seed"]) == (0, 1)
    assert first["recipe"] | {"seed": 1} == second["recipe"]
    assert first["recipe"]["optimizer"].startswith("Adam(") and "betas=(0.9, 0.999)" in first["recipe"]["optimizer"]
    assert first["recipe"]["schedule"] == "cosine" and first["recipe"]["loss"] == "cross_entropy"
    assert first["recipe"]["parameters"] == 784 * 16 + 16 + 16 * 10 + 10
    assert len(first["epochs"]) == len(first["seconds"]["epochs"]) == 2
    confusion = first["confusion"]
    right = sum(confusion[label][label] for label in range(10))
    assert right / sum(map(sum, confusion)) == pytest.approx(first["final"]["accuracy"])
    assert first["epochs"][0]["val_loss"] is None, "there was no validation: null, not NaN"


def test_a_record_names_its_split_and_what_was_done_to_the_images(few, digits, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_RECORDS", str(tmp_path / "01-mlp.jsonl"))
    monkeypatch.setenv("COURSE_CHAPTER", "01-mlp")
    model = models.mlp(hidden=(4,))
    history = training.fit(model, few, epochs=1, show=False, device="cpu")
    answers = training.predict(model, digits.val)
    training.record("odd", history, answers, digits, split="validation", images="pixels shuffled")
    (made,) = records.read(tmp_path / "01-mlp.jsonl")
    assert (made["final"]["split"], made["final"]["images"]) == ("validation", 1000)
    assert made["recipe"]["images"] == "pixels shuffled"
    check_records(tmp_path / "01-mlp.jsonl")


def test_nothing_is_written_outside_of_the_pipeline(few, digits, monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_RECORDS", raising=False)
    monkeypatch.chdir(tmp_path)
    model = models.mlp(hidden=(4,))
    history = training.fit(model, few, epochs=1, show=False, device="cpu")
    made = training.record("small", history, training.predict(model, digits.val), digits)
    assert made["final"]["accuracy"] > 0 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["accuracy", "seed", "device"])
def test_a_changed_digit_is_noticed(made, place):
    text = made.read_text()
    first = json.loads(text.splitlines()[0])
    value = {"accuracy": str(first["final"]["accuracy"]), "seed": '"seed":0,"sha', "device": '"device":"CPU'}[place]
    made.write_text(text.replace(value, value[:-1] + ("8" if value[-1] != "8" else "9"), 1))
    with pytest.raises(CourseError, match=r"01-mlp\.jsonl, line 1 (was changed|is not a record)") as caught:
        records.read(made)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", ["", "{", "[]", '{"sha256": 3}', '"text"', "NaN"])
def test_a_malformed_line_is_named(made, line):
    made.write_text(made.read_text() + line + "\n")
    with pytest.raises(CourseError, match=r"01-mlp\.jsonl, line 3"):
        records.read(made)


def test_the_schema_refuses_what_is_missing_or_foreign(made):
    for change in ({"final": {}}, {"extra": 1}, {"profile": "fast"}):
        record = records.read(made)[0] | change
        record["sha256"] = records.digest(record)
        path = made.with_name("broken.jsonl")
        path.write_text(json.dumps(record) + "\n")
        with pytest.raises(CourseError, match=r"broken\.jsonl, line 1: "):
            check_records(path)


def test_a_record_of_another_profile_or_chapter_is_refused(made):
    with pytest.raises(CourseError, match="of a cpu run, not of full"):
        check_records(made, "full", "01-mlp")
    with pytest.raises(CourseError, match="is a record of 01-mlp"):
        check_records(made, "cpu", "02-lenet")


def test_the_table_has_a_row_a_run(made):
    table = records.table()
    assert table["seed"].tolist() == [0, 1] and table["name"].unique().tolist() == ["small"]
    assert table["accuracy"].between(0, 1).all() and (table["seconds"] > 0).all()
    assert table["train"].tolist() == [300, 300] and table["precision"].unique().tolist() == ["float32"]
    assert len(records.table("02-lenet")) == 0


def test_only_chapters_files_are_read(made, logged):
    """Beside them lie the files of benchmarks, whose lines are no records of runs."""
    later = made.with_name("02-lenet.jsonl")
    later.write_text(made.read_text())
    for other in ("bench-01-mlp.jsonl", "1-mlp.jsonl", "01.jsonl"):
        made.with_name(other).write_text('{"milliseconds": 3}\n')
    assert lines.chapter_files() == [made, later]
    assert len(records.table()) == 4
    assert logged("records") == ["01-mlp", "02-lenet"]


def test_compare_lists_the_recorded_runs_images_and_devices(made, monkeypatch):
    monkeypatch.delenv("COURSE_RECORDS")
    line = records.compare("01-mlp", "small", [0.987], "MNIST (sample)")
    recorded = mean_and_spread(records.table()["accuracy"])
    assert recorded.endswith(" % (2 seeds)")
    assert line == f"yours 98.70 % (one seed) on MNIST (sample); recorded {recorded} on 300 images, CPU"
    assert records.compare("01-mlp", "other", [0.5, 0.6], "x").endswith("nothing is recorded yet")
    first = records.read(made)[0]
    records.append(made, first | {"final": first["final"] | {"split": "validation"}})
    records.append(made, first | {"recipe": first["recipe"] | {"train": 48_000}})
    assert records.compare("01-mlp", "small", [0.9], "x").endswith("(3 seeds) on 300 and 48,000 images, CPU")


def test_a_run_for_publishing_is_not_compared_with_itself(made, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "cpu")
    accuracies = records.table("01-mlp")["accuracy"].tolist()
    line = records.compare("01-mlp", "small", accuracies, "MNIST")
    assert line.startswith(mean_and_spread(records.table("01-mlp")["accuracy"])) and line.count("±") == 1
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    assert records.compare("01-mlp", "small", accuracies, "MNIST (sample)").count("±") == 2


def test_the_published_records_are_whole_valid_and_of_real_runs():
    files = lines.chapter_files()
    assert {file.parent for file in files} == {ROOT / "results"}
    assert [file.stem for file in files] == [file.stem for file in sorted((ROOT / "notebooks").glob("*.py"))]
    for file in files:
        check_records(file, chapter=file.stem)
        published = records.read(file)
        assert {record["profile"] for record in published} <= {"cpu", "full"}
        assert {record["recipe"]["data"] for record in published} <= {"mnist (full)", "cifar10 (full)"}


def test_a_summary_has_a_row_for_each_network_in_the_order_asked(made):
    first, second = records.read(made)
    records.append(made, first | {"name": "other"})
    records.append(made.with_name("02-lenet.jsonl"), second | {"chapter": "02-lenet", "name": "small"})
    summary = records.summary({"other": "01-mlp", "small": "01-mlp", "missing": "02-lenet"})
    assert summary.index.tolist() == ["other", "small"], "another chapter's run of that name is another network"
    assert summary["seeds"].tolist() == [1, 2] and summary["judged on"].tolist() == ["test", "test"]
    both = [record["final"]["accuracy"] for record in (first, second)]
    assert summary.loc["small", "accuracy"] == pytest.approx(sum(both) / 2)
    assert summary["spread"].isna().tolist() == [True, False]


def test_a_record_is_one_line_whatever_a_name_contains_and_an_editor_saved(made):
    text = made.read_text(encoding="utf-8")
    first = records.read(made)[0]
    for saved in (text.removesuffix("\n"), text, "\ufeff" + text, text.replace("\n", "\r\n")):
        made.write_bytes(saved.encode())
        records.append(made, first | {"name": "a\u2028b\x85c\x0cd 猫"})
        *earlier, last = records.read(made)
        assert len(earlier) == 2 and last["name"] == "a\u2028b\x85c\x0cd 猫"
