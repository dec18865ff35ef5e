"""The rows of HandRefiner's Table 3, as settings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from handwright.handrefiner.diffusion_settings import DiffusionSettings

UNTUNED, COARSE, UNMASKED, TUNED = "untuned", "coarse", "unmasked", "tuned"
"""Folders below ``--variants``: ControlNets of the same UNet.

The last was trained as HandRefiner's, from the same start and as long as the others; without it the model's
own is held against them. The first two learnt from the depth of scenes, exact or as an estimator gives it.
"""

CONTROLS = ("landmarks", "segmentation", "normals")
"""Further folders there: ControlNets that are steered by something else than depth, for the phase figure."""

SMOOTH = "smooth"
"""One trained as ``TUNED``, on renders without fine detail: what that changes shows in the phase figure."""

VARIANTS = (UNTUNED, COARSE, UNMASKED, TUNED, *CONTROLS, SMOOTH)

_LEAST_NEGATIVE = 3.0
"""w of eq. 3 in the pair of rows about negative words, where the model's own w is 1: no such branch."""


@dataclass(frozen=True)
class Row:
    """One treatment."""

    name: str  # Short, fit for a file name
    label: str  # As the table shows it
    settings: DiffusionSettings  # How it is painted
    missing: str = ""  # Why it cannot be measured; '' where it can


def strategy_rows(settings: DiffusionSettings) -> tuple[Row, ...]:
    """Fixed, 1.0, adaptive and ours."""
    return (
        Row("fixed", "tuned, fixed", replace(settings, strength="fixed")),
        Row("full", "tuned, s = 1.0", replace(settings, strength=1.0)),
        Row("adaptive", "tuned, adaptive", replace(settings, strength="adaptive")),
        Row("auto", "tuned, auto (ours)", replace(settings, strength="auto")),
    )


def table_rows(
    settings: DiffusionSettings, own_guidance: float, fixed_strength: float, variants: Path | None
) -> tuple[Row, ...]:
    """All rows of Table 3 in its order."""
    fixed = replace(settings, strength=fixed_strength)
    weight = own_guidance if settings.guidance is None else settings.guidance
    guided = replace(fixed, guidance=max(weight, _LEAST_NEGATIVE))
    plain = replace(fixed, synthetic_negative=False)
    rows = [
        _variant(UNTUNED, "untuned (exact depth of scenes), fixed", plain, variants),
        _variant(COARSE, "untuned (coarse depth of scenes), fixed", plain, variants),
        _variant(UNMASKED, "tuned without the masked loss, fixed", fixed, variants),
        _variant(TUNED, "tuned as long as these, fixed", fixed, variants),
    ]
    if weight < _LEAST_NEGATIVE:
        label = f"tuned, fixed, w = {guided.guidance:g}"
        rows.append(Row("guided", f"{label}, negative prompt", guided))
        rows.append(Row("bare", f"{label}, no negative prompt", replace(guided, synthetic_negative=False)))
    else:
        rows.append(Row("bare", "tuned, no negative prompt", replace(guided, synthetic_negative=False)))
    return (*rows, *strategy_rows(settings))


def boxed_rows(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Table 3's ControlNets at full strength, to be painted with the box masks of the published code."""
    return tuple(
        replace(row, label=row.label.removesuffix(", fixed"), settings=replace(row.settings, strength=1.0))
        for row in rows
        if row.name in (UNTUNED, COARSE, UNMASKED, TUNED, "full") and not row.missing
    )


def phase_settings(settings: DiffusionSettings, variants: Path | None) -> dict[str, DiffusionSettings]:
    """What the phase figure is drawn of besides the painters: settings by kind of control."""
    folders = {} if variants is None else {kind: variants / kind for kind in (*CONTROLS, TUNED, SMOOTH)}
    return {
        kind: replace(settings, controlnet=str(folder)) for kind, folder in folders.items() if folder.is_dir()
    }


def pairs(rows: Sequence[Row]) -> tuple[tuple[str, str, str], ...]:
    """What the paper compares: (question, row, row that it is held against)."""
    names = {row.name for row in rows if not row.missing}
    negative = "guided" if "guided" in names else "fixed"
    tuned = TUNED if TUNED in names else "fixed"
    comparisons = (
        ("tuning", "fixed", UNTUNED), ("tuning as long", TUNED, UNTUNED),
        ("tuning as long, of coarse depth", TUNED, COARSE), ("the negative prompt", negative, "bare"),
        ("the masked loss", tuned, UNMASKED), ("s = 1.0 instead of fixed", "full", "fixed"),
        ("adaptive instead of fixed", "adaptive", "fixed"), ("auto instead of fixed", "auto", "fixed"),
        ("auto instead of adaptive", "auto", "adaptive"),
    )  # fmt: skip
    return tuple(pair for pair in comparisons if pair[1] in names and pair[2] in names)


def _variant(name: str, label: str, settings: DiffusionSettings, variants: Path | None) -> Row:
    folder = None if variants is None else variants / name
    if folder is None or not folder.is_dir():
        return Row(name, label, settings, f"no ControlNet '{name}' below --variants")
    return Row(name, label, replace(settings, controlnet=str(folder)))
