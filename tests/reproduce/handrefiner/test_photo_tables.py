"""Tables 1 and 2 on small folders in HaGRID's and FreiHAND's layout, which are built here."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.apps.cli.main import run
from handwright.errors import DataError
from handwright.handrefiner.network import InpaintRequest
from handwright.handrefiner.network_loader import NetworkLoader
from handwright.perception.detect.landmarker import Landmarker
from handwright.refine.pipeline import Engine
from handwright.refine.result import Repair
from handwright.refine.settings import RefineSettings
from handwright.reproduce.handrefiner import generated, photo_tables
from handwright.reproduce.handrefiner.generated import (
    FREE_PROMPT,
    GENERATED,
    PUBLISHED,
    REFINED,
    STATES,
    WITH_GESTURE,
    WITHOUT,
    gesture_prompts,
    given_pictures,
)
from handwright.reproduce.handrefiner.photo_tables import cut_hands, reproduce_photo_tables
from handwright.reproduce.handrefiner.photographs import open_freihand, open_hagrid
from handwright.reproduce.handrefiner.study import Study
from handwright.reproduce.store import Store
from handwright.types import DepthControl, HandObservation, Image
from tests.data.loaders.layouts import CENTER, FOCAL, dump, hand_cam_m
from tests.drawn import flat_hand, shoot
from tests.handrefiner.networks import Network
from tests.reproduce.conftest import TINY
from tests.reproduce.test_measure import Colours

BRIGHT, DARK = 170, 60


def photograph(path: Path, seed: int, side: int = 40) -> None:
    """A bright picture, a little unlike all others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).normal(BRIGHT + seed % 5, 9, (side, side, 3)).clip(0, 255)
    PILImage.fromarray(pixels.astype(np.uint8)).save(path, quality=95)


def write_hagrid(root: Path, count: int = 16, split: str = "test") -> Path:
    """Three of four hands show 'call', the others 'two_up'; every picture also has a free hand."""
    labels: dict[str, dict[str, object]] = {"call": {}, "two_up": {}}
    for k in range(count):
        gesture = "two_up" if k % 4 == 3 else "call"
        boxes = [[0.1, 0.2, 0.3, 0.4], [0.6, 0.6, 0.2, 0.2]]
        labels[gesture][f"p{k}"] = {"bboxes": boxes, "labels": [gesture, "no_gesture"]}
        photograph(root / gesture / f"p{k}.jpg", k)
    for gesture, entries in labels.items():
        dump(root / "annotations" / split / f"{gesture}.json", entries)
    return root


def write_freihand(root: Path, count: int = 14, split: str = "evaluation") -> Path:
    camera = [[FOCAL[0], 0, CENTER[0]], [0, FOCAL[1], CENTER[1]], [0, 0, 1]]
    dump(root / f"{split}_K.json", [camera] * count)
    dump(root / f"{split}_xyz.json", [hand_cam_m(k).tolist() for k in range(count)])
    for k in range(count * (4 if split == "training" else 1)):
        photograph(root / split / "rgb" / f"{k:08d}.jpg", 100 + k)
    return root


def test_the_photographs_of_both_layouts_are_read_and_gestures_counted(tmp_path: Path) -> None:
    people = open_hagrid(write_hagrid(tmp_path / "hagrid", split="val"))
    assert people.name == "HaGRID val" and len(people.samples) == 16
    assert people.gestures() == {"call": 12, "two_up": 4}
    assert len(list(people.chosen(5, seed=1))) == 5
    once, again, other = ([picture.tobytes() for picture in people.chosen(16, seed)] for seed in (1, 1, 2))
    assert once == again and once != other and sorted(once) == sorted(other)
    hands = open_freihand(write_freihand(tmp_path / "freihand", split="training"))
    assert hands.name == "FreiHAND training" and len(hands.samples) == 56 and not hands.gestures()
    assert open_freihand(write_freihand(tmp_path / "other")).name == "FreiHAND evaluation"


def test_prompts_name_gestures_as_often_as_the_photographs_and_begin_alike() -> None:
    prompts = gesture_prompts({"call": 12, "two_up": 4}, 400, seed=0)
    call = sum("making a call hand gesture, indoor" in prompt for prompt in prompts)
    assert call + sum("making a two up hand gesture" in prompt for prompt in prompts) == 400
    assert 260 < call < 340
    assert gesture_prompts({"call": 12, "two_up": 4}, 9, seed=0) == prompts[:9]
    assert gesture_prompts({"call": 12, "two_up": 4}, 400, seed=1) != prompts


