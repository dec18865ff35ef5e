"""Diffusion: model zoo, known-region blend, guidance, samplers (torch and diffusers live here)."""
