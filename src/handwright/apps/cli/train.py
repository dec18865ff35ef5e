"""``handwright train``: one member of the embedded family."""

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from handwright.apps.cli.options import Debug, option, with_parameters

_SETTINGS: dict[str, tuple[Any, Any, str]] = {
    "max_minutes": (float, 0.0, "Stop after this long, to resume later; 0: no limit."),
    "max_train_steps": (int, 4000, "Steps of the whole run."),
    "train_batch_size": (int, 32, "Samples per forward pass."),
    "gradient_accumulation_steps": (int, 1, "Forward passes per step."),
    "dataloader_num_workers": (int, 0, "Processes that draw samples; 0: drawn between steps."),
    "learning_rate": (float, 4e-4, "After the warm-up."),
    "lr_warmup_steps": (int, 100, "Steps of linear warm-up."),
    "lr_decay_steps": (int, 500, "Steps of linear decay before the end."),
    "snr_gamma": (float, 5.0, "Min-SNR weighting; 0: none."),
    "proportion_empty_prompts": (float, 0.1, "Share of captions left out."),
    "conditioning_dropout_prob": (
        float | None, None, "Share of controls (depth, hands) left out; without it, as the member needs.",
    ),
    "control": (str, "depth", "handrefiner: depth, landmarks, segmentation, normals or scene steers it."),
    "masked_loss/--whole_loss": (bool, True, "handrefiner: eq. 4, or all of the picture."),
    "fresh_embedding": (bool, False, "handrefiner: learn to read control images anew."),
    "pose_controlnet": (
        str | None, None, "outpainter: OpenPose ControlNet to begin from; without it, the model's own.",
    ),
    "new_weights": (
        str | None, None, "Those of the two-stage system: random or zero for channels that the base lacks.",
    ),
    "hand_depth": (bool, False, "hand_generator: read the hand's depth beside the heatmaps."),
    "mask_head/--no_mask_head": (bool, True, "hand_generator: predict the hands' mask, too."),
    "mask_dropout": (float, 0.5, "hand_generator: share of samples whose mask is hidden."),
    "streams": (
        str, "joints,rotations,vertices", "handiffuser: what is read of hands; none: fine-tuning by text.",
    ),
    "text/--no_text": (bool, True, "handiffuser: read the text beside the hands."),
    "encoder_layers": (int, 2, "handiffuser: blocks of joint attention; 0: plain concatenation."),
    "resolution": (int, 128, "Side of samples, for members that start anew."),
    "latent_channels": (int, 8, "A new autoencoder: channels of a latent."),
    "discriminator_from": (int, 20_000, "autoencoder, finish: step from which its discriminator learns."),
    "gradient_checkpointing": (bool, False, "Less memory, more time."),
    "mixed_precision": (str, "auto", "no, bf16, fp16, or auto: what is fast here."),
    "checkpointing_minutes": (float, 5.0, "Time between checkpoints."),
    "checkpoints_total_limit": (int, 2, "Older checkpoints are deleted."),
}  # fmt: skip
"""Type, default and help of fields of ``TrainSettings``, whose room is slow to import."""
_BEFORE = 6  # How many parameters of the command stand before them


def _parameters() -> list[inspect.Parameter]:
    return [
        inspect.Parameter(
            name.split("/")[0],
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=Annotated[kind, typer.Option(f"--{name}".replace("_", "-"), help=text)],
        )
        for name, (kind, default, text) in _SETTINGS.items()
    ]


@with_parameters(_parameters(), _BEFORE)
def train(
    context: typer.Context,
    member: Annotated[
        str,
        typer.Argument(
            metavar="MEMBER",
            help="autoencoder, text_to_image, few_steps, text_to_hand, base, handrefiner, hand_generator, "
            "outpainter, few_steps_outpainter, pose_concatenation, pose_adapter, handiffuser, "
            "text_pose_embedder, clip, features, critic, referee, proposals, finish or grasp.",
        ),
    ],
    data: Annotated[Path, option("--data", "DIR", "Folder of shards and lots of crops.")],
    output: Annotated[Path, option("-o --output", "DIR", "Folder of the run.")],
    model: Annotated[
        Path | None, option("--model", "DIR", "The family so far, what a member builds on, or tiny.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint.")] = False,
    as_published: Annotated[
        bool,
        typer.Option(
            "--as-published",
            help="handrefiner, hand_generator, outpainter: the paper's steps, batch and fixed learning rate; "
            "no min-SNR, warm-up or moving average. Options that are given go first.",
        ),
    ] = False,
    stop_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="End with a checkpoint once this exists, as on SIGTERM."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and noise.")] = 0,
    debug: Debug = False,
    **given: Any,  # noqa: ANN401 - those of ``_SETTINGS``
) -> None:
    """Train a member; its folder holds checkpoints, a log, sample grids, the curve, and the weights."""
    del debug
    from handwright.errors import UsageError

    try:
        from handwright.training.loop import train as run
        from handwright.training.members import open_member
        from handwright.training.stopping import stop_requests
    except ModuleNotFoundError as error:
        raise UsageError(
            "training needs more packages", f"{error.name} is not installed", "pip install handwright[train]"
        ) from error
    from handwright.training.settings import TrainSettings
    from handwright.training.settings import as_published as published

    if as_published:
        own = {name: given[name] for name in given if _given(context, name)}
        given = {**given, **published(member), **own}
    settings = TrainSettings(**given, seed=seed)
    with stop_requests(stop_file) as stop_requested:
        recipe = open_member(member, data, model, settings)
        progress = run(recipe, settings, output, resume=resume, stop_requested=stop_requested)
    typer.echo(
        f"{member}: step {progress.step}, {progress.minutes:.1f} minutes, weights in {output / 'model'}"
    )


def _given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"
