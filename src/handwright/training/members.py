"""Members by name: from crops (and the members trained before) to a recipe."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from handwright.diffusion.guidance import NEGATIVE_PROMPT
from handwright.diffusion.latents import pixels_per_latent
from handwright.diffusion.loading.components import load_network
from handwright.diffusion.loading.controlnets import controlnet_from, controlnet_traits
from handwright.diffusion.loading.libraries import AutoencoderKL, CLIPTextModel, UNet2DConditionModel
from handwright.diffusion.loading.places import EMBEDDED, own_part
from handwright.diffusion.loading.zoo import load_vae
from handwright.errors import UsageError
from handwright.handiffuser.text_pose_embedder import PoseEncoder
from handwright.handiffuser.text_to_hand import TextToHandModel
from handwright.handiffuser.text_to_hand_pipeline import open_text_to_hand
from handwright.metrics.extractors.network import FeatureConfig, FeatureNetwork
from handwright.training.finish_pairs import load_pairs
from handwright.training.hand_pictures import HandPictureStream
from handwright.training.hold_crops import HOLDS, load_hold_crops
from handwright.training.loop import Recipe
from handwright.training.networks.autoencoder import fresh_autoencoder
from handwright.training.networks.critic import load_critic
from handwright.training.networks.family import (
    BASE_TEXT_LAYERS,
    BASE_TEXT_WIDTH,
    flow_of_teacher,
    fresh_base_unet,
    fresh_text_encoder,
    general_controlnet,
    open_family,
    with_new_embedding,
)
from handwright.training.networks.finish import FinishNetwork
from handwright.training.networks.grasp import fresh_grasp, load_grasp
from handwright.training.networks.own_networks import (
    hand_generator_of,
    outpainter_of,
    text_hand_encoder_of,
)
from handwright.training.networks.proposals import ProposalConfig, ProposalNetwork, load_proposals
from handwright.training.networks.referee import RefereeNetwork
from handwright.training.networks.tokenizer import learn_tokenizer
from handwright.training.people_pictures import PeopleStream
from handwright.training.recipes.autoencoder import AutoencoderParams, AutoencoderRecipe
from handwright.training.recipes.base import BaseRecipe
from handwright.training.recipes.clip import ClipRecipe, fresh_clip
from handwright.training.recipes.few_steps import FewStepsParams, FewStepsRecipe
from handwright.training.recipes.few_steps_outpainter import (
    FewStepsOutpainterParams,
    FewStepsOutpainterRecipe,
)
from handwright.training.recipes.finish import FinishLossParams, FinishRecipe
from handwright.training.recipes.hand_generator import HandGeneratorRecipe
from handwright.training.recipes.handiffuser import HanDiffuserRecipe
from handwright.training.recipes.handrefiner import HandRefinerRecipe
from handwright.training.recipes.judging.critic import CriticRecipe, fresh_critic, fresh_referee, grown_critic
from handwright.training.recipes.judging.features import FeatureRecipe
from handwright.training.recipes.judging.grasp import GraspRecipe
from handwright.training.recipes.judging.proposals import ProposalRecipe
from handwright.training.recipes.outpainter import OutpainterRecipe
from handwright.training.recipes.pose_baselines import PoseRecipe
from handwright.training.recipes.text_pose_embedder import TextPoseEmbedderRecipe
from handwright.training.recipes.text_to_hand import TextToHandParams, TextToHandRecipe
from handwright.training.recipes.text_to_image import TextToImageParams, TextToImageRecipe
from handwright.training.settings import TrainSettings
from handwright.training.streams.critic_batches import ViewStream
from handwright.training.streams.critic_samples import load_views
from handwright.training.streams.crop_batches import CropStream
from handwright.training.streams.crops import Crops, load_crops
from handwright.training.streams.latent_shards import TEXT_LENGTH, VOCABULARY, LatentStream
from handwright.training.streams.picture_shards import CODEC_MIX, PictureStream
from handwright.training.streams.proposal_windows import WindowStream
from handwright.training.streams.text_poses import TextPoseStream
from handwright.training.streams.whole_pictures import load_pictures
from handwright.two_stage.networks.pose_baselines import PoseConcatenation, begin_adapter

PHOTOGRAPH_SHARE, CRITIC_PHOTOGRAPH_SHARE = 0.3, 0.45
"""Share of photographs among the samples of the painting family, and of the critics; chosen by eye."""

UNFORESEEN_SHARE = 0.25  # Share of the critic's malformed hands that have an unnamed defect; chosen by eye
GENERATED_SHARE = 0.25  # Share of the critic's hands that generators painted; chosen by eye

TEXT_TO_HAND_WIDTH, TEXT_TO_HAND_TEXT_LAYERS = 128, 2
"""Channels of T2H and of its text encoder, and the latter's layers; the embedder has the same."""

