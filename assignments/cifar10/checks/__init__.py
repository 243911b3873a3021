"""What the assignment asks, and how an answer is marked. ``check.py`` and the grader use it; it holds no solution.

tasks       the questions, how an answer is called, how a reply is judged
script      reads ``answers.py`` and ``logits.safetensors``, without trusting them
pair        keeps ``answers.ipynb`` in step with ``answers.py``
logits      checks what is in ``logits.safetensors``
worker      runs the student's cells in a process of its own and returns data
process     starts a worker, sends it requests, ends it when it takes too long
messages    what the two send each other: JSON and safetensors, never pickle
marking     compares each reply with the reference's, and counts points
feedback    ``python check.py``: the public questions, whose right replies are on record
"""
