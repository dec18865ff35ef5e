"""A mesh fitter in the manner of HaMeR (Pavlakos et al., CVPR 2024), read with your own MANO file.

    export MANO_RIGHT=MANO_RIGHT.npz
    handwright refine photo.png -o refined.png --fitter plug_ins.mano_fitter:HamerFitter

The network gives MANO's parameters of a right hand and a weak-perspective camera of its crop. ``v_template``,
``shapedirs`` and ``J_regressor`` of the MANO file, which its licence gives to you alone, tell where the wrist
is that the hand turns about, and which proportions ``betas`` stand for.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from handwright.hand.anatomy import FINGER_BONES, FINGERS, SHAPE_NAMES
from handwright.hand.files.mano import ManoParameters, from_mano
from handwright.hand.kinematics import mirror_hand_x
from handwright.hand.rig import load_rig, matrix_axis_angle
from handwright.types import Camera, Hand, HandObservation

TIPS = (744, 320, 443, 554, 671)
"""Vertices of MANO's right hand at the fingertips, thumb to pinky."""

CROP_PX = 256
PADDING = 2.0  # Side of the network's crop, in boxes of the hand


@dataclass(frozen=True)
class ManoFile:
    """What of ``MANO_RIGHT`` says where its joints are."""

    v_template: np.ndarray  # [778, 3] metres
    shapedirs: np.ndarray  # [778, 3, 10] metres per unit of beta
    J_regressor: np.ndarray  # [16, 778]

    @classmethod
    def load(cls, path: Path) -> "ManoFile":
        """Read an npz with the arrays of MANO's pickle under their own names; nothing is unpickled."""
        with np.load(path, allow_pickle=False) as file:
            return cls(
                *(np.asarray(file[name], float) for name in ("v_template", "shapedirs", "J_regressor"))
            )

    def joints_and_tips(self, betas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Joints [16, 3] and fingertips [5, 3] of the flat hand."""
        vertices = self.v_template + self.shapedirs[..., :10] @ betas
        return self.J_regressor @ vertices, vertices[list(TIPS)]

    def shape(self, betas: np.ndarray) -> np.ndarray:
        """The proportions of ``betas`` as our shape numbers: size of the palm, length of each finger."""
        shape = np.zeros(len(SHAPE_NAMES))
        palm, fingers = self._lengths(betas)
        mean_palm, mean_fingers = self._lengths(np.zeros(10))
        joints = load_rig().joints_m
        shape[0] = np.log(palm / np.linalg.norm(joints[FINGER_BONES[2][0]] - joints[0]))
        for name, length, mean in zip(FINGERS, fingers / palm, mean_fingers / mean_palm, strict=True):
            shape[SHAPE_NAMES.index(f"{name}_length")] = np.log(length / mean)
        return shape

    def _lengths(self, betas: np.ndarray) -> tuple[float, np.ndarray]:
        """From the wrist to the middle knuckle, and of each finger, thumb to pinky; metres."""
        joints, tips = self.joints_and_tips(betas)
        chains = [
            np.vstack([joints[list(bones)], tip]) for bones, tip in zip(FINGER_BONES, tips, strict=True)
        ]
        fingers = [np.linalg.norm(np.diff(chain, axis=0), axis=1).sum() for chain in chains]
        return float(np.linalg.norm(joints[FINGER_BONES[2][0]] - joints[0])), np.array(fingers)


@dataclass(frozen=True)
class Predicted:
    """What the network gives of one crop of a right hand."""

    global_orient: np.ndarray  # [3, 3]
    hand_pose: np.ndarray  # [15, 3, 3] each joint relative to its parent, about the flat hand
    betas: np.ndarray  # [10]
    camera: np.ndarray  # [3] s, tx, ty


class HamerFitter:
    """HaMeR as a fitter; ``predict`` is all that knows of it, so another network needs no more than that."""

    version = "1"

    def __init__(self) -> None:
        self.mano = ManoFile.load(Path(os.environ["MANO_RIGHT"]))
        self._model = None

    def fit(self, pixels: np.ndarray, observation: HandObservation, camera: Camera) -> Hand:
        """The hand of the network's parameters; a left hand is mirrored for it, and back."""
        width = pixels.shape[1]
        x0, y0, x1, y1 = observation.bbox_xyxy_px
        if observation.side == "left":
            pixels, x0, x1 = np.ascontiguousarray(pixels[:, ::-1]), width - x1, width - x0
        middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        side = PADDING * max(4 / 3 * (x1 - x0), y1 - y0)
        found = self.predict(cropped(pixels, middle, side))
        parameters = ManoParameters(
            global_orient=matrix_axis_angle(found.global_orient),
            hand_pose=matrix_axis_angle(found.hand_pose),
            betas=found.betas,
            transl=full_translation(found.camera, middle, side, camera),
            side="right",
            palm_arch=np.zeros(2),
        )
        wrist = self.mano.joints_and_tips(found.betas)[0][0]
        hand = from_mano(parameters, camera, shape=self.mano.shape(found.betas), wrist_rest_m=wrist)
        return mirror_hand_x(hand, width) if observation.side == "left" else hand

    def predict(self, crop: np.ndarray) -> Predicted:
        """HaMeR's output for an sRGB crop [256, 256, 3] of a right hand."""
        import torch

        if self._model is None:
            from hamer.models import DEFAULT_CHECKPOINT, load_hamer  # pyright: ignore[reportMissingImports]

            self._model = load_hamer(DEFAULT_CHECKPOINT)[0].eval()
        mean, sd = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
        batch = torch.from_numpy(((crop / 255 - mean) / sd).transpose(2, 0, 1)[None]).float()
        with torch.no_grad():
            out = self._model({"img": batch})
        mano = {name: value[0].cpu().double().numpy() for name, value in out["pred_mano_params"].items()}
        camera = out["pred_cam"][0].cpu().double().numpy()
        return Predicted(mano["global_orient"][0], mano["hand_pose"], mano["betas"], camera)


def cropped(pixels: np.ndarray, middle: np.ndarray, side: float) -> np.ndarray:
    """The square around a hand at the network's resolution, black beyond the picture."""
    scale = CROP_PX / side
    shift = CROP_PX / 2 - scale * middle + 0.5 * (scale - 1)  # OpenCV has pixel centres at whole numbers
    matrix = np.column_stack([scale * np.eye(2), shift])
    return cv2.warpAffine(pixels, matrix, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR)


def full_translation(weak: np.ndarray, middle: np.ndarray, side: float, camera: Camera) -> np.ndarray:
    """Translation [3] in metres before the picture's camera, of a crop's weak-perspective one."""
    scale, tx, ty = weak
    depth = 2 * camera.focal_px / (side * scale)
    x, y = (middle - np.array(camera.center_px)) * depth / camera.focal_px
    return np.array([tx + x, ty + y, depth])
