"""handwright: find, fit, redraw and check human hands in generated pictures."""

from __future__ import annotations

__version__ = "0.1.0"
