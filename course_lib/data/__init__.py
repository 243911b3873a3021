"""Real images: ``load`` them, look at a ``Split``, walk over it in ``Batches``.

What changes training images, or shows several views of one, is imported on demand.

>>> digits = load("mnist", size="sample")
>>> digits.train.images.shape
torch.Size([4000, 1, 28, 28])
"""

from course_lib.data.batches import Batches
from course_lib.data.dataset_view import DatasetView
from course_lib.data.images import ImageData, Split
from course_lib.data.loading import load
from course_lib.lazy import lazy_names

_named = {
    "augmentation": ["cutout", "flip_and_crop", "random_crop", "random_flip", "random_translate"],
    "warping": ["elastic", "random_rotation", "random_scale"],
    "views": ["mirrored", "mirrored_and_shifted"],
}
__getattr__, _, _on_demand = lazy_names(__name__, _named)
__all__ = ["Batches", "DatasetView", "ImageData", "Split", "load", *_on_demand]


def __dir__() -> list[str]:
    return sorted(__all__)
