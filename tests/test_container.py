"""The container's files name what there is: extras, routes, options; and it does not run as root."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from handwright.apps.cli.main import app
from handwright.apps.service.app import create_app
from handwright.apps.service.settings import KEYS_VARIABLE, ServiceSettings

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def options_of(command):
    return {flag for one in typer.main.get_command(app).commands[command].params for flag in one.opts}


@pytest.mark.parametrize("extras", re.findall(r"EXTRAS=(\w+(?:,\w+)*)", DOCKERFILE))
def test_extras_that_are_installed_exist(extras):
    known = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(extras.split(",")) <= set(known)


def test_the_health_check_asks_a_route_that_needs_no_key():
    port, path = re.search(r"127\.0\.0\.1:(\d+)(/\w+)'", DOCKERFILE).groups()
    service = create_app(ServiceSettings())
    assert path in service.openapi()["paths"]
    assert int(port) == ServiceSettings().port
    assert "x-api-key" not in json.dumps(service.openapi()["paths"][path])


def test_the_last_user_is_not_root_and_the_models_are_fetched_as_that_user():
    assert re.findall(r"^USER (\w+)", DOCKERFILE, re.MULTILINE) == ["handwright"]
    assert DOCKERFILE.index("USER handwright") < DOCKERFILE.index("RUN handwright setup")


def test_commands_have_the_options_that_they_are_given():
    service = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["handwright"]
    started = json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])
    for command, *given in (service["command"], started):
        assert {word for word in given if word.startswith("--")} <= options_of(command)
    assert KEYS_VARIABLE in DOCKERFILE


def test_every_file_that_is_copied_is_there():
    for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE):
        assert all((ROOT / name).exists() for name in line.split()[:-1])
