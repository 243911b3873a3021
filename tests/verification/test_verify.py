"""``course verify``: a number followed down to its weights, and every way in which the chain may be broken."""

import socket

import pytest
import torch

from course_lib import models
from course_lib.analysis import Predictions
from course_tools import cli
from course_tools.verification.verify import MOST, compare

RUN = "study-lenet-fair/LeNet-5, modern"


def refused(capsys, *words) -> str:
    """The one line with which the command ends, status 1."""
    capsys.readouterr()
    assert cli.main(["verify", *words]) == 1
    error = capsys.readouterr().err
    assert error.startswith("course: ") and error.count("\n") == 1
    return error.removeprefix("course: ").strip()


@pytest.mark.parametrize("name", ["small-lenet", RUN])
def test_a_number_is_followed_down_to_its_weights_which_agree(checkout, name, capsys, monkeypatch):
    def no_network(*words, **options):
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    assert cli.main(["verify", name]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert ("number" in lines) == (name == "small-lenet")
    assert lines.get("number", "README.md").endswith("README.md")
    assert "(3 seeds)" in lines["evidence"] and RUN in lines["evidence"]
    errors = round(1_000 * (1 - checkout.record["final"]["accuracy"]))
    assert f"{errors} errors on 1,000 test images; SHA-256 {checkout.record['sha256'][:12]}" in lines["record"]
    assert checkout.weights.name in lines["weights"]
    assert abs(int(lines["again"].split()[0]) - errors) <= MOST
    assert lines["opened"].startswith("one of 3 runs;")


def test_lists_the_runs_with_weights_and_their_claims(checkout, capsys):
    assert cli.main(["verify"]) == 0
    assert capsys.readouterr().out == f"{RUN}: small-lenet, A.1\n"


def test_a_changed_digit_of_a_record_is_refused(checkout, capsys):
    text = checkout.file.read_text()
    digits = str(checkout.record["final"]["accuracy"])
    assert digits in text
    checkout.file.write_text(text.replace(digits, digits[:-1] + str((int(digits[-1]) + 1) % 10), 1))
    assert refused(capsys, "small-lenet").startswith(
        "small-lenet: study-lenet-fair.jsonl, line 1 was changed after it was written (its SHA-256 is wrong)"
    )


def test_a_changed_record_with_a_right_sha256_does_not_fit_its_weights(checkout, capsys):
    checkout.change(final=checkout.record["final"] | {"accuracy": 0.999})
    assert "which is not in results/study-lenet-fair.jsonl" in refused(capsys, RUN)


def test_a_changed_number_in_the_prose_is_refused(checkout, capsys):
    page = checkout.project.root / "README.md"
    page.write_text("LeNet-5 reaches 99.9 % <!-- claim: small-lenet -->.\n")
    assert refused(capsys, "small-lenet").startswith("README.md says 99.9 %, and small-lenet is ")


def test_a_changed_byte_of_weights_is_refused(checkout, capsys):
    content = bytearray(checkout.weights.read_bytes())
    content[-1] ^= 1
    checkout.weights.write_bytes(content)
    assert "safetensors is not the published file (its SHA-256 is wrong)" in refused(capsys, RUN)


def test_weights_without_a_checksum_are_refused(checkout, capsys):
    checkout.weights.with_name("SHA256SUMS").unlink()
    assert "is not the published file" in refused(capsys, RUN)


def test_weights_of_another_network_do_not_agree(checkout, keep_weights, capsys):
    torch.manual_seed(1)
    keep_weights(models.lenet5().half().state_dict())
    assert f"answers differ from the record's, and up to {MOST} may" in refused(capsys, RUN)


@pytest.mark.parametrize("facts", [{"record": "0" * 64}, {"run": "study-lenet-fair/LeNet-5, 1998"}])
def test_metadata_that_name_another_record_are_refused(checkout, keep_weights, facts, capsys):
    keep_weights(models.lenet5().half().state_dict(), **facts)
    assert refused(capsys, RUN).startswith(f"The weights of {RUN!r} are of the record ")


def test_a_file_that_is_not_of_weights_is_refused(checkout, capsys):
    checkout.weights.with_name("study-lenet-fair.lenet-5-1998.safetensors").write_bytes(b"no weights")
    assert refused(capsys).startswith("results/weights/study-lenet-fair.lenet-5-1998.safetensors does not name its run")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("small-1998", f"No weights of 'study-lenet-fair/LeNet-5, 1998' are kept. Runs with weights: {RUN}."),
        ("small-lennet", "No claim 'small-lennet' is known. The nearest are small-lenet;"),
        ("xyz", "No claim 'xyz' is known. `course verify` lists what has weights."),
        (
            "study-lenet-fair/LeNet-5 modern",
            f"No runs 'study-lenet-fair/LeNet-5 modern' is known. The nearest are {RUN};",
        ),
        (
            "small-sum",
            "small-sum is a calculation: weights prove the mean accuracy of one network's runs, and no more.",
        ),
        ("small-paper", "small-paper is what a source or a paper says: "),
        ("small-seconds", f"small-seconds is a mean of seconds on test images, which reads the records of {RUN}: "),
        ("small-difference", f"which reads the records of {RUN}; study-lenet-fair/LeNet-5, 1998: weights prove "),
        ("A.1", f"A.1 holds 2 accuracies: verify the runs of one, {RUN}; study-lenet-fair/LeNet-5, 1998."),
    ],
)
def test_a_name_that_cannot_be_verified_gets_one_line(checkout, name, said, capsys):
    assert said in refused(capsys, name)


def test_train_needs_a_name(checkout, capsys):
    assert refused(capsys, "--train") == "--train needs the NAME of a claim or of runs."


class Answering(torch.nn.Module):
    """A network that gives fixed answers."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers

    def forward(self, images):
        return torch.nn.functional.one_hot(self.answers, 10).float()


def test_answers_that_differ_are_counted_though_the_errors_are_as_many(digits):
    few = digits.val.select(range(50))
    labels = few.labels.clone()
    right = Predictions(logits=torch.nn.functional.one_hot(labels, 10).float(), labels=labels, classes=few.classes)
    from course_lib.analysis import confusion_matrix

    record = {"confusion": confusion_matrix(right).to_numpy().tolist(), "final": {"accuracy": 1.0, "images": 50}}
    assert compare(Answering(labels), few, record) == (0, 0)
    wrong = labels.clone()
    wrong[0] = (wrong[0] + 1) % 10
    assert compare(Answering(wrong), few, record) == (1, 1)
    other = labels.clone()
    other[1] = (other[1] + 1) % 10
    elsewhere = Predictions(logits=torch.nn.functional.one_hot(other, 10).float(), labels=labels, classes=few.classes)
    record["confusion"] = confusion_matrix(elsewhere).to_numpy().tolist()
    record["final"]["accuracy"] = 0.98
    apart, errors = compare(Answering(wrong), few, record)
    assert errors == 1 and apart == 2 - (labels[0] == labels[1]).item() * 2
    record["final"]["accuracy"] = 0.5
    assert compare(Answering(wrong), few, record)[0] == 24, "the accuracy counts as well as the matrix"
