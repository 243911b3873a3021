"""Images as the course hands them out: training and validation freely, the test set through one explicit call."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch

from course_lib.data.catalog import DataSpec
from course_lib.data.splits import stratified_holdout


@dataclass(frozen=True)
class Split:
    """One part of a data set.

    ``images`` is uint8, shape (N, C, H, W); ``labels`` is int64, shape (N,). Both live on the same device.
    ``mean`` and ``std`` are the data set's, per channel, for pixels scaled to [0, 1].
    """

    name: str
    images: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        shape = "×".join(str(side) for side in self.images.shape[1:])
        return f"Split({self.name}: {len(self):,} images of {shape}, {len(self.classes)} classes)"

    def to(self, device: torch.device | str) -> "Split":
        """The same split with its tensors on ``device``."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def select(self, indices: torch.Tensor | np.ndarray | list[int]) -> "Split":
        """The images at ``indices`` (shape (M,)), in that order, as a split of their own."""
        indices = torch.as_tensor(indices, dtype=torch.int64, device=self.labels.device)
        return replace(self, images=self.images[indices], labels=self.labels[indices])

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 images (N, C, H, W) to float32: scaled to [0, 1], less the mean, over the standard deviation.

        The same operations in the same order as torchvision's ``ToTensor`` and ``Normalize``, so the results are
        equal bit for bit, on every device.
        """
        whole, mean, std = _scale(self.mean, self.std, images.device)
        return images.to(torch.float32, copy=True).div_(whole).sub_(mean).div_(std)


@cache
def _scale(
    mean: tuple[float, ...], std: tuple[float, ...], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """255, mean and standard deviation as tensors on ``device``: no batch has to send them there again.

    255 is a tensor too, because CUDA divides by a plain number through its reciprocal, which rounds differently.
    """
    columns = (torch.tensor(values, device=device).view(-1, 1, 1) for values in (mean, std))
    return torch.tensor(255.0, device=device), *columns


@dataclass(frozen=True)
class ImageData:
    """A data set with its test images still sealed.

    ``size`` is ``"full"`` or ``"sample"``; ``train`` and ``val`` are ready to use.
    """

    spec: DataSpec
    size: str
    train: Split
    val: Split
    _read_test: Callable[[], Split]

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of their numbers."""
        return self.spec.classes

    @property
    def title(self) -> str:
        """Name and size for people: ``MNIST (sample)``."""
        return f"{self.spec.title} ({self.size})"

    def train_and_val(self) -> Split:
        """Both as one split, to train on once every choice has been made: then there is no validation any more."""
        both = self.train, self.val
        return replace(
            self.train,
            name="train and val",
            images=torch.cat([split.images for split in both]),
            labels=torch.cat([split.labels for split in both]),
        )

    def part(self, images: int) -> "ImageData":
        """The same data set with at most so many images in each split, every class in proportion.

        Raises: ValueError for less than one image.
        """
        if images < 1:
            raise ValueError(f"images must be at least 1, not {images}")

        def kept(split: Split) -> Split:
            if images >= len(split):
                return split
            return split.select(stratified_holdout(split.labels.numpy(), images)[1])

        return replace(self, train=kept(self.train), val=kept(self.val), _read_test=lambda: kept(self._read_test()))

    def open_test(self) -> Split:
        """Read the test set: once, at the end, when every choice has been made on ``val``."""
        return self._read_test()

    def __repr__(self) -> str:
        return f"{self.title}: {len(self.train):,} training and {len(self.val):,} validation images, test set sealed"


def as_split(spec: DataSpec, name: str, images: np.ndarray, labels: np.ndarray) -> Split:
    """Wrap decoded arrays, (N, H, W) or (N, H, W, C) and (N,), as a :class:`Split` of shape (N, C, H, W)."""
    if images.ndim == 3:
        images = images[..., None]
    channels_first = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    return Split(
        name=name,
        images=torch.from_numpy(channels_first),
        labels=torch.from_numpy(labels.astype(np.int64)),
        classes=spec.classes,
        mean=spec.mean,
        std=spec.std,
    )
