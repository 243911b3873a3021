"""What ``predict`` and ``evaluate`` can be asked for: several views of an image, and another precision."""

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
def with_bfloat16(monkeypatch):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)


@pytest.fixture
def without_bfloat16(monkeypatch):
    for question in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, question, lambda: False, raising=False)


def three(images):
    """As it is, twice, and upside down: the first counts two thirds."""
    return [images, images, images.flip(2)]


def logits_by_hand(model, images):
    with torch.no_grad():
        return model.eval()(images).float()


def test_logits_of_all_views_are_averaged(model, few):
    images = few.normalize(few.images)
    straight, flipped = (logits_by_hand(model, one) for one in (images, images.flip(2)))
    made = training.predict(model, few, views=three)
    torch.testing.assert_close(made.logits, (2 * straight + flipped) / 3, rtol=1e-5, atol=1e-6)
    assert (straight - flipped).abs().max() > 1e-3, "else this test could not fail"
    assert torch.equal(made.labels, few.labels) and made.classes == few.classes


def test_mirrored_is_half_the_image_and_half_its_mirror(model, few):
    images = few.normalize(few.images)
    by_hand = (logits_by_hand(model, images) + logits_by_hand(model, images.flip(3))) / 2
    made = training.predict(model, few, views=mirrored).logits
    torch.testing.assert_close(made, by_hand, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(made, training.predict(model, few).logits, atol=1e-3)


def test_one_view_that_changes_nothing_changes_nothing(model, few):
    assert torch.equal(training.predict(model, few, views=lambda images: [images]).logits, predict(model, few))


def predict(model, split, **options):
    return training.predict(model, split, **options).logits


def test_each_batch_is_shown_in_all_views_in_the_splits_order(model, few):
    seen = []
    whole = predict(model, few, views=lambda images: seen.append(len(images)) or three(images))
    parts = predict(model, few, views=lambda images: seen.append(len(images)) or three(images), batch_size=128)
    assert seen == [300, 128, 128, 44]
    torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-6)


def test_a_score_is_of_the_averaged_logits(model, few):
    answers = training.predict(model, few, views=three)
    score = training.evaluate(model, few, views=three)
    assert score.loss == pytest.approx(F.cross_entropy(answers.logits, few.labels).item(), rel=1e-6)
    assert score.accuracy == (answers.logits.argmax(1) == few.labels).double().mean().item()
    assert score.count == 300, "an image counts once, however often it is looked at"
    assert score.loss != training.evaluate(model, few).loss


def test_half_precision_is_used_and_the_answers_are_float32(model, few, with_bfloat16):
    exact = predict(model, few)
    with torch.autocast("cpu", torch.bfloat16):
        by_hand = logits_by_hand(model, few.normalize(few.images))
    for asked in ("bfloat16", "auto"):
        made = predict(model, few, precision=asked)
        assert made.dtype is torch.float32 and made.device.type == "cpu"
        assert torch.equal(made, by_hand)
    assert 0 < (by_hand - exact).abs().max() < 0.05
    assert next(model.parameters()).dtype is torch.float32


def test_without_being_asked_it_is_float32(model, few, with_bfloat16):
    by_hand = logits_by_hand(model, few.normalize(few.images))
    assert torch.equal(predict(model, few), by_hand)
    assert training.evaluate(model, few).loss == F.cross_entropy(by_hand.double(), few.labels).item()


def test_views_are_averaged_in_float32(model, few, with_bfloat16):
    images = few.normalize(few.images)
    with torch.autocast("cpu", torch.bfloat16):
        seen = torch.stack([logits_by_hand(model, one) for one in three(images)])
    made = predict(model, few, precision="bfloat16", views=three)
    assert torch.equal(made, seen.mean(dim=0))
    assert not torch.equal(made, seen.bfloat16().mean(dim=0).float()), "else this test could not fail"


def test_a_score_knows_the_precision_too(model, few, with_bfloat16):
    by_hand = F.cross_entropy(predict(model, few, precision="bfloat16").double(), few.labels).item()
    assert training.evaluate(model, few, precision="bfloat16").loss == by_hand
    assert training.evaluate(model, few).loss != by_hand


def test_a_precision_that_the_device_lacks_or_that_is_none(model, few, without_bfloat16):
    assert torch.equal(predict(model, few, precision="auto"), predict(model, few))
    for ask in (training.predict, training.evaluate):
        with pytest.raises(CourseError, match=r"^CPU, .* is not built for bfloat16: use precision='float32'"):
            ask(model, few, precision="bfloat16")
        with pytest.raises(ValueError, match="precision must be one of"):
            ask(model, few, precision="half")


def test_dropout_rests_and_each_layer_gets_its_own_mode_back(few):
    model = models.mlp(hidden=(32,), dropout=0.5).train()
    model.features[0].eval()
    modes = [layer.training for layer in model.modules()]
    assert set(modes) == {True, False}
    assert torch.equal(predict(model, few, views=mirrored), predict(model, few, views=mirrored))
    assert [layer.training for layer in model.modules()] == modes


def test_modes_are_put_back_after_an_error_as_well(model, few):
    def broken(images):
        assert not model.training
        raise ZeroDivisionError

    model.train()
    with pytest.raises(ZeroDivisionError):
        training.evaluate(model, few, views=broken)
    assert all(layer.training for layer in model.modules())


def test_nothing_is_kept_for_a_gradient(model, few):
    assert not predict(model, few, views=mirrored).requires_grad
    assert all(one.grad is None for one in model.parameters())
