"""What the assignment asks, one task a file. Nothing here solves a task: right replies come from elsewhere.

A task's questions are drawn from a seed, so a student's check and a mark are about the same things and not about the
same numbers. The easiest question of a part comes first, and asks about one idea: a hint is about the first that fails.
"""

from checks.tasks import alexnet, inspection, metrics, signals, sizes, texts, training_step, vgg
from checks.tasks.part import Draw, Part, Question, Task

TASKS: tuple[Task, ...] = tuple(
    module.TASK for module in (sizes, alexnet, vgg, training_step, signals, metrics, inspection, texts)
)
PARTS: dict[str, Part] = {part.key: part for task in TASKS for part in task.parts}

__all__ = ["PARTS", "TASKS", "Draw", "Part", "Question", "Task"]
