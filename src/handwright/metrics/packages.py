"""Optional packages, checked where they are needed."""

from importlib.util import find_spec

from handwright.errors import MissingPackageError


def need(*packages: str) -> None:
    """Do nothing when all are installed.

    Raises:
        MissingPackageError: One is not.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingPackageError(
                f"this measure needs {package}", "it is not installed", "pip install 'handwright[metrics]'"
            )
