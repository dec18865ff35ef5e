"""One family of errors; each states what happened, why, and what to do."""

from __future__ import annotations

from importlib.util import find_spec


class HandwrightError(Exception):
    """An error that the user can put right; the command line prints it as one line, without a traceback.

    Args:
        what: What happened.
        why: The cause, as far as it is known.
        fix: What the user can do about it.
    """

    exit_code = 2

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        self.what, self.why, self.fix = what, why, fix
        super().__init__(_sentence(what, why, fix))

    def __reduce__(self) -> tuple[type[HandwrightError], tuple[str, str, str]]:
        """Survive the trip back from a worker process."""
        return type(self), (self.what, self.why, self.fix)


class InvalidValueError(HandwrightError, ValueError):
    """A value was constructed with the wrong shape, type or range."""


class UnreadableImageError(HandwrightError):
    """A file could not be read as a picture."""


class OutputError(HandwrightError):
    """An output could not be written, or would have overwritten something unasked."""


class MissingModelError(HandwrightError):
    """A perception model is not in the cache and could not be fetched."""


class DiffusionError(HandwrightError):
    """A diffusion model could not be loaded, does not fit its partners, or could not run here."""


class HandsFileError(HandwrightError):
    """A hands, mask, depth or pose file is malformed or belongs to another picture."""


class DataError(HandwrightError):
    """A shard or a record of a data set is damaged, incomplete, or of another kind."""


class NotEnoughDataError(HandwrightError):
    """A measure has fewer pictures, hands or people than it needs to mean anything."""


class MissingPackageError(HandwrightError):
    """An optional package is not installed."""


class UsageError(HandwrightError):
    """An option has a value that is not valid here."""


class UnknownKeywordError(UsageError, TypeError):
    """A function was called with a keyword that it does not have."""


def memory_error(error: BaseException, what: str) -> HandwrightError | None:
    """What to say where ``error`` means that memory ran out, in Python or a library; else None."""
    text = str(error)
    if isinstance(error, MemoryError) or any(sign in text for sign in _OUT_OF_MEMORY):
        return HandwrightError(what, "there is not enough memory", "free some, or use a smaller picture")
    return None


_OUT_OF_MEMORY = (
    "Insufficient memory",
    "bad_alloc",
    "bad allocation",
    "Failed to allocate memory",
    "failed to map segment from shared object",  # a library that is loaded
    "Cannot allocate memory",
    "can't start new thread",
)


def need(*packages: str, extra: str = "metrics") -> None:
    """Do nothing when all these packages of ``handwright[EXTRA]`` are installed.

    Raises:
        MissingPackageError: One is not.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingPackageError(
                f"this needs {package}", "it is not installed", f"pip install 'handwright[{extra}]'"
            )


def _sentence(what: str, why: str, fix: str) -> str:
    """The three parts as one line."""
    what, why, fix = (" ".join(part.split()).rstrip(".") for part in (what, why, fix))
    cause = f"{what}: {why}" if why else what
    line = f"{cause}; {fix}" if fix else cause
    return line if line.endswith("?") else f"{line}."
