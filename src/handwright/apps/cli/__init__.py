"""The command line. Parse, call, show; every heavy import waits until a command runs."""

from handwright.apps.cli.main import main

__all__ = ["main"]
