"""``fit`` looks at its arguments before work starts, and keeps what the user set."""

import functools
import math
import sys
import threading

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


class Returning(nn.Module):
    """A network that returns something made from its logits."""

    def __init__(self, change):
        super().__init__()
        self.logits, self.change = network(), change

    def forward(self, images):
        return self.change(self.logits(images))


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.logits = network()

    def forward(self, images, mask):
        return self.logits(images) * mask


def bce(logits, labels):
    return F.binary_cross_entropy_with_logits(logits[:, 0], labels.float())


SGD, ADAM = torch.optim.SGD, torch.optim.Adam
OTHER = nn.Linear(2, 2)
StepLR = torch.optim.lr_scheduler.StepLR
WRONG_OPTIONS = [
    ({"epochs": 1.5}, "epochs must be a whole number of at least 1, not 1.5"),
    ({"batch_size": 0}, "batch_size must be a whole number of at least 1, not 0"),
    ({"micro_batch": -1}, "micro_batch must be a whole number"),
    ({"learning_rate": -1}, "lr=-1.*Invalid learning rate"),
    ({"learning_rate": "0.1"}, "lr='0.1'"),
    ({"device": "gpu"}, "device must be such as 'cpu' or 'cuda'; 'gpu' is not"),
    ({"loss": nn.CrossEntropyLoss}, r"write loss=CrossEntropyLoss\(\)"),
    ({"loss": None}, "loss must be .* None is not"),
    ({"loss": nn.CrossEntropyLoss(reduction="none")}, "loss must be a differentiable mean"),
    ({"loss": nn.CrossEntropyLoss(reduction="sum")}, "loss .* it is the sum"),
    ({"loss": nn.CrossEntropyLoss(weight=torch.ones(3))}, "loss .* 10 classes"),
    ({"loss": nn.BCEWithLogitsLoss()}, "loss .* int64 labels"),
    ({"loss": nn.MSELoss()}, "loss .* int64 labels"),
    ({"loss": lambda logits, labels: F.cross_entropy(logits, labels).item()}, "loss must be a differentiable"),
    ({"loss": lambda logits, labels: F.cross_entropy(logits, labels).detach()}, "loss must be a differentiable"),
    ({"loss": lambda labels, logits: F.cross_entropy(logits, labels)}, "loss must be"),
    ({"optimizer": SGD([torch.zeros(1)], lr=0.1)}, "optimizer is a finished SGD: give its class"),
    ({"optimizer": "adam"}, r"optimizer must be callable as optimizer\(parameters, lr=0.001\); 'adam' is not"),
    ({"optimizer": torch.optim.LBFGS}, "LBFGS is not: it needs .* closure"),
    ({"optimizer": torch.optim.SparseAdam}, "SparseAdam is not: it needs sparse gradients"),
    ({"optimizer": lambda parameters: SGD(parameters, 0.1)}, "optimizer .*unexpected keyword argument 'lr'"),
    ({"optimizer": lambda parameters, lr: None}, "optimizer must be"),
    ({"optimizer": lambda parameters, lr: SGD(OTHER.parameters(), lr)}, "no parameter of this model"),
    ({"optimizer": lambda parameters, lr: SGD([{"params": p} for p in [*parameters] * 2], lr)}, "optimizer .* group"),
    ({"schedule": StepLR}, "schedule must be a function .* StepLR is not"),
    ({"schedule": StepLR(SGD(OTHER.parameters(), 0.1), 1)}, "schedule must be a function .* StepLR is not"),
    ({"schedule": "cosine"}, "schedule must be a function .* 'cosine' is not"),
    ({"schedule": lambda progress: math.nan}, "schedule must be a function .* finite"),
    ({"augment": "flip"}, "augment must be a function .* 'flip'"),
    ({"augment": lambda images: [images]}, "augment must be a function .* not a list"),
    ({"augment": lambda images: images.repeat(2, 1, 1, 1)}, "augment must be a function .* not 512"),
]
WRONG_NETWORKS = [
    (lambda: models.mlp, "model must be a network, not mlp"),
    (lambda: nn.Linear, "model must be a network, not Linear"),
    (lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(10)), "lazy layers.* call it on a batch"),
    (Pair, r"takes 2 inputs \(images, mask\)"),
    (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10, device="meta")), "meta device"),
    (lambda: network().half(), r"weights of Sequential are float16.*float\(\)"),
    (lambda: network().double(), "weights of Sequential are float64"),
    (lambda: nn.Sequential(nn.Conv2d(3, 4, 3)), r"0 \(Conv2d\) takes 3 channels"),
    (lambda: nn.Sequential(nn.Conv2d(1, 4, 3)), "returns float32 of shape .* not logits"),
    (lambda: Returning(lambda logits: (logits, logits)), "returns tuple"),
    (lambda: Returning(lambda logits: {"logits": logits}), "returns dict"),
    (lambda: Returning(lambda logits: None), "returns NoneType"),
    (lambda: Returning(lambda logits: logits[:, 0]), "not logits of shape"),
    (lambda: Returning(lambda logits: logits.argmax(1)), "returns int64"),
    (lambda: Returning(lambda logits: logits[:, :5]), "returns 5 logits an image, but few has 10 classes"),
    (lambda: Returning(lambda logits: logits.repeat(1, 2)), "returns 20 logits an image, but few has 10 classes"),
    (lambda: Returning(lambda logits: logits.detach()), "have no gradient"),
]
WRONG_SPLITS = [
    (lambda: few().images, few, "train must be a Split, not a Tensor"),
    (few, lambda: few().images, "val must be a Split, not a Tensor"),
    (few, lambda: few().select([]), "is empty"),
    (few, lambda: few(labels=torch.arange(20) % 10), "256 images and 20 labels"),
    (few, lambda: few(classes=12), "10 logits an image, but few has 12 classes"),
    (few, lambda: few(images=torch.zeros(256, 1, 9, 9, dtype=torch.uint8)), "an image of 1×9×9 does not fit"),
]


