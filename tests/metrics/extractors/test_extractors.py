from __future__ import annotations

import hashlib

import numpy as np
import pytest

from handwright.errors import MissingModelError, UsageError
from handwright.metrics.extractors import open_extractor
from handwright.metrics.extractors.choose import RandomFilters
from handwright.metrics.extractors.embedded import EmbeddedExtractor
from handwright.metrics.extractors.features import extract, similarities, text_features
from handwright.metrics.extractors.inception import InceptionExtractor
from handwright.metrics.kernel import kernel_distance


def pictures(n: int, side: int = 40, seed: int = 0) -> np.ndarray:
    """Smooth coloured blots."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (n, 5, 5, 3)).astype(float)
    times = side // 5
    return coarse.repeat(times, 1).repeat(times, 2).astype(np.uint8)


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    torch = pytest.importorskip("torch")
    from handwright.metrics.extractors.network import FeatureConfig, FeatureNetwork, save_network

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("features")
    config = FeatureConfig("test-v0", 32, (8, 16), 1)
    save_network(FeatureNetwork(config), config, folder)
    return folder


def test_random_filters_never_change():
    result = RandomFilters()(pictures(2))
    assert result.shape == (2, 144) and result.dtype == np.float32
    filters = b"".join(layer.tobytes() for layer in RandomFilters()._layers)
    assert hashlib.sha256(filters).hexdigest().startswith(FILTERS_SHA)


FILTERS_SHA = "8cb18f1e6e854772"


def test_random_filters_see_growing_corruption():
    rng = np.random.default_rng(0)
    clean, others = pictures(60), pictures(60, seed=1)
    net = RandomFilters()
    distances = []
    for strength in (0, 20, 60, 120):
        noisy = np.clip(others + strength * rng.normal(size=others.shape), 0, 255).astype(np.uint8)
        distances.append(kernel_distance(net(clean), net(noisy), rounds=2).value)
    assert distances == sorted(distances)


def test_batches_and_mixed_sizes_change_nothing(ours):
    mixed = [*pictures(5, 40), *pictures(3, 60, 1), *pictures(4, 40, 2)]
    for extractor in (RandomFilters(), EmbeddedExtractor(ours)):
        singly = np.concatenate([extractor(p[None]) for p in mixed])
        assert extract(iter(mixed), extractor, batch=4) == pytest.approx(singly, abs=1e-5)


def test_pictures_are_never_held_all_at_once():
    detected = []

    class Counting:
        name = "counting"

        def __call__(self, batch):
            detected.append(len(batch))
            return np.zeros((len(batch), 1), np.float32)

    result = extract((p for p in pictures(70)), Counting(), batch=32)
    assert detected == [32, 32, 6] and result.shape == (70, 1)
    assert extract([], Counting()).shape == (0, 0)


def test_large_pictures_come_in_smaller_batches():
    detected = []

    class Counting:
        name = "counting"

        def __call__(self, batch):
            detected.append(len(batch))
            return np.zeros((len(batch), 1), np.float32)

    extract((np.zeros((1500, 2000, 3), np.uint8) for _ in range(5)), Counting())
    assert detected == [3, 2]


def test_a_network_of_ones_own_is_opened_from_its_folder(ours, tmp_path):
    assert open_extractor(f"hw:{ours}").name == "test-v0"
    with pytest.raises(MissingModelError, match="there is no feature network"):
        open_extractor(f"hw:{tmp_path}")


def test_the_embedded_network_survives_its_file_and_keeps_its_name(ours):
    first, again = EmbeddedExtractor(ours), EmbeddedExtractor(ours)
    assert first.name == "test-v0"
    result = first(pictures(3))
    assert (
        result.shape == (3, 16) and np.array_equal(result, again(pictures(3))) and np.isfinite(result).all()
    )
    assert not np.allclose(result[0], result[1])


def test_missing_or_damaged_weights_are_one_clear_line(ours, tmp_path):
    with pytest.raises(MissingModelError, match=r"there is no feature network.*choose another --extractor"):
        EmbeddedExtractor(tmp_path)
    (tmp_path / "config.json").write_text((ours / "config.json").read_text())
    (tmp_path / "model.safetensors").write_bytes(b"no")
    with pytest.raises(MissingModelError, match="does not load"):
        EmbeddedExtractor(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(MissingModelError, match="does not load"):
        EmbeddedExtractor(tmp_path)


@pytest.mark.parametrize("text", ["kid", "inception", "clip:", "rand-v1:x", ""])
def test_an_unknown_extractor_is_told_the_known_ones(text):
    with pytest.raises(UsageError, match="choose one of: hw-v2"):
        open_extractor(text)


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from handwright.metrics.extractors._inception_network import InceptionNetwork

    torch.manual_seed(0)
    weights = {k: v for k, v in InceptionNetwork("2048").state_dict().items() if "num_batches" not in k}
    file = tmp_path_factory.mktemp("inception") / "i.safetensors"
    save_file({**weights, "fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}, file)
    return file


@pytest.mark.parametrize("layer", ["64", "192", "2048"])
def test_inception_gives_as_many_features_as_its_layer_is_called(inception_file, layer):
    net = open_extractor(f"inception:{inception_file}@{layer}")
    result = net(pictures(2))
    assert result.shape == (2, int(layer)) and net.name == f"inception-2015/{layer}"
    assert np.isfinite(result).all()


def test_inception_has_the_published_number_of_parameters(inception_file):
    from handwright.metrics.extractors._inception_network import InceptionNetwork

    assert sum(p.numel() for p in InceptionNetwork("2048").parameters()) == 21_785_568


def test_the_corner_resize_is_tensorflows():
    torch = pytest.importorskip("torch")
    from handwright.metrics.extractors._inception_network import corner_bilinear

    ramp = torch.arange(4.0).view(1, 1, 1, 4).expand(1, 1, 4, 4)
    assert corner_bilinear(ramp, 8)[0, 0, 0].tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3]
    assert torch.equal(corner_bilinear(ramp, 4), ramp)


def test_other_weights_than_fids_are_refused(inception_file, tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    weights = load_file(inception_file)
    save_file({**weights, "fc.weight": torch.zeros(1000, 2048)}, tmp_path / "a.safetensors")
    del weights["Mixed_7c.branch_pool.conv.weight"]
    save_file(weights, tmp_path / "b.safetensors")
    torch.save({}, tmp_path / "c.pth")
    for file, why in (
        ("a.safetensors", "1000 classes"),
        ("b.safetensors", "lacks"),
        ("c.pth", "no safetensors"),
    ):
        with pytest.raises(MissingModelError, match=why):
            InceptionExtractor(tmp_path / file)
    with pytest.raises(MissingModelError, match="is no file"):
        InceptionExtractor(tmp_path / "d.safetensors")
    with pytest.raises(UsageError, match="no layer 100"):
        InceptionExtractor(inception_file, "100")


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("clip-tiny")
    letters = [chr(c) for c in range(97, 123)]
    tokens = [*letters, *(c + "</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = transformers.CLIPTokenizer(
        vocab={t: i for i, t in enumerate(tokens)}, merges=[], model_max_length=16
    )
    tokenizer.save_pretrained(folder)
    size = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.CLIPConfig(
        text_config={**size, "vocab_size": len(tokens), "max_position_embeddings": 16, "eos_token_id": 53},
        vision_config={**size, "image_size": 32, "patch_size": 8},
        projection_dim=24,
    )
    torch.manual_seed(0)
    transformers.CLIPModel(config).save_pretrained(folder)
    square = {"height": 32, "width": 32}
    transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=square).save_pretrained(folder)
    return folder


def test_clip_puts_pictures_and_texts_into_one_space(clip_folder):
    clip = open_extractor(f"clip:{clip_folder}")
    images, texts = clip(pictures(3)), clip.texts(["a hand", "a fist", "a hand"])
    assert images.shape == texts.shape == (3, 24)
    assert texts[0] == pytest.approx(texts[2], abs=1e-5) and not np.allclose(texts[0], texts[1])
    assert clip.name == f"clip:{clip_folder.name}"


def test_clipsim_is_what_torchmetrics_says(clip_folder):
    torch = pytest.importorskip("torch")
    from torchmetrics.functional.multimodal import clip_score
    from transformers import CLIPImageProcessorPil, CLIPModel, CLIPProcessor, CLIPTokenizer

    class Plain(CLIPModel):
        """Returns tensors, as torchmetrics expects of transformers before 5."""

        def get_image_features(self, *args, **kwargs):
            return super().get_image_features(*args, **kwargs).pooler_output

        def get_text_features(self, *args, **kwargs):
            return super().get_text_features(*args, **kwargs).pooler_output

    def theirs():
        processor = CLIPImageProcessorPil.from_pretrained(clip_folder)
        return Plain.from_pretrained(clip_folder), CLIPProcessor(
            processor, CLIPTokenizer.from_pretrained(clip_folder)
        )

    clip = open_extractor(f"clip:{clip_folder}")
    texts, images = ["a hand", "a fist", "two"], pictures(3)
    ours = similarities(extract(images, clip), text_features(texts, clip))
    channels_first = [torch.from_numpy(p).permute(2, 0, 1) for p in images]
    each = [
        max(float(clip_score(i[None], [t], model_name_or_path=theirs).detach()), 0.0)
        for i, t in zip(channels_first, texts, strict=True)
    ]
    assert ours == pytest.approx(each, abs=1e-3)


def test_clipsim_in_closed_form():
    a, b = np.array([[1.0, 0], [2, 0], [1, 1]]), np.array([[3.0, 0], [-1, 0], [0, 5]])
    assert similarities(a, b) == pytest.approx([100, 0, 100 / np.sqrt(2)])


def test_no_clip_in_a_folder_is_one_clear_line(tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(MissingModelError, match="no CLIP model could be read"):
        open_extractor(f"clip:{tmp_path}")
