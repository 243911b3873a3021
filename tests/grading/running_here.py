"""A runner that needs no process of its own."""

from course_lib.grading import messages, worker


class Here:
    """Runs cells in this process; what it is asked and what it replies travels as messages all the same."""

    def __init__(self):
        self.answers = worker.Answers()

    def load(self, source, line, seconds):
        return self.answers.load(source, line)

    def answer(self, key, questions, seed, seconds):
        questions = messages.unpack(messages.pack(questions))
        return messages.unpack(messages.pack(self.answers.answer(key, questions, seed)))

    def stop(self):
        pass
