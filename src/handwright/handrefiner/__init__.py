"""Room: HandRefiner (Lu et al. 2024), conditional inpainting of hands; nothing here knows of the repair loop.

Reading order: ``diffusion_settings``, ``square`` (the crop), ``controls`` (control images), ``network`` (the
contract with a diffusion model), ``strength`` (§3.2), ``objective`` (eq. 4), ``steps_strip`` (pictures of the
steps), ``torch_network`` (the only door to torch), ``network_loader`` (opens it).
"""