_TOKENIZER_TEXTS = 4000  # Texts that the tokenizers of T2H and of the embedder beside it are learnt from

_LARGEST_PICTURE = 3  # Whole pictures are kept at most this many halves of the samples' side large
_MARGIN = 9 / 8  # Crops are kept this much larger than samples, to cut windows from


def open_member(member: str, data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    """The recipe of a member.

    Args:
        member: A name of ``MEMBERS``.
        data: Folder of shards and lots.
        model: Folder of the family so far, for members that build on others; `tiny`, which ``base`` goes on
            from by default: the embedded one.
        settings: Of the run; its seed makes the initial weights.

    Raises:
        UsageError: No such member, no crops, no such folder, or the family so far is missing.
        DiffusionError: The family so far cannot be loaded.
    """
    if member not in MEMBERS:
        raise UsageError(f"there is no member {member!r}", "", f"choose one of: {', '.join(MEMBERS)}")
    place = None if model is None else EMBEDDED.get(str(model), model)
    if place is not None and not place.is_dir():
        raise UsageError(f"there is no folder {place}", "", "give --model tiny or the model/ of a run")
    with torch.random.fork_rng():  # networks draw their first weights from the global generator alone
        torch.manual_seed(settings.seed)
        return MEMBERS[member](data, place, settings)


def _base(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    family = open_family(model or EMBEDDED["tiny"])
    if family.text_encoder_2 is not None:
        raise UsageError(
            "base trains a UNet with its text encoder", "this model has two of them (SDXL)",
            "choose handrefiner, hand_generator or outpainter for it",
        )  # fmt: skip
    crops = _sound(data, family.resolution)
    controlnet = family.controlnet or general_controlnet(family.unet, pixels_per_latent(family.vae))
    return BaseRecipe(crops, replace(family, controlnet=controlnet), controlnet, PHOTOGRAPH_SHARE)


def _handrefiner(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    if model is None:
        raise UsageError(
            "the ControlNet is trained on a finished base", "", "give the base's folder with --model"
        )
    family = open_family(model)
    crops = _sound(data, family.resolution, scene=settings.control == "scene")
    renders = crops.where(crops.rendered)
    if not len(renders):
        raise UsageError(f"{data} holds no renders", "eq. 4 wants exact depth", "use `handwright synth`")
    scale = pixels_per_latent(family.vae)
    controlnet = family.controlnet or controlnet_from(family.unet, scale)
    if settings.fresh_embedding or family.traits.control != settings.control:
        controlnet = with_new_embedding(controlnet)
    return HandRefinerRecipe(renders, family, controlnet, settings.control)


def _hand_generator(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    place = model or EMBEDDED["tiny"]
    family = open_family(place)
    network = hand_generator_of(place, family, settings)
    crops = _sound(data, family.resolution, together=True)
    return HandGeneratorRecipe(crops, family, PHOTOGRAPH_SHARE, network, settings.mask_dropout)


def _outpainter(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    place = model or EMBEDDED["tiny"]
    family = open_family(place)
    network = outpainter_of(place, family, settings)
    return OutpainterRecipe(PeopleStream(data, family.resolution), family, network)


def _few_steps_outpainter(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    place = model or EMBEDDED["tiny"]
    if own_part(place, "outpainter") is None:
        raise UsageError(
            "there is no teacher",
            f"{place} has no outpainter/",
            "train one with `handwright train outpainter`",
        )
    flow_of_teacher(place, "few_steps_outpainter", FewStepsOutpainterParams().steps)
    if controlnet_traits(place / "outpainter").text_steps is not None:
        raise UsageError(
            f"{place} cannot teach few_steps_outpainter", "its outpainter needs few steps already",
            "give --model DIR with one of `handwright train outpainter`",
        )  # fmt: skip
    family = open_family(place)
    student, teacher = (outpainter_of(place, family, settings) for _ in range(2))
    people = PeopleStream(data, family.resolution)
    return FewStepsOutpainterRecipe(people, family, student, teacher, FewStepsOutpainterParams())


def _pose_concatenation(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    family = open_family(model or EMBEDDED["tiny"])
    channels = int(family.vae.config["latent_channels"])
    network = PoseConcatenation.begin(family.unet, channels, settings.new_weights or "zero")
    return PoseRecipe("pose_concatenation", PeopleStream(data, family.resolution), family, network)


def _pose_adapter(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    family = open_family(model or EMBEDDED["tiny"])
    network = begin_adapter(family.unet, pixels_per_latent(family.vae))
    return PoseRecipe("pose_adapter", PeopleStream(data, family.resolution), family, network)


def _handiffuser(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    place = model or EMBEDDED["tiny"]
    family = open_family(place)
    encoder = text_hand_encoder_of(place, family, settings)
    return HanDiffuserRecipe(HandPictureStream(data, family.resolution), family, encoder)


def _autoencoder(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    vae = (
        fresh_autoencoder(settings.latent_channels, settings.resolution)
        if model is None
        else load_vae(model / "vae", torch.float32)
    )
    if not isinstance(vae, AutoencoderKL):
        raise UsageError(f"{model} holds a {type(vae).__name__}", "", "give one with an AutoencoderKL")
    params = AutoencoderParams(
        discriminator_from=settings.discriminator_from, adversarial_from=settings.discriminator_from + 1000
    )
    return AutoencoderRecipe(
        vae.requires_grad_(True), PictureStream(data, settings.resolution, CODEC_MIX), params
    )


def _text_to_image(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    stream = LatentStream(data, None if model is None else model / "tokenizer")
    if model is None:
        cells = stream.resolution // pixels_per_latent(stream.vae)
        unet = fresh_base_unet(int(stream.vae.config["latent_channels"]), cells)
        text_encoder = fresh_text_encoder(stream.tokenizer, BASE_TEXT_WIDTH, BASE_TEXT_LAYERS)
    else:
        unet = load_network(UNet2DConditionModel, model / "unet", torch.float32)
        text_encoder = load_network(CLIPTextModel, model / "text_encoder", torch.float32)
    return TextToImageRecipe(unet, text_encoder, stream, TextToImageParams())


def _few_steps(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    del settings
    if model is None:
        raise UsageError("there is no teacher", "few_steps is taught by a finished base", "give --model DIR")
    config = flow_of_teacher(model, "few_steps", FewStepsParams().steps)
    stream = LatentStream(data, model / "tokenizer")
    teacher, student = (load_network(UNet2DConditionModel, model / "unet", torch.float32) for _ in range(2))
    text_encoder = load_network(CLIPTextModel, model / "text_encoder", torch.float32)
    return FewStepsRecipe(teacher, student, text_encoder, stream, config, FewStepsParams())


def _text_to_hand(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    stream = TextPoseStream(data)
    if model is not None:
        parts = open_text_to_hand(model)
        return TextToHandRecipe(
            parts.denoiser, parts.text_encoder, parts.tokenizer, stream, TextToHandParams()
        )
    rng = np.random.default_rng(settings.seed)
    tokenizer = learn_tokenizer(stream.texts(rng, _TOKENIZER_TEXTS), VOCABULARY, TEXT_LENGTH)
    text_encoder = fresh_text_encoder(tokenizer, TEXT_TO_HAND_WIDTH, TEXT_TO_HAND_TEXT_LAYERS)
    denoiser = TextToHandModel(text_width=TEXT_TO_HAND_WIDTH)
    return TextToHandRecipe(denoiser, text_encoder, tokenizer, stream, TextToHandParams())


def _text_pose_embedder(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    _starts_from_nothing("text_pose_embedder", model)
    stream = TextPoseStream(data)
    rng = np.random.default_rng(settings.seed)
    tokenizer = learn_tokenizer(stream.texts(rng, _TOKENIZER_TEXTS), VOCABULARY, TEXT_LENGTH)
    text_encoder = fresh_text_encoder(tokenizer, TEXT_TO_HAND_WIDTH, TEXT_TO_HAND_TEXT_LAYERS)
    encoder = PoseEncoder(text_width=TEXT_TO_HAND_WIDTH)
    return TextPoseEmbedderRecipe(encoder, text_encoder, tokenizer, stream)


def _clip(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    _starts_from_nothing("clip", model)
    crops = _crops(data, settings.resolution)
    wordings = (line for caption in crops.caption for line in str(caption).splitlines())
    tokenizer = learn_tokenizer([*wordings, NEGATIVE_PROMPT])
    clip = fresh_clip(tokenizer, settings.resolution)
    return ClipRecipe(
        clip.requires_grad_(True), tokenizer, CropStream(crops, settings.resolution, PHOTOGRAPH_SHARE)
    )


def _features(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    _starts_from_nothing("features", model)
    network = FeatureNetwork(FeatureConfig(size_px=settings.resolution))
    stream = CropStream(_crops(data, settings.resolution), settings.resolution, PHOTOGRAPH_SHARE)
    return FeatureRecipe(network, stream)


def _critic(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    network = fresh_critic(settings.resolution) if model is None else grown_critic(model, settings.resolution)
    stream = ViewStream(
        load_views(data), network.config.size_px, CRITIC_PHOTOGRAPH_SHARE, UNFORESEEN_SHARE, GENERATED_SHARE
    )
    return CriticRecipe(network, stream)


def _referee(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    network = fresh_referee() if model is None else load_critic(model / "critic", RefereeNetwork).train()
    stream = ViewStream(load_views(data), network.config.size_px, CRITIC_PHOTOGRAPH_SHARE)
    return CriticRecipe(network, stream)


def _proposals(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    if model is None:
        network = ProposalNetwork.from_imagenet(ProposalConfig("proposals-v2", settings.resolution))
    else:
        network = load_proposals(model / "proposals", settings.resolution).train()
    network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    pictures = load_pictures(data, _LARGEST_PICTURE * settings.resolution // 2)
    return ProposalRecipe(network, WindowStream(pictures, settings.resolution))


def _grasp(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    network = (
        fresh_grasp(HOLDS, settings.resolution) if model is None else load_grasp(model / "grasp").train()
    )
    return GraspRecipe(network, load_hold_crops(data), load_hold_crops(data, left_out=True))


def _finish(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    _starts_from_nothing("finish", model)
    params = FinishLossParams(
        discriminator_from=settings.discriminator_from, adversarial_from=settings.discriminator_from + 1000
    )
    return FinishRecipe(FinishNetwork(), load_pairs(data), params)


def _starts_from_nothing(member: str, model: Path | None) -> None:
    if model is not None:
        raise UsageError(f"{member} builds on no other member", "", "leave --model out")


def _sound(data: Path, resolution: int, *, scene: bool = False, together: bool = False) -> Crops:
    """The crops of hands without defects."""
    crops = _crops(data, resolution, scene=scene, together=together)
    return crops.where(~crops.defects.any(1))


def _crops(data: Path, resolution: int, *, scene: bool = False, together: bool = False) -> Crops:
    return load_crops(data, round(_MARGIN * resolution), scene=scene, together=together)


MEMBERS: dict[str, Callable[[Path, Path | None, TrainSettings], Recipe]] = {
    "autoencoder": _autoencoder, "text_to_image": _text_to_image, "few_steps": _few_steps,
    "text_to_hand": _text_to_hand, "text_pose_embedder": _text_pose_embedder,
    "base": _base, "handrefiner": _handrefiner, "hand_generator": _hand_generator,
    "outpainter": _outpainter, "few_steps_outpainter": _few_steps_outpainter,
    "pose_concatenation": _pose_concatenation, "pose_adapter": _pose_adapter,
    "handiffuser": _handiffuser,
    "clip": _clip, "features": _features, "critic": _critic, "referee": _referee, "proposals": _proposals,
    "finish": _finish, "grasp": _grasp,
}  # fmt: skip
"""What can be trained."""