def test_photographs_that_cannot_be_decoded_are_passed_over_and_all_of_them_are_an_error(
    tmp_path: Path,
) -> None:
    root = write_hagrid(tmp_path / "hagrid", 8)
    pictures = sorted(root.rglob("*.jpg"))

    def damage(picture: Path) -> None:
        header = picture.read_bytes()
        picture.write_bytes(header[: header.index(b"\xff\xda") + 20])

    damage(pictures[0])
    assert len(list(open_hagrid(root).chosen(8, 0))) == 7
    for picture in pictures[1:]:
        damage(picture)
    with pytest.raises(DataError, match="none of 8 pictures can be decoded"):
        list(open_hagrid(root).chosen(8, 0))


def without_pictures(root: Path) -> Path:
    write_hagrid(root)
    for picture in root.rglob("*.jpg"):
        picture.unlink()
    return root


def without_gestures(root: Path) -> Path:
    photograph(root / "call" / "a.jpg", 1)
    entry = {"a": {"bboxes": [[0, 0, 0.5, 0.5]], "labels": ["no_gesture"]}}
    dump(root / "annotations/train/call.json", entry)
    return root


def no_json(root: Path) -> Path:
    (root / "annotations/train").mkdir(parents=True)
    (root / "annotations/train/call.json").write_text("{")
    return root


def empty(root: Path) -> Path:
    root.mkdir()
    return root


def other_versions(root: Path) -> Path:
    write_freihand(root)
    (root / "evaluation_xyz.json").write_text("[]")
    return root


def no_rgb(root: Path) -> Path:
    write_freihand(root)
    for picture in root.rglob("*.jpg"):
        picture.unlink()
    return root


@pytest.mark.parametrize(
    ("option", "make", "words"),
    [
        ("--hagrid", lambda root: root, "is not there; give a folder"),
        ("--hagrid", empty, "holds no annotations"),
        ("--hagrid", no_json, "is no JSON"),
        ("--hagrid", without_pictures, "can be used: 16 left out: its picture is missing"),
        ("--hagrid", without_gestures, "shows a gesture"),
        ("--freihand", lambda root: root, "is not there; give a folder"),
        ("--freihand", empty, "cannot read"),
        ("--freihand", other_versions, "14 cameras but 0 hands"),
        ("--freihand", no_rgb, "can be used: 14 left out: its picture is missing"),
    ],
)
def test_a_bad_folder_is_one_line_before_anything_is_painted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: str,
    make: Callable[[Path], Path],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = make(tmp_path / "data")
    assert run(["reproduce", "handrefiner", option, str(folder), "--extractor", "rand-v1"]) == 2
    shown = capsys.readouterr().err
    assert words in shown and shown.count("\n") == 1
    assert not (tmp_path / "docs").exists()


def no_depth(pixels: np.ndarray) -> DepthControl:
    return DepthControl(np.zeros(pixels.shape[:2], np.uint8), np.full(pixels.shape[:2], -1, np.int16))


class Detector:
    """Sees one hand in a picture that is not black, the more surely the brighter it is."""

    def __call__(self, pixels: np.ndarray, *, landmarker: Landmarker | None) -> list[HandObservation]:
        light = float(pixels.mean())
        if light < 10:
            return []
        size = pixels.shape[0]
        return [shoot(flat_hand(size), size=size).observation(score=min(light / 200, 1.0))]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Network:
    """Generated pictures are dark; a repaint brings them half the way to photographs, a delivered one all."""

    def picture(request: InpaintRequest) -> np.ndarray:
        rng = np.random.default_rng(request.seed)
        return rng.normal(DARK, 12, request.picture.shape).clip(0, 255)

    network = Network(picture, resolution=128)

    @contextmanager
    def engine(_: Path | None) -> Generator[Engine]:
        yield Engine(None, NetworkLoader(lambda settings: network))  # type: ignore[arg-type]

    def refine(image: Image, settings: RefineSettings, _: Engine) -> Repair:
        assert settings.diffusion is not None
        share = 1.0 if settings.diffusion.strength == "auto" else 0.5
        pixels = image.pixels + share * (BRIGHT - DARK)
        after = Image(pixels.clip(0, 255).astype(np.uint8))
        return Repair(before=image, after=after, hands=(), depth=no_depth(pixels), seconds={})

    monkeypatch.setattr(photo_tables, "open_engine", engine)
    monkeypatch.setattr(photo_tables, "open_extractor", lambda _: Colours())
    monkeypatch.setattr(generated, "find_hands", Detector())
    monkeypatch.setattr(generated, "refine_picture", refine)
    monkeypatch.setattr(generated, "_every_hand", lambda image, repair: repair.after.pixels)
    return network


