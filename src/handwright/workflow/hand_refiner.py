"""A refiner for many pictures: models are loaded once, and the call reads like a diffusers pipeline's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack, cast, overload

from handwright.errors import UsageError
from handwright.options import DEFAULTS, OPTIONS
from handwright.plug_ins import chosen, file_or_plug_in
from handwright.progress import Progress, silent
from handwright.types import Image
from handwright.workflow.inputs import as_image, is_several
from handwright.workflow.keywords import RefineOptions, refuse_unknown

if TYPE_CHECKING:
    from handwright.refine.pipeline import Engine
    from handwright.refine.result import Repair
    from handwright.refine.settings import RefineSettings
    from handwright.workflow.inputs import Picture

Work = Callable[[Image, "RefineSettings", "Engine"], "Repair"]
Generator = Any
"""A ``torch.Generator`` or a ``numpy.random.Generator``."""

KEYWORDS = (*OPTIONS, "progress")
"""Keywords of a refinement."""


class HandRefiner(AbstractContextManager["HandRefiner"]):
    """Mends the hands of pictures, keeping its models loaded between them.

    A context manager: leaving it closes the models. Without ``from_pretrained`` it draws hands and needs
    no diffusion model.

    >>> refiner = HandRefiner.from_pretrained(model="tiny")
    >>> refiner.options["painter"]
    'diffuse'
    >>> repair = refiner("photo.png", prompt="a waving hand", strength=0.4)  # doctest: +SKIP
    >>> repair.after.save("refined.png")  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        engine: Engine | None = None,
        **options: Unpack[RefineOptions],
    ) -> None:
        """A refiner with options that its calls start from.

        Args:
            engine: Loaded models to use instead of opening them on the first call.
            **options: As ``handwright.refine``'s.

        Raises:
            UnknownKeywordError: There is no such option.
        """
        refuse_unknown("HandRefiner", cast("dict[str, Any]", options), KEYWORDS)
        self.options: dict[str, Any] = dict(options)
        self._engine = engine
        self._plugged: Engine | None = None
        self._stack = ExitStack()

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path = DEFAULTS["model"],
        *,
        controlnet: str | Path | None = None,
        dtype: str = DEFAULTS["dtype"],
        device: str = DEFAULTS["device"],
        landmarker: str | Path | None = None,
    ) -> Self:
        """A refiner that paints with a diffusion model, which is loaded when the first hand needs it.

        Args:
            model: 'tiny' (embedded), a folder in ``save_pretrained`` layout, or a name on the hub.
            controlnet: Likewise, or one .safetensors file; None: the one that comes with the model.
            dtype: 'auto', 'float32', 'bfloat16' or 'float16'.
            device: 'auto', 'cpu', 'cuda' or 'mps'.
            landmarker: A hand_landmarker.task of the user's own.
        """
        options = RefineOptions(painter="diffuse", model=str(model), dtype=dtype, device=device)
        if controlnet is not None:
            options["controlnet"] = str(controlnet)
        if landmarker is not None:
            options["landmarker"] = landmarker
        return cls(**options)

    @overload
    def __call__(
        self,
        image: Sequence[Picture],
        *,
        generator: Generator | None = None,
        **options: Unpack[RefineOptions],
    ) -> list[Repair]: ...
    @overload
    def __call__(
        self, image: Picture, *, generator: Generator | None = None, **options: Unpack[RefineOptions]
    ) -> Repair: ...
    def __call__(
        self,
        image: Picture | Sequence[Picture],
        *,
        generator: Generator | None = None,
        **options: Unpack[RefineOptions],
    ) -> Repair | list[Repair]:
        """Mend the hands of a picture, or of each of several.

        ``strength`` is diffusers' noise level of image-to-image: below 1 the hand is drawn first and then
        changed by diffusion from that level on ('harmonise'); 1, or none, is inpainting from pure noise.

        Args:
            image: A file, bytes, a Pillow image, an array or an ``Image``; or a list of these.
            generator: A ``torch.Generator`` or ``numpy.random.Generator`` that draws the seed, instead of
                ``seed``.
            **options: As ``handwright.refine``'s; they go before those of the refiner.

        Returns:
            The picture before and after, and per hand what was done and why; of a list, a list.

        Raises:
            HandwrightError: A picture cannot be read, an option makes no sense, or a model is missing.
        """
        from handwright.refine.pipeline import refine_picture

        return self.run(refine_picture, image, _with_painter({**self.options, **options}, generator))

    def run(self, work: Work, image: Picture | Sequence[Picture], options: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Do ``refine_picture`` or ``inspect_picture`` on one picture or several; models stay open."""
        refuse_unknown("refine", dict(options), KEYWORDS)
        progress: Progress = options.get("progress") or silent
        pictures = list(cast("Sequence[Picture]", image)) if is_several(image) else [cast("Picture", image)]
        repairs: list[Repair] = []
        for picture in pictures:

            def on_stage(stage: str) -> None:
                progress(stage, len(repairs), len(pictures))

            engine = self._with_plug_ins(options)
            engine = engine if progress is silent else replace(engine, on_stage=on_stage)
            pixels = as_image(picture)
            repairs.append(work(pixels, _settings(options, pixels, engine), engine))
            progress("", len(repairs), len(pictures))
        return repairs if is_several(image) else repairs[0]

    @property
    def engine(self) -> Engine:
        """The loaded models; opened when they are first needed.

        Raises:
            MissingModelError: The perception model is missing and cannot be fetched.
        """
        if self._engine is None:
            from handwright.refine.pipeline import open_engine

            self._engine = self._stack.enter_context(open_engine(_file(self.options)))
        return self._engine

    def _with_plug_ins(self, options: Mapping[str, Any]) -> Engine:
        """The engine with the user's own models, which stay loaded until a call names others."""
        if _file(options) != _file(self.options):
            raise UsageError(
                f"`landmarker` {_file(options)} comes too late", "a refiner has one for all its calls",
                "give it to HandRefiner",
            )  # fmt: skip
        own = chosen(options)
        if not own:
            return self.engine
        if self._plugged is None or own != self._plugged.plug_ins:
            self._plugged = self.engine.with_plug_ins(own)
        return self._plugged

    def close(self) -> None:
        """Close the models that were opened here."""
        self._engine = self._plugged = None
        self._stack.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"HandRefiner({', '.join(f'{name}={value!r}' for name, value in self.options.items())})"


def _file(options: Mapping[str, Any]) -> Path | None:
    """The user's own hand_landmarker.task among options."""
    own = file_or_plug_in(options.get("landmarker"))
    return own if isinstance(own, Path) else None


def _with_painter(options: dict[str, Any], generator: Generator | None) -> dict[str, Any]:
    """Options with the seed that a generator draws, and the painter that a noise level asks for."""
    if generator is not None:
        options["seed"] = _drawn_seed(generator)
    strength = options.get("strength")
    if strength is not None and options.get("painter") == "diffuse":
        if strength == 1:
            del options["strength"]
        else:
            options["painter"] = "harmonise"
    return options


def _drawn_seed(generator: Generator) -> int:
    if hasattr(generator, "integers"):
        return int(generator.integers(2**32))
    torch = import_module("torch")  # loaded already by whoever made the generator
    return int(torch.randint(2**32, (1,), generator=generator, device=generator.device).item())


def _settings(options: Mapping[str, Any], image: Image, engine: Engine) -> RefineSettings:
    """Settings for one picture, from options in any form that callers have."""
    from handwright.refine.settings import refine_settings
    from handwright.types import Hand, Mask
    from handwright.workflow.run.load import mask_of, same_size, settings_given

    given = {name: value for name, value in options.items() if name in OPTIONS and value is not None}
    if "box" in given and len(given["box"]) == 4 and not hasattr(given["box"][0], "__len__"):
        given["box"] = (given["box"],)
    if isinstance(given.get("hand"), int):
        given["hand"] = (given["hand"],)
    for name in ("hands", "hand_pose"):
        if isinstance(given.get(name), str):
            given[name] = Path(given[name])
    for name in ("mask", "depth"):
        if name in given and not isinstance(given[name], Mask):
            given[name] = same_size(as_image(given[name]), image, f"the {name}")
    if isinstance(given.get("mask"), Image):
        given["mask"] = mask_of(given["mask"])
    given["landmarker"] = file_or_plug_in(given.get("landmarker"))
    for name in ("model", "controlnet", "ip_adapter"):
        if name in given:
            given[name] = str(given[name])
    for name in ("lora", "textual_inversion"):
        if name in given:
            files = [given[name]] if isinstance(given[name], str | Path) else given[name]
            given[name] = tuple(map(str, files))
    for name in ("box", "hand", "hands"):
        if name in given and not isinstance(given[name], Path | Hand):
            given[name] = tuple(given[name])
    return refine_settings(settings_given(given, image, None, lambda: engine))
