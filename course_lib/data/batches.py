"""Two ways to iterate over a split: whole batches on the device, or a torchvision dataset, image by image.

The usual ``DataLoader`` decodes, converts and stacks image by image, on the CPU, in every epoch. MNIST is 47 MB as
uint8: :class:`Batches` moves it once, then a batch is one indexing operation and one normalisation, on the device.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from PIL import Image

from course_lib.data.splits import Split
from course_lib.torchvision_fix import import_torchvision

VisionDataset = import_torchvision().datasets.VisionDataset


class Batches:
    """Iterate over a split in batches of normalised float32 images (B, C, H, W) and int64 labels (B,).

    The last batch is smaller where the batch size does not divide the split. With ``shuffle``, each pass draws a new
    order from ``generator``, a CPU generator, with one ``torch.randperm``.

    Raises: ValueError for an empty split or a batch size below 1.
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        *,
        shuffle: bool = False,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ):
        if len(split) == 0:
            raise ValueError(f"the split {split.name!r} is empty")
        if len(split.images) != len(split.labels):
            images, labels = f"{len(split.images):,} images", f"{len(split.labels):,} labels"
            raise ValueError(f"{split.name}: {images} and {labels}: there must be as many")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        self.split = split.to(device)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.generator = generator

    def __len__(self) -> int:
        return -(-len(self.split) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return self.along(self.draw_order())

    def draw_order(self) -> torch.Tensor | None:
        """The order of the next pass, shape (N,), or None without ``shuffle``."""
        return torch.randperm(len(self.split), generator=self.generator) if self.shuffle else None

    def along(self, order: torch.Tensor | None, first_batch: int = 0) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Batches in a drawn order, from number ``first_batch`` on: a resumed epoch starts in the middle."""
        images, labels = self.split.images, self.split.labels
        if order is not None:
            order = order.to(labels.device)
        for start in range(first_batch * self.batch_size, len(self.split), self.batch_size):
            end = start + self.batch_size
            if order is None:
                yield self.split.normalize(images[start:end]), labels[start:end]
            else:
                here = order[start:end]
                yield self.split.normalize(images.index_select(0, here)), labels.index_select(0, here)


class DatasetView(VisionDataset):
    """A :class:`Split` as a torchvision dataset, with the interface of torchvision's ``MNIST`` and ``CIFAR10``.

    ``dataset[i]`` is a PIL image and an int, after ``transform`` and ``target_transform`` where given. Chapter 1
    builds the usual ``DataLoader`` loop on it; ``fit`` uses :class:`Batches`.
    """

    def __init__(self, split: Split, transform: Callable | None = None, target_transform: Callable | None = None):
        super().__init__(root="", transform=transform, target_transform=target_transform)
        self.classes = list(split.classes)
        images = split.images.cpu()
        if images.shape[1] == 1:  # as torchvision's MNIST has them: tensors (N, H, W) and (N,)
            self.data, self.targets = images.squeeze(1), split.labels.cpu()
        else:  # and as its CIFAR10: an array (N, H, W, C) and a list
            self.data, self.targets = images.permute(0, 2, 3, 1).numpy(), split.labels.tolist()

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple:
        image, label = Image.fromarray(np.asarray(self.data[index])), int(self.targets[index])
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            label = self.target_transform(label)
        return image, label
