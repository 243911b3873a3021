"""How fast ``course_lib`` trains, beside the loop that beginners write and beside what the machine can do.

``make bench`` runs it all and writes ``results/bench-cpu.jsonl``, or ``bench-gpu.jsonl`` where there is a GPU.
"""
