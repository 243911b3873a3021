import pytest
import torch
from torch.nn import functional as F

from course_lib import models, training
from course_lib.data import mirrored
from course_lib.errors import CourseError


@pytest.fixture
def model():
    training.set_seed(3)
    return models.lenet5()


@pytest.fixture
def half_precisions(monkeypatch):
    """Those that the CPU is built for; here bfloat16 is one."""
    halves = ["bfloat16"]
    monkeypatch.setattr("course_lib.training.setup._half_precisions", lambda device: halves)
    return halves


def three(images):
    """As it is, twice, and upside down: the first counts two thirds."""
    return [images, images, images.flip(2)]


def logits_by_hand(model, images):
    with torch.no_grad():
        return model.eval()(images).float()


def predict(model, split, **options):
    return training.predict(model, split, **options).logits


@pytest.mark.parametrize(
    ("views", "flip", "weight"),
    [(None, 2, 1.0), (lambda images: [images], 2, 1.0), (three, 2, 2 / 3), (mirrored, 3, 1 / 2)],
)
def test_logits_of_all_views_are_averaged(model, few, views, flip, weight):
    images = few.normalize(few.images)
    straight, flipped = (logits_by_hand(model, x) for x in (images, images.flip(flip)))
    predictions = training.predict(model, few, views=views)
    expected = weight * straight + (1 - weight) * flipped
    torch.testing.assert_close(predictions.logits, expected, rtol=1e-5, atol=1e-6)
    assert (straight - flipped).abs().max() > 1e-3, "else this test could not fail"
    assert torch.equal(predictions.labels, few.labels) and predictions.classes == few.classes


def test_batches_keep_the_splits_order(model, few):
    sizes = []
    whole = predict(model, few, views=lambda images: sizes.append(len(images)) or three(images))
    parts = predict(model, few, views=lambda images: sizes.append(len(images)) or three(images), batch_size=128)
    assert sizes == [300, 128, 128, 44]
    torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"views": three}, {"precision": "bfloat16"}])
def test_a_score_is_that_of_the_predictions(model, few, half_precisions, options):
    logits = predict(model, few, **options)
    score = training.evaluate(model, few, **options)
    assert score.loss == F.cross_entropy(logits.double(), few.labels).item()
    assert score.accuracy == (logits.argmax(1) == few.labels).double().mean().item()
    assert score.count == 300, "an image counts once, however many views it has"
    assert not options or score.loss != training.evaluate(model, few).loss
    assert training.evaluate(model, few, loss=lambda logits, labels: logits.sum()).loss != score.loss


@pytest.mark.parametrize("precision", ["bfloat16", "auto"])
def test_half_precision_gives_float32_logits(model, few, half_precisions, precision):
    images = few.normalize(few.images)
    with torch.autocast("cpu", torch.bfloat16):
        by_hand = torch.stack([logits_by_hand(model, view) for view in three(images)])
    logits = predict(model, few, precision=precision, views=three)
    assert logits.dtype is torch.float32 and logits.device.type == "cpu"
    assert torch.equal(logits, by_hand.mean(dim=0)), "views are averaged in float32"
    assert not torch.equal(logits, by_hand.bfloat16().mean(dim=0).float()), "else this test could not fail"
    assert torch.equal(predict(model, few), logits_by_hand(model, images)), "the default is float32"


def test_refuses_a_precision_that_the_device_lacks(model, few, half_precisions):
    half_precisions.clear()
    assert torch.equal(predict(model, few, precision="auto"), predict(model, few))
    for function in (training.predict, training.evaluate):
        with pytest.raises(CourseError, match=r"^CPU, .* is not built for bfloat16: use precision='float32'"):
            function(model, few, precision="bfloat16")


def test_dropout_is_off_and_each_layer_gets_its_own_mode_back(few, unchanged):
    model = models.mlp(hidden=(32,), dropout=0.5).train()
    model.features[0].eval()
    assert torch.equal(predict(model, few), predict(model, few))

    def failing(images):
        assert not model.training
        raise ZeroDivisionError

    with unchanged(model), pytest.raises(ZeroDivisionError):
        training.evaluate(model, few, views=failing)
