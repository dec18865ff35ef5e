"""The linear codec: a VAE's interface around linear maps and, when decoding, a network for detail."""

from __future__ import annotations

import torch

from handwright.diffusion.codec import PatchCodec
from handwright.diffusion.latents import decode, encode, pixels_per_latent
from handwright.diffusion.loading.places import EMBEDDED
from handwright.diffusion.loading.zoo import load_vae


def pictures(count=2, side=32):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_maps_that_undo_each_other_give_every_pixel_back():
    codec = PatchCodec(48)
    into = torch.linalg.qr(torch.randn(48, 48, generator=torch.Generator().manual_seed(0)))[0]
    with torch.no_grad():
        for layer in (codec.encoder, codec.decoder):
            layer.weight.copy_(into.reshape(layer.weight.shape))
            layer.bias.zero_()
        assert torch.allclose(decode(codec, encode(codec, pictures())), pictures(), atol=1e-4)


def test_a_new_network_for_detail_adds_nothing_and_never_changes_latents():
    plain, detailed = PatchCodec(4, 1.0, (192,) * 4), PatchCodec(4, 1.0, (192,) * 4, (8, 8, 8))
    detailed.load_state_dict(plain.state_dict(), strict=False)
    with torch.no_grad():
        latents = encode(plain, pictures())
        assert torch.equal(encode(detailed, pictures()), latents)
        assert torch.equal(decode(detailed, latents), decode(plain, latents))
        detailed.detail[-2].bias.add_(0.1)
        assert torch.equal(encode(detailed, pictures()), latents)
        assert not torch.equal(decode(detailed, latents), decode(plain, latents))


def test_the_codec_comes_back_from_disk_as_it_was(tmp_path):
    codec = PatchCodec(16)
    codec.save_pretrained(tmp_path)
    again = PatchCodec.from_pretrained(tmp_path)
    with torch.no_grad():
        assert torch.equal(encode(again, pictures()), encode(codec, pictures()))
    assert pixels_per_latent(again) == 4


def test_the_shipped_one_gives_smooth_pictures_back():
    codec = load_vae(EMBEDDED["tiny"] / "vae", torch.float32)
    smooth = torch.nn.functional.interpolate(pictures(1, 4), size=(64, 64), mode="bicubic").clamp(-1, 1)
    with torch.no_grad():
        error = decode(codec, encode(codec, smooth)) - smooth
    assert float(error.abs().mean()) < 0.03
