"""``handwright train``: one member of the embedded family."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handwright.apps.cli.options import Debug


def train(
    member: Annotated[
        str,
        typer.Argument(
            metavar="MEMBER",
            help="autoencoder, text_to_image, vae, text, clip, base, handrefiner, features, critic, "
            "referee or proposals.",
        ),
    ],
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder of shards and lots of crops.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the run.")],
    model: Annotated[
        Path | None,
        typer.Option("--model", metavar="DIR", help="The family so far, what a member builds on, or tiny."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint.")] = False,
    max_minutes: Annotated[
        float, typer.Option(help="Stop after this long, to resume later; 0: no limit.")
    ] = 0.0,
    max_train_steps: Annotated[int, typer.Option(help="Steps of the whole run.")] = 4000,
    train_batch_size: Annotated[int, typer.Option(help="Samples per forward pass.")] = 32,
    gradient_accumulation_steps: Annotated[int, typer.Option(help="Forward passes per step.")] = 1,
    dataloader_num_workers: Annotated[
        int, typer.Option(help="Processes that draw samples; 0: drawn between steps.")
    ] = 0,
    learning_rate: Annotated[float, typer.Option(help="After the warm-up.")] = 4e-4,
    lr_decay_steps: Annotated[int, typer.Option(help="Steps of linear decay before the end.")] = 500,
    snr_gamma: Annotated[float, typer.Option(help="Min-SNR weighting; 0: none.")] = 5.0,
    proportion_empty_prompts: Annotated[float, typer.Option(help="Share of captions left out.")] = 0.1,
    conditioning_dropout_prob: Annotated[
        float | None, typer.Option(help="Share of depth controls left out; without it, as the member needs.")
    ] = None,
    control: Annotated[
        str, typer.Option(help="handrefiner: depth, landmarks, segmentation, normals or scene steers it.")
    ] = "depth",
    masked_loss: Annotated[
        bool, typer.Option("--masked-loss/--whole-loss", help="handrefiner: eq. 4, or all of the picture.")
    ] = True,
    fresh_embedding: Annotated[
        bool,
        typer.Option("--fresh-embedding", help="handrefiner: learn to read control images anew."),
    ] = False,
    prediction_type: Annotated[
        str, typer.Option(help="A new base: epsilon, v_prediction, sample or flow.")
    ] = "v_prediction",
    text_to_image: Annotated[
        bool, typer.Option("--text-to-image", help="A new base: on latents alone, to inflate later.")
    ] = False,
    resolution: Annotated[int, typer.Option(help="Side of samples, for members that start anew.")] = 128,
    latent_channels: Annotated[int, typer.Option(help="A new autoencoder: channels of a latent.")] = 8,
    discriminator_from: Annotated[
        int, typer.Option(help="autoencoder: step from which its discriminator learns.")
    ] = 20_000,
    gradient_checkpointing: Annotated[
        bool, typer.Option("--gradient-checkpointing", help="Less memory, more time.")
    ] = False,
    mixed_precision: Annotated[
        str, typer.Option(help="no, bf16, fp16, or auto: what is fast here.")
    ] = "auto",
    checkpointing_minutes: Annotated[float, typer.Option(help="Time between checkpoints.")] = 5.0,
    checkpoints_total_limit: Annotated[int, typer.Option(help="Older checkpoints are deleted.")] = 2,
    stop_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="End with a checkpoint once this exists, as on SIGTERM."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and noise.")] = 0,
    debug: Debug = False,
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

    settings = TrainSettings(
        train_batch_size=train_batch_size,
        gradient_accumulation_steps=gradient_accumulation_steps,
        dataloader_num_workers=dataloader_num_workers,
        max_train_steps=max_train_steps,
        max_minutes=max_minutes,
        learning_rate=learning_rate,
        lr_decay_steps=lr_decay_steps,
        snr_gamma=snr_gamma,
        proportion_empty_prompts=proportion_empty_prompts,
        conditioning_dropout_prob=conditioning_dropout_prob,
        control=control,
        masked_loss=masked_loss,
        fresh_embedding=fresh_embedding,
        prediction_type=prediction_type,
        text_to_image=text_to_image,
        resolution=resolution,
        latent_channels=latent_channels,
        discriminator_from=discriminator_from,
        gradient_checkpointing=gradient_checkpointing,
        mixed_precision=mixed_precision,
        checkpointing_minutes=checkpointing_minutes,
        checkpoints_total_limit=checkpoints_total_limit,
        seed=seed,
    )
    with stop_requests(stop_file) as stop_requested:
        recipe = open_member(member, data, model, settings)
        progress = run(recipe, settings, output, resume=resume, stop_requested=stop_requested)
    typer.echo(
        f"{member}: step {progress.step}, {progress.minutes:.1f} minutes, weights in {output / 'model'}"
    )
