"""Recipes: the shortest way to a named accuracy, one file each, to be read from top to bottom.

Each module has ``DATA`` and ``TARGET``, the accuracy on test images that its name promises; ``VIEWS``, what is averaged
when it answers; and ``train(images, val=None, *, seed=0, **options)``, which returns the network and its history.
"""

from course_lib.recipes.running import NAMES, Result, run, take

__all__ = ["NAMES", "Result", "run", "take"]
