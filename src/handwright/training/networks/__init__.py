"""Networks that are trained here: the diffusion family, the critics and the proposal network."""
