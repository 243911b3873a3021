"""Convnets, Measured: what the chapters import.

* :mod:`course_lib.data`: real images, honest splits, batches
* :mod:`course_lib.models`: the networks, one architecture a file
* :mod:`course_lib.analysis`: instruments that look at a network or at its predictions
* :mod:`course_lib.training`: ``fit``, ``evaluate``, ``predict`` and what they keep
* :mod:`course_lib.plots`: figures that carry their own description
"""
