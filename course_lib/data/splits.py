"""Parts of a data set: ``Split`` holds one, ``stratified_holdout`` draws one, the same for everybody."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch

from course_lib.data.catalog import DataSpec

SPLIT_SEED = 20_260_101


@dataclass(frozen=True)
class Split:
    """One part of a data set.

    ``images`` is uint8, shape (N, C, H, W); ``labels`` are whole numbers from 0 on, shape (N,), kept as int64. Both
    live on the same device. ``mean`` and ``std`` are the data set's, per channel, for pixels scaled to [0, 1].

    Raises: ValueError for images or labels of another type or shape, and for labels without a class. Whether there are
        as many labels as images is checked where batches are made: chapter 3 shows images without labels of their own.
    """

    name: str
    images: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self):
        self._check_images()
        object.__setattr__(self, "labels", class_numbers(self.labels, len(self.classes), self.name))

    def _check_images(self) -> None:
        if not isinstance(self.images, torch.Tensor) or self.images.dtype != torch.uint8 or self.images.dim() != 4:
            raise ValueError(
                f"{self.name}: images must be uint8 of shape (N, C, H, W), with pixels from 0 to 255, not "
                f"{_described(self.images)}"
            )
        channels = self.images.shape[1]
        if not {len(self.mean), len(self.std)} <= {1, channels} or not all(value > 0 for value in self.std):
            raise ValueError(
                f"{self.name}: mean and std need a number for each of {channels} channels, and std one above 0, not "
                f"{self.mean} and {self.std}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        shape = "×".join(str(side) for side in self.images.shape[1:])
        return f"Split({self.name}: {len(self):,} images of {shape}, {len(self.classes)} classes)"

    def to(self, device: torch.device | str) -> "Split":
        """The same split with its tensors on ``device``."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def select(self, indices: torch.Tensor | np.ndarray | list[int]) -> "Split":
        """The images at ``indices``, shape (M,), in that order; or where a boolean mask, shape (N,), is true.

        Raises: ValueError for a mask of another length, and for indices that are not whole numbers, shape (M,), or lie
            beyond the images.
        """
        indices = torch.as_tensor(indices, device=self.labels.device)
        if indices.dtype == torch.bool:
            if indices.shape != self.labels.shape:
                raise ValueError(f"a mask needs one value an image, {len(self):,}, not {_described(indices)}")
            indices = indices.nonzero().flatten()
        if indices.dim() != 1 or (indices.numel() and not _whole(indices)):
            raise ValueError(f"indices must be whole numbers of shape (M,), not {_described(indices)}")
        indices = indices.to(torch.int64)
        if len(indices) and not -len(self) <= int(indices.min()) <= int(indices.max()) < len(self):
            low, high = int(indices.min()), int(indices.max())
            raise ValueError(f"indices from {low} to {high}, but the {len(self):,} images have numbers from 0 on")
        return replace(self, images=self.images[indices], labels=self.labels[indices])

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 images (N, C, H, W) to float32: scaled to [0, 1], less the mean, over the standard deviation.

        The same operations in the same order as torchvision's ``ToTensor`` and ``Normalize``, so the results are
        equal bit for bit, on every device.
        """
        whole, mean, std = _scale(self.mean, self.std, images.device)
        return images.to(torch.float32, copy=True).div_(whole).sub_(mean).div_(std)


def class_numbers(labels: torch.Tensor, count: int, name: str) -> torch.Tensor:
    """``labels`` of something with that ``name``, as int64.

    Raises: ValueError where they are not whole numbers of shape (N,), or not those of ``count`` classes.
    """
    if not isinstance(labels, torch.Tensor) or labels.dim() != 1 or not _whole(labels):
        raise ValueError(f"{name}: labels must be whole numbers of shape (N,), not {_described(labels)}")
    labels = labels.to(torch.int64)
    if len(labels) and not labels.is_meta:
        low, high = (int(value) for value in labels.aminmax())
        if low < 0 or high >= count:
            numbers = f"the numbers of {count} classes go from 0 to {count - 1}"
            raise ValueError(f"{name}: labels from {low} to {high}, but {numbers}")
    return labels


def _whole(tensor: torch.Tensor) -> bool:
    return not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool)


def _described(value: object) -> str:
    if not isinstance(value, torch.Tensor):
        return f"a {type(value).__name__}"
    return f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"


@cache
def _scale(
    mean: tuple[float, ...], std: tuple[float, ...], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """255, mean and standard deviation as tensors on ``device``, copied there once and not for each batch.

    255 is a tensor too, because CUDA divides by a plain number through its reciprocal, which rounds differently.
    """
    columns = (torch.tensor(values, device=device).view(-1, 1, 1) for values in (mean, std))
    return torch.tensor(255.0, device=device), *columns


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


def stratified_holdout(labels: np.ndarray, count: int, seed: int = SPLIT_SEED) -> tuple[np.ndarray, np.ndarray]:
    """Split indices into a rest and a held-out part of exactly ``count``, each class in proportion.

    Args:
        labels: class numbers, shape (N,).
        count: how many to hold out, 0 < count < N.
        seed: of the draw within each class.

    Returns: (rest, held_out), both sorted ascending, shapes (N - count,) and (count,).
    Raises: ValueError where ``count`` is not between 0 and N.
    """
    if not 0 < count < len(labels):
        raise ValueError(f"count must lie between 0 and {len(labels)}, not {count}")
    classes, sizes = np.unique(labels, return_counts=True)
    exact = sizes * count / len(labels)
    shares = np.floor(exact).astype(int)
    # Largest remainder: the classes that lost most to rounding get the images that are left over.
    shares[np.argsort(shares - exact, kind="stable")[: count - shares.sum()]] += 1
    draw = np.random.RandomState(seed)  # its stream is frozen across NumPy versions, unlike default_rng's
    held_out = np.concatenate(
        [
            draw.permutation(np.flatnonzero(labels == label))[:share]
            for label, share in zip(classes, shares, strict=True)
        ]
    )
    held_out.sort()
    rest = np.setdiff1d(np.arange(len(labels)), held_out, assume_unique=True)
    return rest, held_out
