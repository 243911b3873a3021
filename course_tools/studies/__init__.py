"""Run the studies: grids of training runs that are too long for a chapter. Their plans are the files of ``studies/``.

``course study NAME`` runs one; chapters only read the records (:mod:`course_lib.records.studies`). ``plan`` describes
the runs, ``run`` trains them side by side and resumably, ``cluster`` on other machines, and ``publish`` puts their
records into ``results/``.
"""
