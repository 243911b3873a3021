"""A split seen as a plain torchvision dataset: one PIL image and one label at a time."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from course_lib.data.images import Split
from course_lib.torchvision_mend import import_torchvision

VisionDataset = import_torchvision().datasets.VisionDataset


class DatasetView(VisionDataset):
    """What torchvision's own ``MNIST`` and ``CIFAR10`` classes look like and how they work, over a :class:`Split`.

    ``dataset[i]`` is a PIL image and an int, after ``transform`` and ``target_transform`` where given. Chapter 1
    builds the usual ``DataLoader`` loop on it; training proper uses :class:`~course_lib.data.batches.Batches`.
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
