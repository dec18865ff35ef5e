"""More input channels: zero ones are not noticed, random ones are; 4 → 9, 4 → 15, 9 → 20."""

import pytest
import torch

from handwright.diffusion.inflation import inflate
from handwright.errors import InvalidValueError
from tests.diffusion.models import small_unet


@pytest.mark.parametrize(("known", "further"), [(4, 5), (4, 11), (9, 11)])
@pytest.mark.parametrize("weights", ["zero", "random"])
def test_known_channels_keep_their_weights_and_only_random_ones_are_noticed(known, further, weights):
    unet = small_unet(known)
    torch.manual_seed(3)
    wide = inflate(unet, further, weights)
    rng = torch.Generator().manual_seed(0)
    latents, beside = (torch.randn(2, n, 8, 8, generator=rng) for n in (known, further))
    text, at = torch.randn(2, 5, 32, generator=rng), torch.tensor([10, 900])
    assert torch.equal(wide.conv_in.weight[:, :known], unet.conv_in.weight)
    assert wide.config["in_channels"] == known + further
    with torch.no_grad():
        was = unet(latents, at, text).sample
        now = wide(torch.cat([latents, beside], 1), at, text).sample
    assert torch.equal(was, now) == (weights == "zero")


def test_random_weights_are_those_of_a_fresh_convolution():
    unet = small_unet(4)
    torch.manual_seed(3)
    wide = inflate(unet, 11, "random")
    limit = (15 * 9) ** -0.5  # Of PyTorch's uniform draw for 15 channels of 3 × 3
    assert 0.9 * limit < float(wide.conv_in.weight[:, 4:].detach().abs().max()) <= limit


def test_no_further_channels_is_an_error():
    with pytest.raises(InvalidValueError, match="0 further channels"):
        inflate(small_unet(4), 0)
