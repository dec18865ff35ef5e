"""Giving a Hand to Diffusion Models (Pelykh et al. 2024): hands first, then the person around them.

``pose_completion`` makes a pose one that both stages can work from; ``mask_expansion`` holds §III-D: how the
finished hand stays in the picture while the rest is made.
"""
