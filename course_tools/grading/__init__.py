"""Release the assignment, and grade what comes back: see :mod:`course_lib.grading` for what a student has of it."""
