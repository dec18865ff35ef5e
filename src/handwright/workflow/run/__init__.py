"""One run over many pictures: jobs in order, a ledger of what is done, workers, and the files that come out.

Reading order: ``request`` (what to do, what a run's pictures share), ``ledger`` (what is done
already), ``load``, ``picture`` (one picture), ``deliver``, ``pool`` (workers), ``batch``
(the whole run) and ``pick`` (another candidate of an earlier run).
"""
