"""MediaPipe as it is used here: sides, places, depth, silence, closing."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from handwright.errors import MissingModelError
from handwright.perception.detect.confirm import confirm_by_crops
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_hands
from handwright.perception.detect.views import DetectionOptions, View, around, landmark_distance, whole
from handwright.perception.models.wheel import HAND_MEMBERS, zip_task

NORMAL = DetectionOptions(4, 0.5, 0.5)

# People who face the camera with one hand raised; whose arm it is was checked by eye. The prints on the
# shirts of the first two read the right way round, so those are not mirrored.
RAISED = {
    "none_0a0ef3d2-2560-4a93-904d-437189fffbf2.jpg": "right",
    "none_0a71a6e8-bb06-4ed0-a60b-c2a602fce261.jpg": "left",
    "four_06aa70cc-a12a-4b1e-85cf-e54d44c19a3a.jpg": "left",
    "four_0c960166-75b0-4c1b-a3cc-2ddbd5a21703.jpg": "right",
    "four_249c5023-6106-447a-84ac-17eb4713731b.jpg": "left",
    "rock_09a619ab-cdf7-4a66-911f-347113f050f1.jpg": "right",
    "rock_15cb4e8b-ba1d-46f1-8456-247016a599a4.jpg": "right",
    "rock_1bed937b-7ae4-4070-891c-daf69415da41.jpg": "left",
}


@pytest.fixture(scope="module")
def landmarker():
    with HandLandmarker() as scripted:
        yield scripted


@pytest.fixture(scope="module")
def two_hands(photos):
    """Two open hands of one photograph, and what is seen of them through a square view."""
    path = next((photos / "tfjs_models_testdata" / "images").glob("*hands*"))
    return np.asarray(Image.open(path).convert("RGB"))


def detect(pixels, landmarker, view):
    return sorted(view.detect(pixels, landmarker, NORMAL, "picture"), key=lambda hand: hand.bbox_xyxy_px)


def test_a_file_that_is_no_model_is_one_line(tmp_path):
    broken = tmp_path / "broken.task"
    broken.write_bytes(zip_task(dict.fromkeys(HAND_MEMBERS, b"no network")))
    blank = np.zeros((64, 64, 3), np.uint8)
    with HandLandmarker(broken) as scripted:
        with pytest.raises(MissingModelError, match="does not load"):
            scripted.detect(blank)
        with pytest.raises(MissingModelError, match="does not load"):
            scripted.landmarks_in_crop(np.zeros((224, 224, 3), np.uint8))


@pytest.mark.models
def test_nothing_is_seen_in_nothing(landmarker):
    assert landmarker.detect(np.zeros((128, 128, 3), np.uint8)) == []
    assert landmarker.landmarks_in_crop(np.zeros((224, 224, 3), np.uint8))[0] < 0.1


@pytest.mark.models
@pytest.mark.photos
def test_the_way_through_a_square_view_does_not_bend_landmarks_of_a_wide_picture(two_hands, landmarker):
    height, width = two_hands.shape[:2]
    assert width > 1.5 * height
    through = detect(two_hands, landmarker, whole(width, height, margin=1.0, size_px=720))
    assert len(through) == 2
    for hand in through:
        (near,) = detect(two_hands, landmarker, around(hand, margin=1.8, size_px=384))[:1]
        assert landmark_distance(hand, near) < 0.06


@pytest.mark.models
@pytest.mark.photos
@pytest.mark.parametrize("turn", [-0.8, 0.8, 2.4])
def test_turning_the_view_does_not_move_the_hands(two_hands, landmarker, turn):
    height, width = two_hands.shape[:2]
    straight = detect(two_hands, landmarker, whole(width, height, margin=1.2, size_px=512))
    turned = detect(two_hands, landmarker, View((width / 2, height / 2), 1.2 * width, 512, turn))
    assert [hand.side for hand in straight] == [hand.side for hand in turned]
    assert all(landmark_distance(a, b) < 0.1 for a, b in zip(straight, turned, strict=True))


@pytest.mark.models
@pytest.mark.photos
def test_a_mirrored_view_gives_the_same_places_sides_and_depth_order(two_hands, landmarker):
    height, width = two_hands.shape[:2]
    view = whole(width, height, margin=1.2, size_px=512)
    plain = detect(two_hands, landmarker, view)
    mirrored = detect(two_hands, landmarker, replace(view, mirrored=True))
    assert [hand.side for hand in plain] == [hand.side for hand in mirrored]
    for a, b in zip(plain, mirrored, strict=True):
        assert landmark_distance(a, b) < 0.1
        assert np.corrcoef(a.depth_px, b.depth_px)[0, 1] > 0.6


@pytest.mark.models
@pytest.mark.photos
def test_the_network_asked_directly_agrees_with_mediapipe(two_hands, landmarker):
    height, width = two_hands.shape[:2]
    for hand in detect(two_hands, landmarker, whole(width, height, margin=1.2, size_px=720)):
        direct = confirm_by_crops(two_hands, hand, landmarker, min_presence=0.75, max_disagreement=0.2)
        assert direct is not None
        assert landmark_distance(direct, hand) < 0.08
        assert direct.side == hand.side
        depth, other = direct.depth_px - direct.depth_px.mean(), hand.depth_px - hand.depth_px.mean()
        assert np.corrcoef(depth, other)[0, 1] > 0.8
        assert 0.5 < depth.std() / other.std() < 2.0


@pytest.mark.models
@pytest.mark.photos
def test_asking_from_four_threads_gives_what_one_gives(two_hands, landmarker):
    height, width = two_hands.shape[:2]
    views = [whole(width, height, margin=1.0 + 0.1 * k, size_px=384) for k in range(8)]
    one = [detect(two_hands, landmarker, view) for view in views]
    with ThreadPoolExecutor(4) as pool:
        four = list(pool.map(lambda view: detect(two_hands, landmarker, view), views))
    for a, b in zip(one, four, strict=True):
        assert len(a) == len(b)
        assert all(np.array_equal(x.landmarks_px, y.landmarks_px) for x, y in zip(a, b, strict=True))


@pytest.mark.models
@pytest.mark.photos
@pytest.mark.parametrize(("name", "side"), RAISED.items())
def test_a_label_means_the_anatomical_side_of_a_picture_that_is_not_mirrored(photos, landmarker, name, side):
    photograph = Image.open(photos / "mediapipe_gesture_testdata" / "images" / name)
    found = find_hands(np.asarray(photograph.convert("RGB")), landmarker=landmarker)
    assert max(found, key=lambda hand: hand.score).side == side


@pytest.mark.models
def test_starting_and_ending_is_silent_even_when_nobody_closes():
    code = (
        "import numpy as np; from handwright.perception.detect.landmarker import HandLandmarker as H;"
        "H().detect(np.zeros((64, 64, 3), np.uint8))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
