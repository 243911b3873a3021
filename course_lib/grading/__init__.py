"""The assignment, from its release to a mark. Chapters import nothing of it.

Data flow, and who owns what::

    tasks       what is asked: questions, how an answer is called, how a reply is judged. Holds no solution.
    script      reads ``answers.py`` and ``logits.safetensors``, as files of somebody who is not trusted
    worker      runs the student's cells in a process of its own and returns data
    process     the other end: starts a worker, asks it, gives it up when it takes too long
    sandboxed   the other end for code that is not trusted: runners whose processes are kept apart
    zygote      the parent of those processes, which knows torch and no secret; sandbox, visible, seccomp and linux are
                the walls around them: what a process may do, see, and ask of the kernel
    messages    what travels between the two: JSON and safetensors, never pickle
    marking     puts the questions, holds each reply against the reference's, counts points
    feedback    ``python -m course_lib.check``: the public questions, whose right replies are on record
    submissions finds and copies what was handed in; handing_in says when; rosters, rubrics: an instructor's tables
    judging     one submission's marks; running does many, side by side; keeping is what a killed run goes on from
    classes     ``course assignment grade`` and ``regrade``; grades, summary, reading and letters are what they write
    release     ``course assignment release``: the student's repository; leaks is its guard, own_git how git is called

The reference answers are not part of the package: they lie in ``assignments/`` and are never released.
"""
