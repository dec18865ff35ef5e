"""Giving a Hand to Diffusion Models (Pelykh et al. 2024): hands first, then the person around them.

Reading order: ``settings``, ``pose_completion`` (a pose that both stages can work from), ``engine`` (the
contract), ``render_engine`` (no network), ``hand_crops`` and ``finger_heatmaps`` (what stage I
makes, and what it reads), ``hand_generator`` and ``objective`` (the paper's network for it), ``canvas``,
``mask_expansion`` (§III-D: how the finished hand stays in the picture while the rest is made), ``pipeline``
(both stages on diffusers' own pipelines), ``diffusion_engine`` (that behind the contract).
``TwoStagePipeline`` is in ``pipeline``, which needs torch.
"""
