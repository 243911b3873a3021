"""``fit`` looks at its arguments before work starts, and keeps what the user set."""

import functools

import pytest
import safetensors.torch
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import models, training
from course_lib.data import Split
from course_lib.errors import CourseError
from course_lib.training.checkpoints import identity_of


def few(count=256, classes=10, **changes):
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 1, 8, 8), generator=draw, dtype=torch.uint8)
    values = {"images": images, "labels": torch.arange(count) % classes, "classes": tuple(map(str, range(classes)))}
    return Split(name="few", mean=(0.5,), std=(0.25,), **(values | changes))


def network(*more):
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), *more, nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 10))


fit = functools.partial(training.fit, epochs=1, show=False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 1.5}, "epochs must be a whole number of at least 1, not 1.5"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, not 0"),
        ({"micro_batch": -1}, "micro_batch must be a whole number"),
        ({"loss": nn.CrossEntropyLoss}, r"write loss=CrossEntropyLoss\(\)"),
        ({"optimizer": torch.optim.SGD([torch.zeros(1)], lr=0.1)}, "optimizer is a finished SGD: give its class"),
    ],
)
def test_refuses_an_argument_in_one_line_that_names_it(options, words):
    with pytest.raises(ValueError, match=words) as caught:
        fit(network(), few(), **options)
    assert "\n" not in str(caught.value)


def test_refuses_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CourseError, match=r"device='cuda:1', but torch finds none here"):
        fit(network(), few(), device="cuda:1")


def test_refuses_a_model_in_which_nothing_can_be_trained():
    with pytest.raises(ValueError, match="no parameter to train"):
        fit(network().requires_grad_(False), few())


@pytest.mark.parametrize(("count", "refused"), [(129, True), (130, False), (128, False)])
def test_foresees_a_last_batch_of_one_that_a_batch_norm_cannot_average(count, refused):
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Linear(8, 10))
    if not refused:
        assert len(fit(net, few(count))) == 1
        return
    with pytest.raises(ValueError, match=r"the last batch would hold 1 image, of 129 in batches of 128") as caught:
        fit(net, few(count))
    assert net[2].num_batches_tracked == 0 and "\n" not in str(caught.value)


def test_one_image_is_enough_for_a_batch_norm_over_maps():
    assert len(fit(network(nn.BatchNorm2d(4)), few(129))) == 1


def test_layers_in_evaluation_mode_stay_in_it():
    net = network(nn.BatchNorm2d(4))
    net[1].eval()
    before = net[1].running_mean.clone()
    fit(net, few(), few())
    assert torch.equal(net[1].running_mean, before) and not net[1].training


def test_a_whole_model_in_evaluation_mode_is_trained():
    net = network(nn.BatchNorm2d(4)).eval()
    before = net[1].running_mean.clone()
    fit(net, few())
    assert not torch.equal(net[1].running_mean, before)


def test_a_loss_with_class_weights_validates():
    some, weight = few(2_500), torch.linspace(0.5, 1.5, 10)
    net = network()
    loss = nn.CrossEntropyLoss(weight=weight)
    history = fit(net, some, some, loss=loss)
    right = F.cross_entropy(net(some.normalize(some.images)).double(), some.labels, weight=weight.double()).item()
    assert history[0].val_loss == pytest.approx(right, rel=1e-5) and loss.weight.dtype == torch.float32


# ---- a run's identity


def smoothed(logits, labels, by=0.1):
    return F.cross_entropy(logits, labels, label_smoothing=by)


class Scaled:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, images):
        return images * self.factor


def doubled(factor):
    return lambda images: images * factor


DIFFERENT = {
    "settings of a loss": (nn.CrossEntropyLoss(), nn.CrossEntropyLoss(label_smoothing=0.2)),
    "class weights": (nn.CrossEntropyLoss(torch.ones(10)), nn.CrossEntropyLoss(torch.arange(10.0))),
    "arguments of a partial": (functools.partial(smoothed, by=0.1), functools.partial(smoothed, by=0.2)),
    "code of a lambda": (lambda images: images + 1, lambda images: images + 2),
    "what a function closes over": (doubled(2), doubled(3)),
    "attributes of an object": (Scaled(2), Scaled(3)),
    "method of an object": (Scaled(2).__call__, Scaled(3).__call__),
}


