import pytest
import torch
from torchvision import transforms

from course_lib.data import Batches, DatasetView


def test_every_image_comes_once_and_the_last_batch_is_smaller(few):
    sizes = [len(labels) for _, labels in Batches(few, 128, shuffle=True)]
    assert sizes == [128, 128, 44]
    assert len(Batches(few, 128)) == 3
    seen = torch.cat([images for images, _ in Batches(few, 128)])
    assert torch.equal(seen, few.normalize(few.images))


def test_an_order_can_be_walked_from_its_middle(few):
    batches = Batches(few, 128, shuffle=True, generator=torch.Generator().manual_seed(1))
    order = batches.draw_order()
    whole, rest = list(batches.along(order)), list(batches.along(order, first_batch=1))
    assert len(rest) == 2
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(whole[1:], rest, strict=True))


def test_normalising_equals_torchvisions_own_bit_for_bit(few):
    view = DatasetView(few, transforms.Compose([transforms.ToTensor(), transforms.Normalize(few.mean, few.std)]))
    images = torch.stack([view[index][0] for index in range(len(view))])
    assert torch.equal(images, few.normalize(few.images))


def test_a_dataset_view_has_pil_images_and_ints(few):
    image, label = DatasetView(few)[5]
    assert (image.size, image.mode, label) == ((28, 28), "L", int(few.labels[5]))
    assert DatasetView(few, target_transform=lambda label: -label)[5][1] == -label


def test_an_empty_split_and_batch_are_refused(few):
    with pytest.raises(ValueError, match="at least 1"):
        Batches(few, 0)
    with pytest.raises(ValueError, match="empty"):
        Batches(few.select([]), 10)
