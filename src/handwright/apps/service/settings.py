"""Bounds of the service; every one of them is an option of ``handwright serve``."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path

from handwright.errors import UsageError

KEYS_VARIABLE = "HANDWRIGHT_API_KEYS"
"""Environment variable with API keys, separated by spaces or commas."""

_LEAST_KEY = 16  # Characters; shorter keys can be guessed


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """How the service is run.

    Raises:
        UsageError: A bound makes no sense, or the address is open to others and there is no key.
    """

    host: str = "127.0.0.1"  # Address to listen on
    port: int = 8732
    keys: tuple[str, ...] = ()  # API keys; empty: none is asked for, on loopback alone
    workers: int = 1  # Processes that work, one job at a time each
    max_bytes: int = 50_000_000  # Of a request's body
    max_pixels: int = 50_000_000  # Of a picture
    max_queue: int = 32  # Jobs that wait
    max_results: int = 256  # Finished jobs that are kept; the oldest give way
    max_seconds: float = 300.0  # Of one job's work
    max_memory_gb: float = 6.0  # Resident memory of one worker, in GB; 0: no bound
    keep_seconds: float = 600.0  # How long a finished job's result is kept
    rate_per_minute: float = 120.0  # Requests of one key, or of one address where there are no keys; 0: any
    landmarker: Path | None = field(default=None)  # A hand_landmarker.task of the user's own

    def __post_init__(self) -> None:
        for name in ("workers", "max_bytes", "max_pixels", "max_queue", "max_results"):
            _check(getattr(self, name) >= 1, name, "give 1 or more")
        for name in ("max_seconds", "keep_seconds"):
            _check(getattr(self, name) > 0, name, "give more than 0")
        for name in ("max_memory_gb", "rate_per_minute"):
            _check(getattr(self, name) >= 0, name, "give 0 (no bound) or more")
        _check(0 <= self.port <= 65535, "port", "give 0 to 65535")
        if any(len(key) < _LEAST_KEY for key in self.keys):
            raise UsageError(
                "an API key is too short", "it could be guessed", f"use {_LEAST_KEY} characters or more"
            )
        if not self.keys and not is_loopback(self.host):
            raise UsageError(
                f"the service would listen on {self.host} without an API key",
                "anybody who reaches this machine could use it",
                f"give `keys` FILE or set {KEYS_VARIABLE}, or listen on 127.0.0.1",
            )


def read_keys(file: Path | None) -> tuple[str, ...]:
    """API keys of a file, one a line (# begins a comment), and of the environment.

    Raises:
        UsageError: The file cannot be read, or holds no key.
    """
    keys = os.environ.get(KEYS_VARIABLE, "").replace(",", " ").split()
    if file is not None:
        try:
            lines = [line.split("#")[0].strip() for line in file.read_text("utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read the keys in {file}", str(error), "check the name") from error
        if not any(lines):
            raise UsageError(f"{file} holds no key", "", "write one a line")
        keys += [line for line in lines if line]
    return tuple(dict.fromkeys(keys))


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _check(right: bool, name: str, fix: str) -> None:
    if not right:
        raise UsageError(f"`{name}` makes no sense", "", fix)
