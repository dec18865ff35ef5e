"""The functions of a notebook: refine, hands, review, generate and synth (evaluate: ``evaluation``).

Keywords are the words of the command line; ``handwright.options`` defines those of a refinement. A keyword
that a function does not have raises ``UnknownKeywordError``, which names the nearest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack, cast, overload

from handwright.errors import UsageError
from handwright.plug_ins import file_or_plug_in
from handwright.progress import Progress, silent
from handwright.workflow.hand_refiner import HandRefiner
from handwright.workflow.inputs import as_image, is_several
from handwright.workflow.keywords import HandsOptions, RefineOptions, ReviewKeywords, known_keywords

if TYPE_CHECKING:
    from handwright.data.synthesise import Written
    from handwright.perception.detect.own_landmarker import HandDetector
    from handwright.perception.fit.own_fitter import MeshFitter
    from handwright.prompts.plan import Plan
    from handwright.refine.painters import HandPainter
    from handwright.refine.pipeline import Engine
    from handwright.refine.result import Repair
    from handwright.review.checklist import PictureReview
    from handwright.review.critic.prediction import Critic
    from handwright.review.judge import Judge
    from handwright.types import Box, Hand, HandObservation
    from handwright.workflow.inputs import Picture


@overload
def refine(picture: Sequence[Picture], **options: Unpack[RefineOptions]) -> list[Repair]: ...
@overload
def refine(picture: Picture, **options: Unpack[RefineOptions]) -> Repair: ...
@known_keywords
def refine(
    picture: Picture | Sequence[Picture],
    *,
    painter: Literal["draw", "harmonise", "diffuse"] | str | HandPainter = "draw",
    seed: int = 0,
    candidates: int = 1,
    budget: float = 0.0,
    box: Box | Sequence[Box] = (),
    hand: int | Sequence[int] = (),
    all: bool = False,
    unsure: bool = False,
    leave_holding: bool = False,
    hands: str | Path | Sequence[tuple[HandObservation, Hand]] | None = None,
    mask: Picture | None = None,
    depth: Picture | None = None,
    hand_pose: str | Path | Hand | None = None,
    landmarker: str | Path | HandDetector | None = None,
    fitter: str | MeshFitter | None = None,
    critic: str | Critic | None = None,
    prompt: str | None = None,
    negative_prompt: str | None = None,
    controlnet_conditioning_scale: float | str | None = None,
    num_inference_steps: int | None = None,
    strength: float | None = None,
    batch: int | None = None,
    sampler: str | None = None,
    guidance_scale: float | None = None,
    as_published: bool | None = None,
    box_mask: bool | None = None,
    no_grain: bool | None = None,
    no_retoning: bool | None = None,
    no_control_guidance: bool | None = None,
    model: str | Path | None = None,
    controlnet: str | Path | None = None,
    dtype: str | None = None,
    device: str | None = None,
    offload: bool | None = None,
    revision: str | None = None,
    variant: str | None = None,
    lora: str | Path | Sequence[str | Path] | None = None,
    textual_inversion: str | Path | Sequence[str | Path] | None = None,
    ip_adapter: str | Path | None = None,
    progress: Progress | None = None,
    engine: Engine | None = None,
) -> Repair | list[Repair]:
    """Mend the hands of a picture; every pixel outside the repainted hands stays as it is.

    Each hand is found, fitted and reviewed; those that fail the review are painted anew, and the original is
    put back unless the new hand is better. For many pictures a ``HandRefiner`` keeps the models loaded.

    Args:
        picture: A file's name, the bytes of a file, a Pillow image, an array (grey, RGB or RGBA; uint8, or
            floats in [0, 1]) or an ``Image``; or a list of these.
        painter: 'draw' (skin measured in the picture, no network), 'harmonise' (that, then a few diffusion
            steps), 'diffuse' (inpainting from pure noise, as HandRefiner published it), or your own: an
            object with a method ``paint``, or 'pkg.mod:Class' (docs/how-to/plug_ins.md).
        seed: Same seed, same bytes; 0 to 4294967295.
        candidates: Attempts per hand; the best is taken.
        budget: No further attempt at a hand is begun after so many seconds; 0: no limit.
        box: Where a hand is, x0, y0, x1, y1 in pixels, or several; then nothing else is searched.
        hand: Attempt only the hands with these numbers, which ``hands`` or an earlier repair shows.
        all: Attempt every hand, not only those that fail the review.
        unsure: Attempt also hands of which the review cannot tell.
        leave_holding: Leave hands alone that seem to hold a thing, unless a box, number or file names them.
        hands: Edited hands, a file of ``handwright hands`` or pairs of observation and hand, instead of
            finding and fitting.
        mask: A grey picture of the same size, white where pixels may change, instead of the computed mask.
        depth: A depth control image of the same size instead of the rendered one.
        hand_pose: Take the pose from this hand: a saved hands file, or a photograph of one hand.
        landmarker: A hand_landmarker.task of your own; or an object with a method ``detect``, or
            'pkg.mod:Class'.
        fitter: Your own mesh fitter: an object with a method ``fit``, or 'pkg.mod:Class'.
        critic: Your own judge: an object with a method ``judge``, or 'pkg.mod:Class'.
        prompt: Of a diffusing painter: what the picture shows.
        negative_prompt: Of a diffusing painter: words in place of the usual negative ones.
        controlnet_conditioning_scale: Factor on every ControlNet residual, 0 to 2 (HandRefiner §3.2: control
            strength), or 'auto', 'fixed' or 'adaptive'.
        num_inference_steps: Steps of the sampler, 1 to 1000; None: the model's own.
        strength: Of 'harmonise': noise level to start from, above 0, up to 1, as in image-to-image.
        batch: Candidates and hands to paint at a time, at most: for a GPU; takes so many times the memory.
        sampler: 'auto' (the model's own), 'ddim', 'dpm++', 'euler', 'euler-a', 'unipc' or 'flow'.
        guidance_scale: Weight of classifier-free guidance, 0 to 100; None: the model's own.
        as_published: 'diffuse' as HandRefiner published it: the four that follow, DDIM, 50 steps, guidance 9
            and the fixed control strength, each unless given.
        box_mask: Repaint the box around a hand instead of its outline.
        no_grain: Leave the paint as clean as the network made it.
        no_retoning: Do not match the paint's colours to the picture around it.
        no_control_guidance: No guidance on control, whatever is stored with the ControlNet.
        model: 'tiny' (embedded), 'sd15', 'sdxl', 'sd3', 'flux', 'z-image', a folder in ``save_pretrained``
            layout, one .safetensors file, or a name on the hub.
        controlnet: Likewise, or one .safetensors file; None: the one that comes with the model.
        dtype: 'auto', 'float32', 'bfloat16' or 'float16'.
        device: 'auto', 'cpu', 'cuda' or 'mps'.
        offload: Keep networks in main memory and move each to the GPU when it runs.
        revision: Of the model on the hub.
        variant: Of its weights, such as 'fp16'.
        lora: Files, each with an optional weight: 'style.safetensors:0.8'.
        textual_inversion: Files of learnt words, written <name of the file> in the prompt.
        ip_adapter: A file; the picture itself is then the image prompt.
        progress: Called with the stage, the number of pictures done and the number of all.
        engine: Loaded models to use again (``handwright.refine.pipeline.open_engine``).

    Returns:
        The picture before and after, and per hand what was done and why; of a list, a list.

    Raises:
        HandwrightError: A picture cannot be read, an option makes no sense, or a model is missing.

    >>> import handwright
    >>> repair = handwright.refine("photo.png", seed=7)  # doctest: +SKIP
    >>> repair.after.save("refined.png")  # doctest: +SKIP
    >>> [(hand.id, hand.side, hand.action) for hand in repair.hands]  # doctest: +SKIP
    [(1, 'left', 'skipped'), (2, 'right', 'refined')]
    """
    from handwright.refine.pipeline import refine_picture

    options = {name: value for name, value in locals().items() if name not in _NO_OPTIONS}
    with HandRefiner(engine=engine, landmarker=landmarker) as refiner:
        return refiner.run(refine_picture, picture, options)


_NO_OPTIONS = ("picture", "engine", "refine_picture")


@overload
def hands(picture: Sequence[Picture], **options: Unpack[HandsOptions]) -> list[Repair]: ...
@overload
def hands(picture: Picture, **options: Unpack[HandsOptions]) -> Repair: ...
@known_keywords
def hands(
    picture: Picture | Sequence[Picture],
    *,
    box: Box | Sequence[Box] = (),
    hands: str | Path | Sequence[tuple[HandObservation, Hand]] | None = None,
    landmarker: str | Path | HandDetector | None = None,
    fitter: str | MeshFitter | None = None,
    progress: Progress | None = None,
    engine: Engine | None = None,
) -> Repair | list[Repair]:
    """Find and fit the hands of a picture; nothing is repainted.

    Args:
        picture: As for ``refine``.
        box: As for ``refine``.
        hands: As for ``refine``.
        landmarker: As for ``refine``.
        fitter: As for ``refine``.
        progress: As for ``refine``.
        engine: As for ``refine``.

    Returns:
        Per hand the observation, the fit, the mask and the depth; ``action`` is 'skipped'; of a list, a list.

    Raises:
        HandwrightError: A picture cannot be read or an option makes no sense.

    >>> import handwright
    >>> [(hand.side, hand.fit.residual) for hand in handwright.hands("photo.png").hands]  # doctest: +SKIP
    [('right', 0.012)]
    """
    from handwright.refine.pipeline import inspect_picture

    options = {"box": box, "hands": hands, "landmarker": landmarker, "fitter": fitter, "progress": progress}
    with HandRefiner(engine=engine, landmarker=landmarker) as refiner:
        return refiner.run(inspect_picture, picture, options)


@overload
def review(picture: Sequence[Picture], **options: Unpack[ReviewKeywords]) -> list[PictureReview]: ...
@overload
def review(picture: Picture, **options: Unpack[ReviewKeywords]) -> PictureReview: ...
@known_keywords
def review(
    picture: Picture | Sequence[Picture],
    *,
    prompt: str | None = None,
    generated: bool = False,
    calibration: str | Path | None = None,
    landmarker: str | Path | HandDetector | None = None,
    fitter: str | MeshFitter | None = None,
    critic: str | Critic | None = None,
    progress: Progress | None = None,
    judge: Judge | None = None,
) -> PictureReview | list[PictureReview]:
    """Go through the checklist of every hand of a picture: finger count, joint bending, left–right, grasp.

    Args:
        picture: As for ``refine``.
        prompt: What the picture was meant to show; its hands are held against it.
        generated: It is of an image generator: hands that look malformed do not pass.
        calibration: A file that ``handwright review --calibrate`` wrote.
        landmarker: As for ``refine``.
        fitter: As for ``refine``.
        critic: As for ``refine``.
        progress: As for ``refine``.
        judge: Loaded models to use again (``handwright.review.judge.open_judge``).

    Returns:
        Per hand its checks with verdict, confidence and reason, and the picture's verdict; of a list, a list.

    Raises:
        HandwrightError: A picture or the calibration cannot be read, or a model is missing.

    >>> import handwright
    >>> handwright.review("photo.png", prompt="a waving hand").verdict  # doctest: +SKIP
    'pass'
    """
    from contextlib import nullcontext

    from handwright.prompts.parse import parse_prompt
    from handwright.review.judge import review_picture
    from handwright.workflow.review import ReviewOptions, judge_opener, look_limit

    expected = None if prompt is None else parse_prompt(prompt)
    show = progress or silent
    pictures = list(cast("Sequence[Picture]", picture)) if is_several(picture) else [cast("Picture", picture)]
    opener = judge_opener(
        ReviewOptions(
            calibration=None if calibration is None else Path(calibration),
            landmarker=file_or_plug_in(landmarker),
            fitter=fitter,
            critic=critic,
            open_judge=None if judge is None else lambda: nullcontext(judge),
        )
    )
    reviews: list[PictureReview] = []
    with opener() as opened:
        for one in pictures:
            show("review", len(reviews), len(pictures))
            reviews.append(review_picture(as_image(one), opened, expected, look_limit=look_limit(generated)))
            show("", len(reviews), len(pictures))
    return reviews if is_several(picture) else reviews[0]


@known_keywords
def generate(text: str, *, plan: bool = False) -> Plan:
    """Show what a prompt fixes about the hands of its picture, what it leaves open, and how to word that.

    Args:
        text: The prompt.
        plan: Must be True: no picture is made yet.

    Returns:
        Per hand what is fixed and what is open; completed prompts in three wordings; negative words.

    Raises:
        UsageError: ``plan`` is False, or the prompt is empty.

    >>> import handwright
    >>> sorted(handwright.generate("a person waving with the left hand", plan=True).prompts)
    ['exact', 'plain', 'tags']
    """
    from handwright.prompts.plan import plan_prompt

    if not plan:
        raise UsageError("generate only plans", "`plan` is missing", "give `plan`")
    return plan_prompt(text)


@known_keywords
def synth(
    output: str | Path,
    *,
    kind: Literal["hands", "defects", "holds", "people"] = "hands",
    n: int = 1000,
    seed: int = 0,
    size: int = 256,
    workers: int = 1,
    photos: str | Path | None = None,
    defect: str | None = None,
    sheet: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Render pictures of hands or people with exact truth, as WebDataset shards of 250; a second run goes on.

    Args:
        output: Folder of the shards.
        kind: What to render: 'hands', 'defects', 'holds' or 'people'.
        n: Number of pictures.
        seed: Same seed, same pictures.
        size: Side of the pictures in pixels, 64 to 1024.
        workers: Processes; the pictures are the same for any number.
        photos: Folder of photographs: backgrounds of half of the pictures, and half of all defects.
        defect: Of kind 'defects': only this one.
        sheet: Also write sheet.jpg, the first hundred.
        progress: Called with the number of pictures done and of all, after every shard.

    Returns:
        Where the shards are, how many pictures and shards there are, and how many shards are new.

    Raises:
        HandwrightError: A value makes no sense, or the folder holds another world or cannot be written.

    >>> import handwright
    >>> handwright.synth("world", kind="hands", n=500, sheet=True).samples  # doctest: +SKIP
    500
    """
    from handwright.data.synthesise import synthesise

    return synthesise(
        Path(output),
        kind,
        count=n,
        seed=seed,
        size=size,
        workers=workers,
        photos=None if photos is None else Path(photos),
        defect=defect,
        sheet=sheet,
        progress=lambda done, total: (progress or silent)("render", done, total),
    )
