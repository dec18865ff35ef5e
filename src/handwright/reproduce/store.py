"""The work folder: every unit's record and crop, kept as soon as it is made and used again."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from jaxtyping import UInt8

from handwright.errors import DataError, OutputError
from handwright.image import write_png
from handwright.workflow.files import write_text

Record = dict[str, Any]
Crop = UInt8[np.ndarray, "s s 3"]


class Store:
    """Units by group and name, done once their record is there; a folder of others is refused.

    Raises:
        OutputError: The folder belongs to another study or cannot be written.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self.folder = folder
        self.claim("study", identity)

    def claim(self, name: str, identity: Mapping[str, Any]) -> None:
        """Say what decides some of the units, such as the weights of a variant.

        Raises:
            OutputError: The folder's units were decided by something else.
        """
        about, settings = self.folder / f"{name}.json", json.dumps(identity, indent=1, sort_keys=True)
        if not about.is_file():
            write_text(about, settings)
        elif about.read_text("utf-8") != settings:
            raise OutputError(
                f"{self.folder} holds another study", f"its {name}.json differs", "give another --work"
            )

    def has(self, group: str, name: str) -> bool:
        """Whether a unit is done."""
        return self._file(group, name, "json").is_file()

    def unit(self, group: str, name: str, make: Callable[[], tuple[Record, Crop | None]]) -> Record:
        """The record of a unit, made and kept if it is not there yet."""
        if not self.has(group, name):
            record, crop = make()
            if crop is not None:
                self._file(group, name, "png").parent.mkdir(parents=True, exist_ok=True)
                write_png(self._file(group, name, "png"), crop)
            write_text(self._file(group, name, "json"), json.dumps(record))
        return self.record(group, name)

    def record(self, group: str, name: str) -> Record:
        """The record of a unit that is done.

        Raises:
            DataError: It is damaged.
        """
        file = self._file(group, name, "json")
        try:
            return cast("Record", json.loads(file.read_text("utf-8")))
        except ValueError as error:
            raise DataError(f"{file} is damaged", str(error), "remove it and start again") from error

    def crop(self, group: str, name: str) -> Crop:
        """The crop of a unit that is done.

        Raises:
            DataError: It is missing or damaged.
        """
        file = self._file(group, name, "png")
        pixels = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if pixels is None:
            raise DataError(f"{file} is missing or damaged", "", "remove the record beside it, start again")
        return np.ascontiguousarray(pixels[..., ::-1])

    def _file(self, group: str, name: str, suffix: str) -> Path:
        return self.folder / group / f"{name}.{suffix}"
