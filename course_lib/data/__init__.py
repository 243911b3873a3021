"""Data sets of images: ``load`` one, look at a ``Split``, iterate over it in ``Batches``, augment a batch.

>>> digits = load("mnist", size="sample")
>>> digits.train.images.shape
torch.Size([4000, 1, 28, 28])
"""

from course_lib.data.augmentation import (
    cutout,
    flip_and_crop,
    mirrored,
    mirrored_and_shifted,
    random_crop,
    random_flip,
    random_translate,
)
from course_lib.data.batches import Batches, DatasetView
from course_lib.data.loading import ImageData, load
from course_lib.data.perturbations import pixel_order, shift_images, shuffle_pixels
from course_lib.data.splits import SPLIT_SEED, Split, stratified_holdout
from course_lib.data.warping import elastic, random_rotation, random_scale
