"""diffusers and transformers, kept quiet: no progress bars, no remarks about libraries we do without."""

import warnings
from collections.abc import Generator
from contextlib import contextmanager

import diffusers.utils.logging as diffusers_log
import transformers.utils.logging as transformers_log

__all__ = [
    "AutoencoderKL", "AutoencoderTiny", "BaseOutput", "CLIPTextModel", "CLIPTokenizer", "ControlNetModel",
    "DiffusionPipeline", "UNet2DConditionModel", "VaeImageProcessor", "quiet", "randn_tensor",
]  # fmt: skip


@contextmanager
def quiet() -> Generator[None, None, None]:
    """Errors only and no progress bars from diffusers and transformers; both as before afterwards.

    NumPy's remark about how diffusers' schedulers convert tensors is dropped too, and diffusers' remarks on
    its own future.
    """
    logs = (diffusers_log, transformers_log)
    before = [(log, log.get_verbosity(), log.is_progress_bar_enabled()) for log in logs]
    for log in logs:
        log.set_verbosity_error()
        log.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
            warnings.filterwarnings("ignore", ".* is deprecated", FutureWarning)
            yield
    finally:
        for log, level, bars in before:
            log.set_verbosity(level)
            if bars:
                log.enable_progress_bar()


with quiet():  # on import, both libraries remark on torchvision, which we never want
    from diffusers.image_processor import VaeImageProcessor
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
    from diffusers.models.controlnets.controlnet import ControlNetModel
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline
    from diffusers.utils.outputs import BaseOutput
    from diffusers.utils.torch_utils import randn_tensor
    from transformers import CLIPTextModel, CLIPTokenizer
