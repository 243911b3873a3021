"""Real images: ``load`` them, look at a ``Split``, walk over it in ``Batches``.

>>> digits = load("mnist", size="sample")
>>> digits.train.images.shape
torch.Size([4000, 1, 28, 28])
"""

from course_lib.data.augmentation import flip_and_crop, random_crop, random_flip
from course_lib.data.batches import Batches
from course_lib.data.dataset_view import DatasetView
from course_lib.data.images import ImageData, Split
from course_lib.data.loading import load

__all__ = ["Batches", "DatasetView", "ImageData", "Split", "flip_and_crop", "load", "random_crop", "random_flip"]
