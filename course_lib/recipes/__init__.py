"""Recipes: the shortest way to a given accuracy, one file each, to be read from top to bottom.

Each module has ``DATA`` and ``TARGET``, the accuracy on test images that its name promises; ``VIEWS``, the function for
test-time augmentation, or None; and ``train(images, val=None, *, seed=0, **options)``, which returns the network and
its history.
"""

from course_lib.recipes.result import NAMES, Result, run, take
