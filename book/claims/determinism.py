"""What comes out again: how far runs of one recipe and seed lie apart, and how far fingerprints may."""

import pandas as pd

from book.claims.chapter_07 import ELSEWHERE
from course_lib import records
from course_tools.claims.ledger import claim
from course_tools.publishing import fingerprints


@claim
def fingerprint_first():
    """The band of a fingerprint's first loss: one part in so many."""
    return round(1 / fingerprints.FIRST)


@claim
def fingerprint_later():
    """The band of the losses that follow: one part in so many."""
    return round(1 / fingerprints.LATER)


@claim
def seed_on_another_day():
    """By how much chapter 2's LeNet-5 was less accurate on 25 November 2026 than now, for one seed at most."""
    runs = records.table("02-lenet").query("name == 'LeNet-5, modern' and split == 'test'").set_index("seed")
    return (runs["accuracy"].sort_index() - ELSEWHERE).max()


@claim
def seed_in_bfloat16():
    """How far chapter 10's LeNet-5 in bfloat16 lies from that in float32 with the same seed, at most."""
    runs = records.table("10-speed").set_index("seed")
    accuracy = [runs[runs["name"] == f"LeNet-5, {precision}"]["accuracy"] for precision in ("auto", "float32")]
    return pd.Series(accuracy[0] - accuracy[1]).abs().max()
