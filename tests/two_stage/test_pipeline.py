"""Both stages on small random models of SD 1.5's and SDXL's layouts: what must hold whatever they paint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline

from handwright.body import BodyParameters, mean_parameters, wholebody_of
from handwright.diffusion.latents import encode
from handwright.errors import DiffusionError, InvalidValueError, UsageError
from handwright.perception.body.body_pose import BodyPose
from handwright.two_stage.canvas import HALF, LANCZOS, compose, squared
from handwright.two_stage.diffusion_engine import DiffusionEngine
from handwright.two_stage.engine import PoseRequest, RepaintingEngine, StageOneHand, fit_hands
from handwright.two_stage.hand_crops import CROP_PER_BOX, HandCrop, hand_crops
from handwright.two_stage.hand_stage import hand_covers
from handwright.two_stage.mask_expansion import HandBlend, naive_mask
from handwright.two_stage.networks.hand_generator import HandGenerator
from handwright.two_stage.networks.load import load_hand_generator, load_outpainter
from handwright.two_stage.networks.outpainter import Outpainter
from handwright.two_stage.pipeline import TwoStagePipeline
from handwright.two_stage.pose_completion import complete_pose
from handwright.two_stage.settings import BLENDS, BlendName, TwoStageSettings
from tests.diffusion.families import write_sdxl
from tests.diffusion.models import small_controlnet, small_unet, write_sd
from tests.two_stage.poses import arrays, hands_mask, pose_of_array

WIDTH, HEIGHT = 480, 512
MIXED_PX, LANCZOS_PX = 2, 3
"""In a crop: as far inside an outline colours come from farther inside; as far a resized pixel reaches."""
LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "sd15": lambda folder: write_sd(folder, 4),
    "sd15-inpainting": lambda folder: write_sd(folder, 9),
    "sdxl": lambda folder: write_sdxl(folder, 4),
    "sdxl-inpainting": lambda folder: write_sdxl(folder, 9),
}


@pytest.fixture(scope="module", params=LAYOUTS)
def pipe(request: Any, tmp_path_factory: pytest.TempPathFactory) -> TwoStagePipeline:
    folder = LAYOUTS[request.param](tmp_path_factory.mktemp(request.param))
    hands = TwoStagePipeline.from_pretrained(folder, dtype="float32").hands
    torch.manual_seed(4)
    pose = small_controlnet(hands.pipe.unet, **_heads(hands.pipe.unet))
    where = folder.parent / "openpose"
    pose.save_pretrained(where)
    return TwoStagePipeline.from_pretrained(folder, pose_controlnet=where, dtype="float32")


def _heads(unet: Any) -> dict[str, Any]:
    names = ("addition_embed_type", "addition_time_embed_dim", "projection_class_embeddings_input_dim",
             "transformer_layers_per_block")  # fmt: skip
    return {name: unet.config[name] for name in names if unet.config.get("addition_embed_type")}


@pytest.fixture
def own_tones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hands keep stage I's tone at wrists: what a random network paints there may look like bare skin."""
    monkeypatch.setattr("handwright.two_stage.body_stage.in_skin_tones", lambda canvas, *_: canvas)


@cache
def pose() -> Any:
    """The left hand large in the picture."""
    points = arrays()
    points[points[:, 2] > 0, :2] += [-368, -130]
    points[:, :2] *= 2.4
    points[points[:, 2] > 0, :2] += [240, 230]
    return pose_of_array(points)


@cache
def two_hands() -> Any:
    return pose_of_array(arrays(("left", "right")))


def _run(pipe: TwoStagePipeline, **given: Any) -> Any:
    return pipe("a waving woman", pose(), WIDTH, HEIGHT, num_inference_steps=4, **given)


def _rim(made: Any) -> np.ndarray:
    """As far as an outline is soft: a pixel of the crops, at the picture's scale."""
    scale = max((hand.window[2] - hand.window[0]) / len(hand.pixels) for hand in made.hands)
    return np.ones((2 * int(np.ceil(scale)) + 3,) * 2, np.uint8)


def _covered(made: Any) -> np.ndarray:
    """Where the pasted hands cover fully: their mask but for its rim and the wrist."""
    return made.alpha == 1


def _grown(mask: np.ndarray) -> np.ndarray:
    """A mask with the pixels beside it, which a hand covers by less than half."""
    return cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0