def state_of(net):
    return [(name, tensor.clone()) for name, tensor in net.state_dict().items()], [m.training for m in net.modules()]


@pytest.mark.parametrize(("options", "words"), WRONG_OPTIONS)
def test_refuses_an_argument_in_one_line_that_names_it(options, words):
    net = network(nn.BatchNorm2d(4))
    before, generator = state_of(net), torch.get_rng_state()
    with pytest.raises(ValueError, match=words) as caught:
        fit(net, few(), **({"batch_size": 256} | options))
    assert "\n" not in str(caught.value)
    for (_, tensor), (name, now) in zip(before[0], state_of(net)[0], strict=True):
        assert torch.equal(tensor, now), f"{name} was trained"
    assert torch.equal(torch.get_rng_state(), generator)


@pytest.mark.parametrize(("build", "words"), WRONG_NETWORKS)
def test_refuses_a_network_that_cannot_be_trained_on_these_images(build, words):
    with pytest.raises(ValueError, match=words) as caught:
        fit(build(), few(), few())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("train", "val", "words"), WRONG_SPLITS)
def test_refuses_splits_that_do_not_fit(train, val, words):
    net = network()
    with pytest.raises(ValueError, match=words):
        fit(net, train(), val())
    assert all(parameter.grad is None for parameter in net.parameters()), "refused before the first step"


def test_a_loss_that_only_broadcasts_is_refused():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    with pytest.raises(ValueError, match="loss must be"):
        fit(net, few(classes=2), loss=lambda logits, labels: (logits - labels).square().mean())


def test_one_logit_for_two_classes_is_refused():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    with pytest.raises(ValueError, match="two classes take two logits and cross-entropy"):
        fit(net, few(classes=2), loss=bce)


def by_value(logits):
    return logits if logits.sum() > -math.inf else -logits


class Uncopyable(nn.Sequential):
    def __init__(self):
        super().__init__(*network())
        self.lock = threading.Lock()


@pytest.mark.parametrize(
    "build",
    [
        network,
        Uncopyable,
        lambda: Returning(by_value),
        lambda: torch.jit.script(network()),
        lambda: nn.DataParallel(network()),
        lambda: torch.compile(network(), backend="eager"),
        lambda: network(nn.BatchNorm2d(4)).eval(),
    ],
)
@pytest.mark.parametrize(
    "loss",
    [
        F.cross_entropy,
        nn.CrossEntropyLoss(label_smoothing=0.1),
        functools.partial(F.cross_entropy, weight=torch.ones(10)),
        lambda logits, labels: F.cross_entropy(logits, labels, weight=torch.ones(10)),
        lambda logits, labels: F.mse_loss(logits, F.one_hot(labels, 10).to(logits)),
    ],
)
def test_what_can_be_trained_is_trained_and_validated(build, loss):
    history = fit(build(), few(), few(1), loss=loss)
    assert math.isfinite(history[0].train_loss) and math.isfinite(history[0].val_loss)


def test_a_network_that_needs_values_draws_no_random_number_of_the_user():
    net = Returning(by_value)
    net.logits.append(nn.Dropout())
    generator = torch.get_rng_state()
    fit(net, few())
    assert torch.equal(torch.get_rng_state(), generator)


def test_looking_at_the_pieces_changes_no_result():
    def losses():
        net = network(nn.BatchNorm2d(4), nn.Dropout())
        return fit(net, few(), few())[0].train_loss, net[1].running_mean.tolist(), net[1].num_batches_tracked.item()

    def unlooked(*_):
        return None

    seen = losses()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["course_lib.training.fit"], "check_pieces", unlooked)
        assert losses() == seen and seen[2] == 2


def test_refuses_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CourseError, match=r"device='cuda:1', but torch finds none here"):
        fit(network(), few(), device="cuda:1")


def test_refuses_a_model_in_which_nothing_can_be_trained():
    with pytest.raises(ValueError, match="no parameter to train"):
        fit(network().requires_grad_(False), few())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("count", "options", "refused"),
    [
        (129, {}, True),
        (130, {}, False),
        (128, {}, False),
        (128, {"micro_batch": 1}, True),
        (128, {"micro_batch": 3}, False),
    ],
)
def test_foresees_a_last_batch_of_one_that_a_batch_norm_cannot_average(count, options, refused, training):
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Linear(8, 10)).train(training)
    if not refused:
        assert len(fit(net, few(count), **options)) == 1
        return
    with pytest.raises(ValueError, match=rf"the last batch would hold 1 image, of {count} in batches of 128") as caught:
        fit(net, few(count), **options)
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
