"""Room: HandRefiner (Lu et al. 2024), conditional inpainting of hands; nothing here knows of the repair loop.

Reading order: ``diffusion_settings``, ``square`` (the crop), ``controls`` (control images), ``network`` (the
contract with a diffusion model, and how one is opened), ``strength`` (§3.2), ``objective`` (eq. 4),
``torch_network`` (the only door to torch), ``steps_strip`` (pictures of the steps).
"""
