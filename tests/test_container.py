"""The container's files name what there is: extras, routes, options; and it does not run as root."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

import container_check
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
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    started = json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])
    assert [service["command"][0] for service in services.values()] == ["serve", "web"]
    for command, *given in (*(service["command"] for service in services.values()), started):
        assert {word for word in given if word.startswith("--")} <= options_of(command)
    assert KEYS_VARIABLE in DOCKERFILE


def test_the_page_listens_and_is_asked_where_its_port_is_published():
    page = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["page"]
    command = typer.main.get_command(app).commands["web"]
    (port,) = (one.default for one in command.params if one.name == "port")
    assert page["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f":{port}/healthz" in page["healthcheck"]["test"][-1]
    assert f"EXPOSE 8732 {port}" in DOCKERFILE


def test_what_must_be_written_lies_in_a_volume_when_the_root_is_read_only():
    setup = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    written = re.findall(r"(?:HANDWRIGHT_CACHE|NUMBA_CACHE_DIR)=(\S+)", DOCKERFILE)
    assert len(written) == 2
    for service in setup["services"].values():
        assert service["read_only"]
        ((name, place),) = (volume.split(":") for volume in service["volumes"])
        assert name in setup["volumes"]
        assert all(folder.startswith(place) for folder in written)


def test_the_gpu_file_is_about_services_that_there_are():
    services, gpu = (
        yaml.safe_load((ROOT / name).read_text("utf-8"))["services"]
        for name in ("compose.yaml", "compose.gpu.yaml")
    )
    assert services.keys() == gpu.keys()


def test_the_check_without_docker_knows_every_step_and_joins_continued_lines():
    steps = list(container_check.instructions(DOCKERFILE))
    known = {
        "FROM",
        "ARG",
        "RUN",
        "COPY",
        "USER",
        "WORKDIR",
        "ENV",
        "EXPOSE",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    assert {name for name, _ in steps} == known
    assert any("useradd" in text and "apt-get" in text for name, text in steps if name == "RUN")


def test_what_is_copied_is_not_kept_from_the_build():
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")
    }
    copied = {
        name for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE) for name in line.split()[:-1]
    }
    assert kept == copied


def test_every_file_that_is_copied_is_there():
    for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE):
        assert all((ROOT / name).exists() for name in line.split()[:-1])
