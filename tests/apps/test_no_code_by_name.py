"""Requests and pictures name no code to run: only a command line and a Python call do."""

from __future__ import annotations

import pytest

from handwright.apps.a1111 import settings_from
from handwright.errors import UsageError


@pytest.mark.parametrize("name", ["os:system", "handwright.refine.painters:DrawPainter"])
def test_a_client_of_the_service_names_none(name: str) -> None:
    pytest.importorskip("fastapi")
    from handwright.apps.service.bodies import checked

    with pytest.raises(UsageError, match="give draw, harmonise, diffuse"):
        checked("refine", {"painter": name})
    for option in ("landmarker", "fitter", "critic"):
        with pytest.raises(UsageError, match="has no option"):
            checked("refine", {option: name})


def test_generation_parameters_that_are_pasted_name_none() -> None:
    pasted = settings_from({"handwright painter": "os:system", "handwright seed": "3"})
    assert pasted is not None and (pasted.painter, pasted.seed) == ("draw", 3)


def test_a_client_of_the_page_names_none() -> None:
    pytest.importorskip("gradio")
    from handwright.apps.web.handlers import form_options

    assert form_options({"painter": "draw", "seed": 3.0}) == {"painter": "draw", "seed": 3}
    with pytest.raises(UsageError, match="give draw, harmonise, diffuse"):
        form_options({"painter": "os:system"})
