"""The assignment, from its release to a mark. Chapters import nothing of it.

Data flow, and who owns what::

    tasks       what is asked: questions, how an answer is called, how a reply is judged. Holds no solution.
    script      reads ``answers.py`` and ``logits.safetensors``, as files of somebody who is not trusted
    logits      what is in ``logits.safetensors``, and whether it can be right
    worker      runs the student's cells in a process of its own and returns data
    process     the other end: starts a worker, asks it, gives it up when it takes too long
    messages    what travels between the two: JSON and safetensors, never pickle
    marking     puts the questions, holds each reply against the reference's, counts points
    feedback    ``python -m course_lib.check``: the public questions, whose right replies are on record
    walls       a worker for code that is not trusted
    classes     many submissions: ``course assignment grade`` and ``regrade``
    release     ``course assignment release``: the student's repository; leaks is its guard, own_git how git is called

The reference answers are not part of the package: they lie in ``assignments/`` and are never released.
"""
