"""Who may ask, and how often: API keys and a rate for each."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Sequence

_MOST_BUCKETS = 10_000  # Clients that are remembered; the ones not seen for longest give way


class Keys:
    """API keys, compared in constant time."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._digests = [_digest(key) for key in keys]

    def owner(self, given: str | None, address: str) -> str | None:
        """A name for who asks: the key's digest, or the address where no key is needed; None: not allowed."""
        if not self._digests:
            return address
        offered = _digest(given or "")
        matching = [hmac.compare_digest(offered, digest) for digest in self._digests]
        return offered[:16] if any(matching) else None


class Rate:
    """So many requests a minute of each client, in bursts of at most as many."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait_seconds(self, owner: str) -> float:
        """Count a request of a client; how long it must wait before it is allowed, 0: it is."""
        if not self._per_minute:
            return 0.0
        most = max(1.0, self._per_minute)
        with self._lock:
            now = self._clock()
            left, then = self._buckets.pop(owner, (most, now))
            left = min(most, left + (now - then) * self._per_minute / 60)
            allowed = left >= 1
            self._buckets[owner] = (left - allowed, now)
            if len(self._buckets) > _MOST_BUCKETS:
                del self._buckets[next(iter(self._buckets))]
            return 0.0 if allowed else (1 - left) * 60 / self._per_minute


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
