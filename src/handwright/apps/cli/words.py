"""The command line's words for the library's keywords; nothing else translates."""

import re

from handwright.options import OPTIONS

WORDS = {
    "controlnet_conditioning_scale": "strength", "strength": "start-level", "negative_prompt": "negative",
    "num_inference_steps": "steps", "guidance_scale": "guidance",
}  # fmt: skip
"""Options that the command line has under a shorter name than diffusers."""

_OF_RUNS = ("report", "fail_on", "workers", "patches", "keep_intermediates", "force")


def flag(name: str) -> str:
    """An option as it is typed: ``--start-level`` for ``strength``."""
    return f"--{WORDS.get(name, name.replace('_', '-'))}"


def in_cli_words(text: str) -> str:
    """A message of the library with the options that it names in backticks as they are typed."""

    def typed(match: re.Match[str]) -> str:
        known = match[1] in OPTIONS or match[1] in _OF_RUNS
        return flag(match[1]) if known else match[0]

    return re.sub(r"`(\w+)`", typed, text)
