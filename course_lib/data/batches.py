"""Batches cut from a uint8 tensor that already lives on the training device.

The usual loader decodes, converts and stacks image by image, on the CPU, every epoch again. MNIST is 47 MB as uint8:
move it once, then a batch is one indexing operation and one normalisation, on the device.
"""

from collections.abc import Iterator

import torch

from course_lib.data.images import Split


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
        """The order of the next pass, shape (N,), or None where it is the split's own."""
        return torch.randperm(len(self.split), generator=self.generator) if self.shuffle else None

    def along(self, order: torch.Tensor | None, first_batch: int = 0) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Walk along a drawn order, from batch number ``first_batch`` on (a resumed epoch starts in its middle)."""
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
