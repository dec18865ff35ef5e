"""Very many pictures, on one machine or a cluster: ``run_batch`` of ``cluster`` is the way in.

Reading order: ``items`` (what there is to do), ``sink`` (where results go, and what is done), ``worker``
(one picture after another, in a process of its own), ``summary`` (counts, the worst hundred) and ``cluster``
(Ray Data).
"""
