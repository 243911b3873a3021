from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.analysis import Predictions, class_report, confusion_matrix, worst_mistakes


@pytest.fixture
def answers():
    """Six answers among three classes: class 0 right twice, one 1 and one 2 wrong, nothing ever called c rightly."""
    logits = torch.tensor([[5.0, 0, 0], [1, 0, 0], [4, 0, 0], [0, 2, 0], [0, 3, 0], [0, 1, 0]])
    return Predictions(logits=logits, labels=torch.tensor([0, 0, 1, 1, 2, 1]), classes=("a", "b", "c"))


def test_confusion_counts_true_by_row(answers):
    assert confusion_matrix(answers).to_numpy().tolist() == [[2, 0, 0], [1, 2, 0], [0, 1, 0]]


def test_the_report_matches_the_definitions(answers):
    report = class_report(answers)
    assert report.loc["a", ["precision", "recall", "f1"]].tolist() == pytest.approx([2 / 3, 1, 0.8])
    assert report.loc["c", ["precision", "recall", "f1"]].tolist() == [0, 0, 0]
    assert report.loc["macro", "f1"] == pytest.approx((0.8 + 2 / 3 + 0) / 3)
    assert report["images"].tolist() == [2, 3, 1, 6]


PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12)


@given(PAIRS, st.integers(4, 6))
def test_macro_means_are_over_the_classes_that_occur(pairs, classes):
    """As scikit-learn 1.9 has it: ``precision_recall_fscore_support(…, average="macro", zero_division=0)``."""
    labels, guesses = torch.tensor(pairs).unbind(1)
    report = class_report(Predictions(torch.eye(classes)[guesses], labels, tuple("abcdef"[:classes])))

    def share(part, whole):
        return part / whole if whole else 0

    rows = []
    for k in range(classes):
        right = pairs.count((k, k))
        images, taken = sum(true == k for true, _ in pairs), sum(guess == k for _, guess in pairs)
        row = [share(right, taken), share(right, images), share(2 * right, images + taken)]
        assert report.iloc[k].tolist() == pytest.approx([*row, images])
        rows += [row] if images or taken else []
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    assert report.loc["macro"].tolist() == pytest.approx([*means, len(pairs)])


@pytest.mark.parametrize(
    ("logits", "labels"),
    [((2, 4), [0, 1]), ((2, 2), [0, 1]), ((3, 3), [0, 1]), ((2, 3), [[0], [1]]), ((2, 3), [0, 3]), ((2, 3), [-1, 0])],
)
def test_refuses_logits_and_labels_that_do_not_fit_the_classes(logits, labels):
    with pytest.raises(ValueError, match=r"class|labels"):
        Predictions(torch.zeros(logits), torch.tensor(labels), ("a", "b", "c"))


def test_labels_of_any_whole_type_give_the_same_numbers():
    labels = torch.arange(20)
    for dtype in (torch.int64, torch.int32, torch.uint8):
        matrix = confusion_matrix(Predictions(torch.eye(20), labels.to(dtype), tuple(map(str, labels))))
        assert (matrix.to_numpy() == torch.eye(20).numpy()).all()


def test_the_worst_mistake_comes_first(answers):
    mistakes = worst_mistakes(answers)
    assert mistakes["index"].tolist() == [2, 4]
    assert mistakes.iloc[0][["true", "predicted"]].tolist() == ["b", "a"]
    assert mistakes["confidence"].is_monotonic_decreasing
    assert len(worst_mistakes(answers, count=1)) == 1


def test_accuracy(answers):
    assert answers.accuracy == pytest.approx(4 / 6)
    assert answers.probabilities.sum(dim=1).allclose(torch.ones(6))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"labels": torch.tensor([0, 0, 1, 1, 2, 3])},
            "labels from 0 to 3, but the numbers of 3 classes go from 0 to 2",
        ),
        ({"labels": torch.tensor([0, 0, 1, 1, 2, -1])}, "labels from -1 to 2"),
        ({"labels": torch.tensor([[0], [0], [1], [1], [2], [1]])}, r"whole numbers of shape \(N,\)"),
        ({"labels": torch.zeros(6)}, "labels must be whole numbers"),
        ({"labels": torch.zeros(6, dtype=torch.bool)}, "labels must be whole numbers"),
        ({"labels": [0, 0, 1, 1, 2, 1]}, "labels must be whole numbers"),
        ({"labels": torch.tensor([0, 1])}, "not logits of shape"),
        ({"logits": torch.zeros(6, 4)}, "logits of 4 classes, but there are 3 names"),
        ({"logits": torch.zeros(6, 2)}, "logits of 2 classes, but there are 3 names"),
        ({"logits": torch.zeros(6)}, "not logits of shape"),
        ({"logits": torch.zeros(6, 3, dtype=torch.int64)}, "not logits of shape"),
        ({"logits": [[0.0] * 3] * 6}, "not logits of shape"),
    ],
)
def test_refuses_what_would_give_wrong_numbers(answers, changes, words):
    with pytest.raises(ValueError, match=words) as caught:
        replace(answers, **changes)
    assert "\n" not in str(caught.value)


INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32]


@given(st.sampled_from(INTEGERS), st.integers(2, 120), st.integers(1, 40), st.integers(0, 99))
def test_integers_of_all_types_give_the_same_numbers(dtype, size, count, seed):
    """With 17 classes and more, label × classes does not fit into eight bits."""
    draw = torch.Generator().manual_seed(seed)
    labels, logits = torch.randint(size, (count,), generator=draw), torch.randn(count, size, generator=draw)
    answers = Predictions(logits, labels.to(dtype), tuple(map(str, range(size))))
    counts = confusion_matrix(answers).to_numpy()
    expected = Counter(zip(labels.tolist(), logits.argmax(1).tolist(), strict=True))
    assert {place: counts[place] for place in expected} == expected
    assert answers.accuracy == pytest.approx(counts.trace() / count)
    assert class_report(answers).loc["macro", "images"] == counts.sum() == count


def test_logits_that_are_not_numbers_are_named(answers):
    with pytest.warns(UserWarning, match="logits of 1 of 6 images are not numbers"):
        replace(answers, logits=answers.logits.index_fill(0, torch.tensor([2]), torch.nan))