@pytest.mark.parametrize("kind", DIFFERENT)
def test_identity_covers(kind):
    one, other = DIFFERENT[kind]
    assert identity_of(one) != identity_of(other) and identity_of(one) == identity_of(one)


def test_identity_is_the_same_for_equal_things_made_twice():
    for make in (
        nn.CrossEntropyLoss,
        lambda: functools.partial(smoothed, by=0.2),
        lambda: Scaled(2),
        lambda: doubled(2),
    ):
        assert identity_of(make()) == identity_of(make())


def test_what_cannot_be_described_is_refused(tmp_path):
    with (tmp_path / "log").open("w") as file, pytest.raises(CourseError, match="cannot tell one"):
        identity_of(functools.partial(print, file=file))


@pytest.mark.parametrize("kind", ["settings of a loss", "class weights", "arguments of a partial"])
def test_another_loss_is_another_run(tmp_path, kind):
    one, other = DIFFERENT[kind]
    fit(network(), few(), loss=one, checkpoint=tmp_path / "run.pt")
    with pytest.raises(CourseError, match="another run"):
        fit(network(), few(), loss=other, checkpoint=tmp_path / "run.pt")


@pytest.mark.parametrize("options", [{"micro_batch": 64}, {"freeze": True}])
def test_so_are_another_splitting_and_other_frozen_weights(tmp_path, options):
    fit(network(nn.BatchNorm2d(4)), few(), checkpoint=tmp_path / "run.pt")
    net = network(nn.BatchNorm2d(4))
    if options.pop("freeze", False):
        net[0].requires_grad_(False)
    with pytest.raises(CourseError, match="another run"):
        fit(net, few(), checkpoint=tmp_path / "run.pt", **options)


def test_a_flipped_byte_anywhere_is_found(tmp_path):
    path = tmp_path / "run.pt"
    fit(models.mlp(hidden=(4,)), few(images=few().images.repeat(1, 1, 4, 4)[..., :28, :28]), checkpoint=path)
    whole = path.read_bytes()
    for place in range(25, len(whole), len(whole) // 30):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(CourseError, match="is damaged: move it away"):
            fit(models.mlp(hidden=(4,)), few(images=few().images.repeat(1, 1, 4, 4)[..., :28, :28]), checkpoint=path)
        assert path.exists()


FOREIGN = {
    "weights": lambda path: torch.save(network().state_dict(), path),
    "a model": lambda path: torch.save(network(), path),
    "old format": lambda path: torch.save(network().state_dict(), path, _use_new_zipfile_serialization=False),
    "safetensors": lambda path: safetensors.torch.save_file(network().state_dict(), path),
    "another trainer's": lambda path: torch.save({"epoch": 3, "optimizer": {}, "fingerprint": {}}, path),
    "text": lambda path: path.write_text("my only copy", encoding="utf-8"),
    "html": lambda path: path.write_text("<!DOCTYPE html>404", encoding="utf-8"),
    "lfs": lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1", encoding="utf-8"),
    "empty": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_not_called_damaged_and_stays(tmp_path, make):
    path = tmp_path / "mine.pt"
    make(path)
    before = path.read_bytes()
    with pytest.raises(CourseError, match="is no checkpoint of fit") as error:
        fit(network(), few(), checkpoint=path)
    assert path.read_bytes() == before and "damaged" not in str(error.value) and "\n" not in str(error.value)


def test_a_checkpoint_that_can_be_neither_read_nor_written_is_refused_before_work(tmp_path, monkeypatch):
    (tmp_path / "folder.pt").mkdir()
    with pytest.raises(CourseError, match="cannot be read"):
        fit(network(), few(), checkpoint=tmp_path / "folder.pt")
    monkeypatch.setitem(training.fit.__globals__, "training_loop", lambda *_: pytest.fail("work had begun"))
    with pytest.raises(CourseError, match="cannot be written"):
        fit(network(), few(), checkpoint="/proc/none/run.pt")


def test_a_checkpoint_may_be_named_from_the_home_folder_on(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fit(network(), few(), checkpoint="~/run.pt")
    assert (tmp_path / "run.pt").exists()
