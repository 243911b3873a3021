"""The studies: grids of training runs that are too long for a chapter, one file each, and the benchmark.

``course study`` runs the grids, ``make bench`` the benchmark.
"""
