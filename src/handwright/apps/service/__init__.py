"""The HTTP service: a queue of jobs, worker processes that keep the models loaded, bounds on everything.

Reading order: ``settings`` (bounds), ``worker`` (the process that works), ``queue`` (jobs and their life),
``access`` (keys and rates), ``bodies`` (what a request may hold), ``app`` (the routes).
"""