@pytest.fixture
def study() -> Study:
    return Study(scale=replace(TINY, generated=12, photographs=15), extractor="colours")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return write_hagrid(tmp_path / "hagrid"), write_freihand(tmp_path / "freihand")


def cells(page: Path, heading: str) -> dict[str, list[str]]:
    """The first table below a heading, by its first two columns."""
    below = page.read_text().split(f"## {heading}")[1].split("\n\n")[1].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in below]
    return {" · ".join(row[:2]): row for row in rows}


def test_both_tables_are_a_page_that_names_data_n_interval_seed_and_extractor(
    world: Network, study: Study, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    reproduce_photo_tables(study, folders[0], folders[1], page, "the command", tmp_path / "work")
    text = " ".join(page.read_text().split())
    for words in (
        "`the command`", "painting seed 0", "12 (gesture) and 12 (free), generated by the model itself",
        "HaGRID test, 15 of 16 drawn by chance with seed 0", "FreiHAND evaluation, 14 of 14",
        "FID, KID: features `colours`; KID of anatomy: features `referee-v1`",
        "unet/diffusion_pytorch_model-00001-of-00002.safetensors `",
        "controlnet/diffusion_pytorch_model.safetensors `",
        "Pictures that show a hand: 12 (gesture), 12 (free)", "N 24 hands of the pictures of all kinds",
        "(page_pictures.jpg)", "## What the paper did otherwise", f'without a gesture "{FREE_PROMPT}"',
        "| HandRefiner | yes | 74.12 | 0.071 | 0.944 |",
    ):  # fmt: skip
        assert words in text, words
    assert (tmp_path / "page_pictures.jpg").is_file()
    rows = cells(page, "Table 1")
    assert len(rows) == 6 and rows["as generated · yes"][2].count("[") == 1


def test_pictures_that_come_nearer_to_the_photographs_measure_nearer(
    world: Network, study: Study, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    reproduce_photo_tables(study, folders[0], folders[1], page, "x", tmp_path / "work")

    def first(cell: str) -> float:
        return float(cell.split()[0])

    rows = cells(page, "Table 1")
    for gesture in ("yes", "no"):
        three = [rows[f"{label} · {gesture}"] for label in _LABELS]
        fid, kid, score = ([first(row[column]) for row in three] for column in (2, 3, 4))
        assert fid[0] > fid[1] > fid[2] and kid[0] > kid[1] > kid[2] and score[0] < score[1] < score[2]
    apart = page.read_text().split("less as generated")[1]
    line = next(line for line in apart.splitlines() if line.startswith("| `refine`, as delivered | yes"))
    fid, kid, score = (cell.strip() for cell in line.strip("|").split("|")[2:5])
    assert fid.startswith("-") and kid.startswith("-") and first(score) == pytest.approx(0.55, abs=0.03)


_LABELS = ("as generated", "HandRefiner as published", "`refine`, as delivered")


def test_what_is_painted_is_kept_and_another_number_adds_to_it(
    world: Network, study: Study, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    page, work = tmp_path / "page.md", tmp_path / "work"
    reproduce_photo_tables(study, folders[0], folders[1], page, "x", work)
    before = page.read_bytes()
    assert len(world.requests) == 24
    assert all(request.strength == 0 and request.mask.all() for request in world.requests)
    world.requests.clear()
    assert reproduce_photo_tables(study, folders[0], folders[1], page, "x", work) == work
    assert not world.requests and page.read_bytes() == before
    more = replace(study, scale=replace(study.scale, generated=13))
    reproduce_photo_tables(more, folders[0], folders[1], page, "x", work)
    assert len(world.requests) == 2


def test_one_folder_alone_is_one_table_and_without_hagrid_no_prompt_names_a_gesture(
    world: Network, study: Study, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    reproduce_photo_tables(study, None, folders[1], page, "x", tmp_path / "hands")
    text = page.read_text()
    assert "## Table 2" in text and "## Table 1" not in text
    assert {request.settings.prompt for request in world.requests} == {FREE_PROMPT}
    reproduce_photo_tables(study, folders[0], None, page, "x", tmp_path / "people")
    assert "## Table 2" not in page.read_text()


def test_too_few_pictures_are_dashes_with_the_reason(
    world: Network, study: Study, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    few = replace(study, scale=replace(study.scale, generated=3))
    reproduce_photo_tables(few, folders[0], folders[1], page, "x", tmp_path / "work")
    assert cells(page, "Table 1")["as generated · yes"][2:4] == ["–", "–"]
    assert "A dash: too few pictures." in page.read_text()


def test_pictures_without_any_hand_are_still_measured_as_pictures(
    world: Network, study: Study, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    world.rule = lambda request: np.zeros(request.picture.shape)
    page = tmp_path / "page.md"

    def unchanged(image: Image, *_: object) -> Repair:
        return Repair(before=image, after=image, hands=(), depth=no_depth(image.pixels), seconds={})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generated, "refine_picture", unchanged)
        reproduce_photo_tables(study, folders[0], folders[1], page, "x", tmp_path / "work")
    row = cells(page, "Table 1")["as generated · yes"]
    assert "[" in row[3] and row[4:] == ["–"] * 3
    assert "N 0 hands" in page.read_text() and "shows a hand" not in page.read_text()


def test_given_pictures_take_the_generators_own_prompt_and_the_kinds_of_their_folders(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    for kind, name in ((WITH_GESTURE, "a"), (WITHOUT, "b")):
        (tmp_path / kind).mkdir()
        text = PngInfo()
        text.add_text("parameters", f"words of {name}\nSteps: 20, Sampler: Euler, Seed: 1, Model: m")
        PILImage.new("RGB", (32, 32)).save(tmp_path / kind / f"{name}.png", pnginfo=text)
        PILImage.new("RGB", (32, 32)).save(tmp_path / kind / f"{name}2.png")
    kinds = given_pictures(tmp_path, 9, "the usual")
    read = {kind: [picture.read()[1] for picture in each] for kind, each in kinds.items()}
    assert read == {WITH_GESTURE: ["words of a", "the usual"], WITHOUT: ["words of b", "the usual"]}
    assert [len(each) for each in given_pictures(tmp_path / WITHOUT, 1, "x").values()] == [1]


@pytest.mark.parametrize(
    ("boxes", "kept"),
    [
        ([(10, 10, 60, 70)], 1),
        ([(10, 10, 44, 40)], 0),  # 1.6 · 34 px is less than a quarter of a crop
        ([(10, 10, 45, 40)], 1),
        ([(10, 10, 60, 70), (50, 60, 110, 120)], 0),
        ([(10, 10, 60, 70), (61, 71, 120, 120)], 2),
    ],
)
def test_table_2_leaves_out_small_hands_and_those_that_meet(
    tmp_path: Path, boxes: list[tuple[int, int, int, int]], kept: int
) -> None:
    store = Store(tmp_path, {})
    record = {"hands": [[*box, 0.9] for box in boxes]}
    store.unit("free", f"a/{GENERATED}", lambda: (record, None))
    assert len(cut_hands(store, "free", "a")) == kept


@pytest.mark.slow
def test_given_pictures_go_through_the_real_model_and_detector(
    tmp_path: Path, folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    from handwright.data.hands import render_one_hand

    made = tmp_path / "made" / WITH_GESTURE
    made.mkdir(parents=True)
    PILImage.fromarray(render_one_hand(992_001, 256).pixels).save(made / "a.png")
    arguments = ("--hagrid", folders[0], "--freihand", folders[1], "--data", tmp_path / "made", "--n", 1)
    where = ("--extractor", "rand-v1", "-o", tmp_path / "page.md", "--work", tmp_path / "work")
    assert run(["reproduce", "handrefiner", *map(str, (*arguments, *where))]) == 0
    records = [
        json.loads((tmp_path / "work" / WITH_GESTURE / f"000000-a/{state}.json").read_text())
        for state in STATES
    ]
    assert len(records[STATES.index(GENERATED)]["hands"]) == 1
    boxes = np.array([box for record in records for box in record["hands"]])  # what was painted: any number
    assert len(boxes) >= 2, "the detector has seen what was painted, too"
    assert (boxes[:, :2] < boxes[:, 2:4]).all()
    assert ((boxes[:, 4] > 0) & (boxes[:, 4] <= 1)).all()
    before, published, refined = (
        np.asarray(PILImage.open(tmp_path / "work" / WITH_GESTURE / f"000000-a/{state}.png"))
        for state in (GENERATED, PUBLISHED, REFINED)
    )
    changed = (before != published).any(-1)
    assert 0.02 < changed.mean() < 0.9
    assert refined.shape == before.shape
    assert "N 1 hands" in (tmp_path / "page.md").read_text()
