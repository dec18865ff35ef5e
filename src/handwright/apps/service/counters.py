"""What is counted, in Prometheus' terms, in a registry of each service's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

if TYPE_CHECKING:
    from handwright.apps.service.queue import Job


class Counters:
    """Requests by route and status, jobs by kind and outcome, how long they took, and the queue."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "handwright_requests", "Answers", ["route", "status"], registry=self._registry
        )
        self._jobs = Counter("handwright_jobs", "Finished jobs", ["kind", "status"], registry=self._registry)
        self._seconds = Histogram(
            "handwright_job_seconds",
            "Seconds of work of jobs that ran",
            ["kind"],
            buckets=(0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self._registry,
        )
        self._waiting = Gauge("handwright_jobs_waiting", "Jobs that wait", registry=self._registry)
        self._restarts = Gauge("handwright_worker_restarts", "Workers replaced", registry=self._registry)

    def answered(self, route: str, status: int) -> None:
        """Count an answer."""
        self._requests.labels(route, str(status)).inc()

    def finished(self, job: Job) -> None:
        """Count a finished job."""
        self._jobs.labels(job.kind, job.status).inc()
        if job.started is not None and job.finished is not None:
            self._seconds.labels(job.kind).observe(job.finished - job.started)

    def page(self, waiting: int, restarts: int) -> tuple[bytes, str]:
        """The page of all counters, and its media type."""
        self._waiting.set(waiting)
        self._restarts.set(restarts)
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
