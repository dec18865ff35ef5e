"""HandRefiner as diffusers' ``custom_pipeline``: its own loader reads any family of the zoo.

>>> from handwright.diffusion import custom_pipeline
>>> pipe = DiffusionPipeline.from_pretrained(
...     "my-sdxl", controlnet=control, custom_pipeline=custom_pipeline.__file__, trust_remote_code=True
... )  # doctest: +SKIP
>>> pipe("a waving hand", photo, mask, depth).images[0]  # doctest: +SKIP
"""

from typing import Any

from diffusers.pipelines.pipeline_utils import DiffusionPipeline


class HandRefinerCustomPipeline(DiffusionPipeline):
    """A family's components; a call is that of ``handwright.HandRefinerPipeline`` around them."""

    _optional_components = [  # noqa: RUF012 - diffusers' own protocol
        "text_encoder_2", "text_encoder_3", "tokenizer_2", "tokenizer_3", "unet", "transformer",
        "image_encoder", "feature_extractor",
    ]  # fmt: skip

    def __init__(
        self,
        vae: Any,  # noqa: ANN401 - components of any family
        text_encoder: Any,  # noqa: ANN401
        tokenizer: Any,  # noqa: ANN401
        scheduler: Any,  # noqa: ANN401
        controlnet: Any,  # noqa: ANN401
        text_encoder_2: Any = None,  # noqa: ANN401
        text_encoder_3: Any = None,  # noqa: ANN401
        tokenizer_2: Any = None,  # noqa: ANN401
        tokenizer_3: Any = None,  # noqa: ANN401
        unet: Any = None,  # noqa: ANN401
        transformer: Any = None,  # noqa: ANN401
        image_encoder: Any = None,  # noqa: ANN401
        feature_extractor: Any = None,  # noqa: ANN401
    ) -> None:
        parts = {name: part for name, part in locals().items() if name not in ("self", "__class__")}
        super().__init__()
        self.register_modules(**parts)

    def __call__(
        self,
        prompt: str = "",
        image: Any = None,  # noqa: ANN401
        mask_image: Any = None,  # noqa: ANN401
        control_image: Any = None,  # noqa: ANN401
        **options: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Repaint the region inside ``mask_image``; see ``handwright.HandRefinerPipeline``."""
        from handwright.diffusion.refiner_pipeline import HandRefinerPipeline

        return HandRefinerPipeline.from_pipe(self)(prompt, image, mask_image, control_image, **options)
