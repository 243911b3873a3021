"""Weights that others trained on ImageNet: ``load`` them by name; the first time they are fetched into the cache.

>>> NAMES
('vgg16-features', 'alexnet-features', 'mobilenet-v2', 'efficientnet-lite0')
"""

from course_lib.weights.catalog import NAMES, checksum, imagenet_classes
from course_lib.weights.loading import available, download, ensure, load, path_of