@pytest.mark.usefixtures("own_tones")
def test_hands_of_the_canvas_are_in_the_picture_pixel_for_pixel(pipe: TwoStagePipeline) -> None:
    made = _run(pipe)
    assert made.image.shape == (HEIGHT, WIDTH, 3)
    assert _covered(made).sum() > 0.4 * made.mask.sum()
    assert np.array_equal(made.image[_covered(made)], made.canvas[_covered(made)])
    far = cv2.dilate(made.mask.astype(np.uint8), _rim(made), iterations=2) == 0
    assert (made.canvas[far] == 127).all()
    assert [hand.sides for hand in made.hands] == [("left",)]
    assert all(hand.pixels.shape == (64, 64, 3) for hand in made.hands)


@pytest.mark.usefixtures("own_tones")
@pytest.mark.parametrize("blend", BLENDS)
def test_inside_the_eroded_mask_stage_one_s_pixels_are_the_picture_s(
    pipe: TwoStagePipeline, blend: BlendName
) -> None:
    """However wide the mask of a step was; along outlines and at wrists they are others by intent."""
    made = _run(pipe, blend=blend)
    (hand,) = made.hands
    x0, y0, x1, y1 = hand.window
    scale = (x1 - x0) / len(hand.pixels)
    painted = np.zeros_like(made.image)
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, WIDTH), min(y1, HEIGHT)
    painted[top:bottom, left:right] = _sized(hand.pixels, x1 - x0)[
        top - y0 : bottom - y0, left - x0 : right - x0
    ]
    reach = int(np.ceil((MIXED_PX + LANCZOS_PX + 1) * scale))
    eroded = cv2.erode(made.mask.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
    kept = eroded & _covered(made)
    assert kept.sum() > 0.5 * eroded.sum() > 100
    assert np.array_equal(made.image[kept], painted[kept])
    assert not np.array_equal(made.image[~made.mask], painted[~made.mask])


def test_the_same_seed_makes_the_same_picture_and_another_another(pipe: TwoStagePipeline) -> None:
    first = _run(pipe).image
    assert np.array_equal(first, _run(pipe).image)
    assert not np.array_equal(first, _run(pipe, seed=1).image)
    assert not np.array_equal(first, _run(pipe, blend="box").image)


def test_both_stages_share_their_networks(pipe: TwoStagePipeline) -> None:
    for name in ("unet", "vae", "text_encoder"):
        assert getattr(pipe.body.pipe, name) is getattr(pipe.hands.pipe, name)
    assert pipe.body.pipe.controlnet is not pipe.hands.pipe.controlnet


def test_taken_literally_the_canvas_stands_in_the_masked_steps_alone(pipe: TwoStagePipeline) -> None:
    completed = complete_pose(pose(), WIDTH, HEIGHT)
    mask = hands_mask(completed, WIDTH, HEIGHT)
    canvas = np.where(mask[..., None], np.uint8(200), np.uint8(127)) + np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    held: list[HandBlend] = []
    seen: list[torch.Tensor] = []

    def record(_pipe: Any, _step: int, _at: Any, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        seen.append(tensors["latents"].clone())
        return {}

    made = HandBlend.from_pipe

    def kept(*given: Any, **further: Any) -> HandBlend:
        held.append(made(*given, **further))
        return held[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HandBlend, "from_pipe", kept)
        pipe.outpaint(
            "a woman", canvas, mask, completed.pose, torch.Generator().manual_seed(3), blend="naive",
            again_level=0.0, literal=True, num_inference_steps=6, callback_on_step_end=record,
        )  # fmt: skip
    (blend,) = held
    inside = blend.mask.bool().expand_as(blend.canvas)
    assert inside.any()
    equal = [bool((latents[inside] == blend.canvas[inside]).all()) for latents in seen]
    assert equal == [True, True, True, True, False, False]
    for latents in seen:  # The known region outside the hand is nobody's: nothing else blends
        assert not torch.isclose(latents[~inside], blend.canvas[~inside]).all()


def test_the_network_is_told_the_exact_mask_and_the_skeleton(pipe: TwoStagePipeline) -> None:
    controls: list[torch.Tensor] = []
    inputs: list[torch.Tensor] = []
    hooks = [
        pipe.body.pipe.controlnet.register_forward_pre_hook(
            lambda _net, _args, given: controls.append(given["controlnet_cond"]), with_kwargs=True
        ),
        pipe.body.pipe.unet.register_forward_pre_hook(lambda _net, args: inputs.append(args[0])),
    ]
    try:
        made = _run(pipe, again_level=0.0)
    finally:
        for hook in hooks:
            hook.remove()
    assert float(controls[-1].max()) > 0.9
    assert len({float(control.sum()) for control in controls}) == 1
    if inputs[-1].shape[1] == 9:
        masks = [tensor[:, 4:5] for tensor in inputs if tensor.shape[0] == inputs[-1].shape[0]][-4:]
        assert all(torch.equal(mask, masks[0]) for mask in masks)
        assert 0 < 1 - float(masks[0].mean()) < 3 * made.mask.mean() + 0.1


def test_it_sets_out_from_a_picture(pipe: TwoStagePipeline) -> None:
    start = np.full((HEIGHT, WIDTH, 3), (200, 40, 40), np.uint8)
    near = _run(pipe, start_image=start, strength=0.25).image
    assert not np.array_equal(near, _run(pipe).image)
    assert np.array_equal(_run(pipe, start_image=start, strength=1.0).image, _run(pipe).image)


def test_a_pose_that_cannot_be_completed_is_refused_before_any_network_runs(pipe: TwoStagePipeline) -> None:
    with pytest.raises(InvalidValueError, match="the pose has no hand"):
        pipe("a woman", pose_of_array(arrays(())), WIDTH, HEIGHT)


@pytest.mark.usefixtures("own_tones")
def test_a_base_without_a_controlnet_goes_with_a_hand_generator_alone(tmp_path: Path) -> None:
    bare = write_sd(tmp_path / "bare", 4, controlnet=False)
    with pytest.raises(DiffusionError, match="comes without a ControlNet"):
        TwoStagePipeline.from_pretrained(bare, dtype="float32")
    torch.manual_seed(9)
    unet = UNet2DConditionModel.from_pretrained(bare / "unet")
    HandGenerator.from_unet(unet).save_pretrained(tmp_path / "one")
    Outpainter.begin(unet, 8, new_weights="random").save_pretrained(tmp_path / "two")
    pipe = TwoStagePipeline.from_pretrained(
        bare, hand_generator=tmp_path / "one", outpainter=tmp_path / "two", dtype="float32"
    )
    made = _run(pipe, second_pass=True)
    assert np.array_equal(made.image[_covered(made)], made.canvas[_covered(made)])
    assert pipe.hands.traits.control == "none"
    control = pipe.hands.pipe.controlnet
    down, mid = control(
        torch.randn(1, 4, 8, 8), 9, torch.randn(1, 7, 32), torch.randn(1, 3, 64, 64), return_dict=False
    )
    assert not any(part.any() for part in (*down, mid))


@pytest.mark.usefixtures("own_tones")
def test_without_a_pose_controlnet_text_and_canvas_alone_count(tmp_path: Path) -> None:
    pipe = TwoStagePipeline.from_pretrained(write_sd(tmp_path / "model", 9), device="cpu")
    assert not pipe.pose_controlled
    assert pipe.body is pipe.hands
    given = pose_of_array(arrays())
    made = pipe("a woman", given, 512, 512, num_inference_steps=3)
    covered = _covered(made)
    assert covered.sum() > 0.4 * made.mask.sum()
    assert np.array_equal(made.image[covered], made.canvas[covered])


def test_the_embedded_family_paints_people_around_hands_with_its_own_outpainter() -> None:
    pipe = TwoStagePipeline.from_pretrained("tiny", device="cpu")
    assert pipe.pose_controlled
    assert isinstance(pipe.body.pipe.controlnet, Outpainter)
    given = pose_of_array(arrays())
    made = pipe("a woman", given, 512, 512, num_inference_steps=3, again_level=0)
    covered = _covered(made)
    assert covered.sum() > 0.4 * made.mask.sum()
    assert np.array_equal(made.image[covered], made.canvas[covered])


def test_a_controlnet_of_another_family_is_refused(tmp_path: Path) -> None:
    write_sd(tmp_path / "model", 4)
    small_controlnet(small_unet(4, cross_attention_dim=48), cross_attention_dim=48).save_pretrained(
        tmp_path / "other"
    )
    with pytest.raises(DiffusionError):
        TwoStagePipeline.from_pretrained(tmp_path / "model", pose_controlnet=tmp_path / "other")


def test_a_crop_is_a_square_of_one_hand_or_of_two_that_meet() -> None:
    fits = fit_hands(complete_pose(two_hands(), WIDTH, HEIGHT), WIDTH, HEIGHT)
    left, right = hand_crops(fits, 64)
    for crop, side in ((left, "left"), (right, "right")):
        points = fits[side].landmarks_px  # pyright: ignore[reportArgumentType]
        x0, y0, x1, y1 = crop.window
        assert x1 - x0 == y1 - y0 == int(np.ceil(CROP_PER_BOX * np.ptp(points, axis=0).max()))
        assert (points > [x0, y0]).all()
        assert (points < [x1, y1]).all()
        scaled = (points - [x0, y0]) * 64 / (x1 - x0)
        inside = np.argwhere(crop.depth > 0)[:, ::-1]
        assert np.abs(inside.mean(0) - scaled.mean(0)).max() < 8
    near = arrays(("left", "right"))
    near[[8, 10, *range(112, 133)], :2] += np.array([140.0, -200.0])
    (both,) = hand_crops(fit_hands(complete_pose(pose_of_array(near), WIDTH, HEIGHT), WIDTH, HEIGHT), 64)
    assert both.sides == ("left", "right")


def test_the_blend_holds_tokens_as_it_holds_latents() -> None:
    latents = torch.randn(1, 4, 8, 8)
    canvas, mask = torch.randn(1, 4, 8, 8), torch.zeros(1, 1, 8, 8)
    mask[..., 2:5, 3:6] = 1

    class Pipeline:
        num_timesteps = 5
        _pack_latents = staticmethod(FluxPipeline._pack_latents)  # pyright: ignore[reportPrivateUsage]

    def pack(value: torch.Tensor) -> torch.Tensor:
        return FluxPipeline._pack_latents(value, 1, 4, 8, 8)  # pyright: ignore[reportPrivateUsage]

    plain = HandBlend(canvas, mask, naive_mask, literal=True)(Pipeline(), 0, 0.0, {"latents": latents})
    tokens = HandBlend(pack(canvas), mask, naive_mask, literal=True)(
        Pipeline(), 0, 0.0, {"latents": pack(latents)}
    )
    assert torch.equal(tokens["latents"], pack(plain["latents"]))


def test_half_of_a_latents_pixels_make_it_the_hands(pipe: TwoStagePipeline) -> None:
    hand = np.zeros((64, 64), np.uint8)
    hand[8:16, 8:12], hand[24:32, 24:27] = 255, 255
    blend = HandBlend.from_pipe(pipe.body.pipe, _pil(np.zeros((64, 64, 3), np.uint8)), _pil(hand))
    assert torch.nonzero(blend.mask[0, 0]).tolist() == [[1, 1]]
    wanted = encode(pipe.body.pipe.vae, torch.full((1, 3, 64, 64), -1.0))
    torch.testing.assert_close(blend.canvas, wanted, atol=1e-3, rtol=0)


def _pil(pixels: np.ndarray) -> Any:
    from PIL import Image as PILImage

    return PILImage.fromarray(pixels)


@pytest.fixture(scope="module")
def generated(pipe: TwoStagePipeline, tmp_path_factory: pytest.TempPathFactory) -> TwoStagePipeline:
    """The same with a hand generator begun from its base."""
    torch.manual_seed(6)
    network = HandGenerator.from_unet(pipe.hands.pipe.unet)
    folder = tmp_path_factory.mktemp("hand_generator")
    network.save_pretrained(folder)
    return TwoStagePipeline(
        pipe.hands, pipe.body, hand_generator=load_hand_generator(folder, pipe.hands.pipe)
    )


@pytest.mark.usefixtures("own_tones")
def test_a_hand_generator_paints_stage_one_and_its_mask_cuts_the_hand_out(
    pipe: TwoStagePipeline, generated: TwoStagePipeline
) -> None:
    own = pipe.hands.pipe.unet
    made, again, plain = _run(generated), _run(generated), _run(pipe)
    assert np.array_equal(made.image, again.image)
    assert not np.array_equal(made.hands[0].pixels, plain.hands[0].pixels)
    assert pipe.hands.pipe.unet is own
    (hand,) = made.hands
    assert hand.mask is not None
    assert hand.mask.shape == hand.pixels.shape[:2]
    assert plain.hands[0].mask is None
    if hand.mask.any():
        _, cover = compose(made.hands, [hand.mask.astype(np.float64)], WIDTH, HEIGHT)
        assert np.array_equal(made.mask, cover > HALF)
    assert np.array_equal(made.image[_covered(made)], made.canvas[_covered(made)])


def test_stage_one_reads_the_fitted_hands_fingers() -> None:
    (crop,) = hand_crops(fit_hands(complete_pose(pose(), WIDTH, HEIGHT), WIDTH, HEIGHT), 128)
    maps = crop.finger_heatmaps
    assert maps.shape == (10, 128, 128)
    assert maps[:5].reshape(5, -1).max(1).min() > 0.9
    assert not maps[5:].any()


def test_a_crop_is_covered_by_parts_along_its_hands_outline() -> None:
    (crop,) = hand_crops(fit_hands(complete_pose(pose(), WIDTH, HEIGHT), WIDTH, HEIGHT), 64)
    cover, whole = crop.cover, crop.depth > 0
    assert cover.shape == (64, 64)
    assert cover.sum() == pytest.approx(whole.sum(), rel=0.03)
    rim = (cover > 0) & (cover < 1)
    inner = cv2.erode(whole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert (cover[inner] == 1).all()
    assert not cover[~_grown(whole)].any()
    assert rim.sum() > 0.5 * (whole & ~inner).sum()


def test_a_predicted_mask_lies_where_its_crop_lies() -> None:
    mask = np.zeros((64, 64), np.bool_)
    mask[:, 32:] = True
    hand = StageOneHand(("left",), (-32, 10, 96, 138), np.zeros((64, 64, 3), np.uint8), mask)
    crop: Any = SimpleNamespace(cover=np.ones((64, 64)))
    _, cover = compose([hand], hand_covers([hand], [crop]), 80, 100)
    rows, columns = np.nonzero(cover > HALF)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (32, 79, 10, 99)
    assert ((cover == 0) | (cover == 1) | (np.abs(np.arange(80) - 31.5) < 2)).all()
    empty = StageOneHand(("left",), (0, 0, 64, 64), hand.pixels, np.zeros_like(mask))
    assert [one.mean() for one in hand_covers([hand, empty], [crop, crop])] == [1.0, 1.0]


def test_a_hand_generator_of_another_base_is_refused(pipe: TwoStagePipeline, tmp_path: Path) -> None:
    other = {4: 9, 9: 4}[pipe.hands.pipe.unet.config["in_channels"]]
    HandGenerator.from_unet(small_unet(other)).save_pretrained(tmp_path)
    with pytest.raises(DiffusionError, match=f"reads {other} channels"):
        load_hand_generator(tmp_path, pipe.hands.pipe)


@pytest.fixture(scope="module")
def outpainted(pipe: TwoStagePipeline, tmp_path_factory: pytest.TempPathFactory) -> TwoStagePipeline:
    """The same with an outpainter begun from its OpenPose ControlNet."""
    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("outpainter")
    Outpainter.from_controlnet(pipe.body.pipe.controlnet, "random").save_pretrained(folder)
    return TwoStagePipeline.from_pipe(pipe.hands, load_outpainter(folder, pipe.hands.pipe))


@pytest.mark.usefixtures("own_tones")
def test_an_outpainter_paints_stage_two_and_reads_the_exact_mask(
    pipe: TwoStagePipeline, outpainted: TwoStagePipeline
) -> None:
    controls: list[torch.Tensor] = []
    hook = outpainted.body.pipe.controlnet.register_forward_pre_hook(
        lambda _net, _args, given: controls.append(given["controlnet_cond"]), with_kwargs=True
    )
    try:
        made = _run(outpainted)
    finally:
        hook.remove()
    plain = _run(pipe)
    assert outpainted.pose_controlled
    assert np.array_equal(made.canvas, plain.canvas)
    assert not np.array_equal(made.image, plain.image)
    assert np.array_equal(made.image[_covered(made)], made.canvas[_covered(made)])
    assert len(controls) >= 4
    sides = [read.shape[-1] for read in controls]
    assert (sides[0], sides[-1], len(set(sides))) == (64, 128, 2)  # Painted once more at twice the size
    for read, side in zip(controls, sides, strict=True):
        inside = np.asarray(squared(made.mask.astype(np.uint8) * 255, HEIGHT, side)) > 127
        assert read.shape[1:] == (4, side, side)
        assert np.array_equal(read[-1, 3].bool().numpy(), inside)
        assert float(read[:, :3].max()) > 0.5


def test_stage_two_has_one_controlnet(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give one of them"):
        TwoStagePipeline.from_pretrained("tiny", pose_controlnet=tmp_path, outpainter=tmp_path)
    with pytest.raises(UsageError, match="choose the engine diffuse"):
        TwoStageSettings(outpainter="run/model/outpainter")


def test_an_outpainter_of_another_family_is_refused(pipe: TwoStagePipeline) -> None:
    other = small_unet(4, cross_attention_dim=48)
    network = Outpainter.begin(other, 8)
    with pytest.raises(DiffusionError, match="does not fit"):
        TwoStagePipeline.from_pipe(pipe.hands, network)


@pytest.mark.parametrize("literal", [False, True])
def test_shared_latents_are_stage_ones_and_the_hands_pixels_stay(
    pipe: TwoStagePipeline, literal: bool
) -> None:
    held: list[HandBlend] = []
    made_by = HandBlend.from_pipe

    def kept(*given: Any, **further: Any) -> HandBlend:
        held.append(made_by(*given, **further))
        return held[-1]

    def encoded(*_: Any) -> None:
        raise AssertionError("the canvas is encoded")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HandBlend, "from_pipe", kept)
        patch.setattr("handwright.two_stage.mask_expansion.encode", encoded)
        made = _run(pipe, shared_latents=True, literal=literal, again_level=0.0)
    (blend,), (hand,) = held, made.hands
    assert hand.latents is not None
    assert hand.pixels.shape[0] == 8 * hand.latents.shape[-1]
    inside = blend.mask.bool().expand_as(blend.canvas)
    assert inside.any()
    x0, y0, x1, _ = hand.window
    cells = round((x1 - x0) / (max(WIDTH, HEIGHT) / 8))
    assert cells == hand.latents.shape[-1]
    x, y = round(x0 / 64), round(y0 / 64)
    wanted = torch.zeros_like(blend.canvas)
    wanted[..., y : y + cells, x : x + cells] = hand.latents
    assert torch.equal(blend.canvas[inside], wanted[inside])
    inner = _covered(made) & (cv2.erode(made.mask.astype(np.uint8), _rim(made)) > 0)
    assert inner.sum() > 0.3 * made.mask.sum()
    assert np.array_equal(made.image[inner], made.canvas[inner])
    own = _sized(hand.pixels, x1 - x0)[: HEIGHT - y0, : WIDTH - x0]
    placed = np.full_like(made.canvas, 127)
    placed[y0 : y0 + len(own), x0 : x0 + own.shape[1]] = own
    deep = cv2.erode(made.mask.astype(np.uint8), _rim(made), iterations=3) > 0
    assert deep.any()  # So far inside that hardly any colour is brought from beyond the outline
    assert np.abs(made.canvas[deep].astype(float) - placed[deep]).mean() < 2


def _sized(pixels: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(_pil(pixels).resize((side, side), LANCZOS))


def test_small_hands_are_painted_once_more_and_nothing_beyond_them(pipe: TwoStagePipeline) -> None:
    points = arrays()
    points[:, :2] *= 0.55
    small = pose_of_array(points)
    made = pipe("a waving woman", small, 300, 300, num_inference_steps=4, second_pass=True)
    assert made.repainted == ("left",)
    changed = (made.image != made.first).any(2)
    assert changed.any()
    (crop,) = hand_crops(fit_hands(complete_pose(small, 300, 300), 300, 300), 64)
    x0, y0, x1, y1 = crop.window
    outside = np.ones((300, 300), bool)
    outside[y0:y1, x0:x1] = False
    assert not changed[outside].any()
    assert changed.sum() < 0.7 * (x1 - x0) ** 2
    large = _run(pipe, second_pass=True)
    assert large.repainted == ()
    assert large.first is large.image


def test_stage_one_reads_the_depth_of_a_known_person_s_hands(
    pipe: TwoStagePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hands are those of the body: points alone would leave open which fingers come forward."""
    side = 192
    body = mean_parameters(side)
    points = BodyPose(wholebody_of(body), np.ones(133))
    request = PoseRequest(
        complete_pose(points, side, side), side, side,
        TwoStageSettings(prompt="a woman", engine="diffuse", steps=4), 7, body,
    )  # fmt: skip
    fitted: list[BodyParameters | None] = []

    def noted(completed: Any, width: int, height: int, person: BodyParameters | None, **further: Any) -> Any:
        fitted.append(person)
        return fit_hands(completed, width, height, person, **further)

    monkeypatch.setattr("handwright.two_stage.pipeline.fit_hands", noted)
    known = DiffusionEngine(pipe).make(request).pixels
    flat = DiffusionEngine(pipe).make(replace(request, body=None)).pixels
    assert fitted == [body, None]
    assert not np.array_equal(known, flat)


def test_hands_that_fail_are_painted_once_more_and_no_others(pipe: TwoStagePipeline) -> None:
    completed = complete_pose(two_hands(), WIDTH, HEIGHT)
    settings = TwoStageSettings(prompt="a woman", engine="diffuse", steps=4)
    request = PoseRequest(completed, WIDTH, HEIGHT, settings, 7)
    before = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    left, right = hand_crops(fit_hands(completed, WIDTH, HEIGHT), 64)
    engine = DiffusionEngine(pipe)
    assert isinstance(engine, RepaintingEngine)
    x0, y0, x1, y1 = right.window
    after, sides = engine.repaint(request, before, [(x0 + 9.0, y0 + 9.0, x1 - 9.0, y1 - 9.0)])
    changed = (after != before).any(2)
    assert sides == ("right",)
    assert changed[y0:y1, x0:x1].any()
    changed[y0:y1, x0:x1] = False
    assert not changed.any()
    again, _ = engine.repaint(replace(request, seed=8), before, [right.window])
    assert not np.array_equal(again, after)
    nothing, none = engine.repaint(
        request, before, [(left.window[0] - 90.0, 0.0, left.window[0] - 80.0, 9.0)]
    )
    assert (none, nothing is before) == ((), True)


def test_the_steps_of_stage_two_are_kept_on_request(pipe: TwoStagePipeline) -> None:
    completed = complete_pose(two_hands(), WIDTH, HEIGHT)
    settings = TwoStageSettings(prompt="a woman", engine="diffuse", steps=2)
    request = PoseRequest(completed, WIDTH, HEIGHT, settings, 7)
    plain = DiffusionEngine(pipe).make(request)
    kept = DiffusionEngine(pipe).make(replace(request, settings=replace(settings, keep_steps=True)))
    assert plain.strip is None
    assert kept.strip is not None
    assert kept.strip.shape in {(192, tiles * 192, 3) for tiles in (2, 3)}  # PNDM takes its second step twice
    assert np.array_equal(plain.pixels, kept.pixels)


def test_both_hands_are_painted_from_the_same_noise(pipe: TwoStagePipeline) -> None:
    """Otherwise a person has two tones of skin: docs/research/two-stage.md."""
    begun = pipe.make_hands(
        "a woman", complete_pose(two_hands(), WIDTH, HEIGHT), WIDTH, HEIGHT, seed=3, num_inference_steps=1
    )
    assert len(begun.hands) == 2
    seeds: list[int] = []

    def painted(_prompt: str, crop: HandCrop, generator: torch.Generator, **_: Any) -> StageOneHand:
        seeds.append(generator.initial_seed())
        return begun.hands[0] if crop.sides == begun.hands[0].sides else begun.hands[1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipe, "generate_hand", painted)
        pipe.make_hands("a woman", complete_pose(two_hands(), WIDTH, HEIGHT), WIDTH, HEIGHT, seed=3)
        pipe.make_hands("a woman", complete_pose(two_hands(), WIDTH, HEIGHT), WIDTH, HEIGHT, seed=4)
    assert seeds[0] == seeds[1] != seeds[2] == seeds[3]


def test_a_hand_is_cut_out_of_its_own_crop_where_windows_overlap() -> None:
    red, blue = (np.zeros((40, 40, 3), np.uint8) + np.array(c, np.uint8) for c in ((255, 0, 0), (0, 0, 255)))
    one, other = (np.zeros((60, 60), np.bool_) for _ in range(2))
    one[10:20, 10:20], other[30:40, 30:40] = True, True
    hands = [StageOneHand(("left",), (0, 0, 40, 40), red), StageOneHand(("right",), (8, 8, 48, 48), blue)]
    covers = [one[:40, :40].astype(np.float64), other[8:48, 8:48].astype(np.float64)]
    picture, cover = compose(hands, covers, 60, 60)
    mask = cover > HALF
    assert (picture[one] == (255, 0, 0)).all()
    assert (picture[other] == (0, 0, 255)).all()
    assert np.array_equal(mask, one | other)
    assert (picture[~mask] == 127).all()
