"""From a number of the book to the network behind it: ``course verify NAME``.

======= ========================================================================================
file    what it holds
======= ========================================================================================
reruns  a record's run, planned again: its network, its images, its training
verify  number, evidence, record, weights, and these weights evaluated again
train   the weights themselves: the first seed trained again, rounded to 16 bits, kept beside its record
======= ========================================================================================
"""
