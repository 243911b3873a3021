"""Real images: ``load`` them, look at a ``Split``, walk over it in ``Batches``.

>>> digits = load("mnist", size="sample")
>>> digits.train.images.shape
torch.Size([4000, 1, 28, 28])
"""

from course_lib.data.augmentation import cutout, flip_and_crop, random_crop, random_flip, random_translate
from course_lib.data.batches import Batches
from course_lib.data.dataset_view import DatasetView
from course_lib.data.images import ImageData, Split
from course_lib.data.loading import load
from course_lib.data.views import mirrored, mirrored_and_shifted
from course_lib.data.warping import elastic, random_rotation, random_scale

__all__ = [
    "Batches",
    "DatasetView",
    "ImageData",
    "Split",
    "cutout",
    "elastic",
    "flip_and_crop",
    "load",
    "mirrored",
    "mirrored_and_shifted",
    "random_crop",
    "random_flip",
    "random_rotation",
    "random_scale",
    "random_translate",
]
