"""What one run of the pipeline is asked for, checked before any network moves."""

import math
from collections.abc import Sequence
from typing import Any

from handwright.diffusion.loading.libraries import VaeImageProcessor
from handwright.errors import UsageError


def check_length(prompt: str, count: int, limit: int) -> None:
    """Raise if a prompt has more tokens than can be read, marks included.

    Raises:
        UsageError: It has.
    """
    if count > limit:
        raise UsageError(
            f"the prompt {prompt[:40]!r}… is {count} tokens long",
            f"this model has places for {limit}",
            f"shorten it to {limit} tokens",
        )


def check_options(
    steps: int,
    guidance: float,
    control_strength: float | Sequence[float],
    start_level: float,
    control_guidance: float = 1.0,
) -> tuple[float, ...]:
    """The control strength of every step of the schedule; raise unless every number makes sense.

    Raises:
        UsageError: No steps, a weight that is negative or no number, or not one strength a step.
    """
    if steps < 1:
        raise UsageError(f"the number of steps is {steps}", "at least one step is needed", "give 1 or more")
    single = not isinstance(control_strength, Sequence)
    strengths = (control_strength,) * steps if single else tuple(control_strength)
    if len(strengths) != steps:
        raise UsageError(
            f"there are {len(strengths)} control strengths for {steps} steps", "", "give one, or one a step"
        )
    weights = (("the guidance", guidance), ("the control guidance", control_guidance))
    for option, value in (*weights, *(("the control strength", strength) for strength in strengths)):
        if not (math.isfinite(value) and value >= 0):
            raise UsageError(f"{option} is {value}", "it must be a number from 0 up", "give such a number")
    if not 0 < start_level <= 1:
        raise UsageError(
            f"the start level is {start_level}",
            "it runs from just above 0 (the picture) to 1 (pure noise)",
            "give such a number",
        )
    return strengths


def check_schedule(scheduler: Any, steps: int, start_level: float) -> None:  # noqa: ANN401
    """Raise unless the scheduler can run so many steps from this noise level on.

    Raises:
        UsageError: It has fewer, or cannot begin midway.
    """
    most = int(scheduler.config.num_train_timesteps)
    if steps > most:
        raise UsageError(
            f"the number of steps is {steps}",
            f"the model's noise schedule has {most}",
            f"give 1 to {most} steps",
        )
    if start_level < 1 and type(scheduler).__name__ == "PNDMScheduler":
        raise UsageError(
            f"the start level is {start_level}",
            "PNDM takes its second step twice, and so cannot begin midway",
            "give the pipeline another scheduler, such as DDIM",
        )


def picture_size(image: Any, mask_image: Any, control_image: Any, unit: int) -> tuple[int, int]:  # noqa: ANN401
    """Height and width of the three pictures, in any form that diffusers takes.

    Raises:
        UsageError: One is missing, they differ, or they are of no size that the family takes.
    """
    sizes: dict[str, tuple[int, int]] = {}
    pictures = {"image": image, "mask_image": mask_image, "control_image": control_image}
    for name, picture in pictures.items():
        if picture is None:
            raise UsageError(f"{name} is missing", "", "give image, mask_image and control_image")
        grey = name == "mask_image"
        processor = VaeImageProcessor(do_resize=False, do_normalize=False, do_convert_grayscale=grey)
        tensor = processor.preprocess(picture)
        sizes[name] = int(tensor.shape[-2]), int(tensor.shape[-1])
    if len(set(sizes.values())) > 1:
        sides = ", ".join(f"{name} {width} × {height}" for name, (height, width) in sizes.items())
        raise UsageError("the pictures differ in size", sides, "give pictures of one size")
    height, width = sizes["image"]
    if height % unit or width % unit:
        raise UsageError(
            f"the picture is {width} × {height} pixels", "", f"give sides divisible by {unit} pixels"
        )
    return height, width
