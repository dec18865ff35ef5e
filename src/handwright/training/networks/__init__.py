"""Networks that are trained here: the diffusion family, its siblings, the critics and the proposal network."""
