"""A class's submissions, graded.

From the folders that were handed in to the tables::

    submissions finds what was handed in, and copies it; handing_in says when that was
    rosters     whose folder is whose; rubrics: points that a person gives; spreadsheets: how such tables are read
    judging     the marks of one submission; running does many, side by side
    keeping     all that a run which was stopped goes on from
    grading     the commands: reads, has judged, writes
    grades      the table; summary, reading and letters: the pages and the feedback; pages: what these have in common
    outcomes    what the instructor is told in the end
"""
