"""Giving a Hand to Diffusion Models (Pelykh et al. 2024): hands first, then the person around them.

Reading order: ``settings``, ``pose_completion`` (a pose that both stages can work from), ``engine`` (the
contract), ``render_engine`` (no network), ``hand_crops`` (what stage I makes), ``networks`` (the paper's own,
what they read, and their objectives), ``hand_stage`` (stage I, on diffusers' own pipelines), ``canvas`` and
``shared_latents`` (what it hands over), ``mask_expansion`` (§III-D: how the finished hand stays in the
picture while the rest is made), ``skin_tones`` (hands in their person's tones), ``body_stage`` (stage II),
``pipeline`` (both), ``diffusion_engine`` (that behind the contract). ``TwoStagePipeline`` is in ``pipeline``,
which needs torch.
"""
