"""The SBOM and the page of licences hold what ships; nothing ships whose licence is not allowed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.metadata import PathDistribution
from types import SimpleNamespace

import pytest

import audit
import licence_rules
import what_ships


@pytest.fixture(scope="module")
def packages():
    return what_ships.shipped()


def test_what_ships_is_the_core_and_every_extra_with_what_they_need(packages):
    assert what_ships.CORE in packages["numpy"].extras
    assert packages["gradio"].extras == {"web"}
    assert "train" in packages["torch"].extras  # through handwright[diffusion]
    assert "llvmlite" in packages["numba"].needs
    assert {"pytest", "mkdocs", "handwright"}.isdisjoint(packages)


def test_every_package_that_ships_has_a_licence_that_is_allowed(packages):
    refused = {
        name: licence_rules.refused(licence_rules.licence(one.package)) for name, one in packages.items()
    }
    assert {name: why for name, why in refused.items() if why and name not in licence_rules.EXCEPTIONS} == {}


def test_exceptions_have_a_reason_are_needed_and_never_of_the_core_the_service_or_the_page(packages):
    for name, reason in licence_rules.EXCEPTIONS.items():
        assert licence_rules.refused(licence_rules.licence(packages[name].package))
        assert len(reason) > 20
        assert not packages[name].extras & {what_ships.CORE, "serve", "web", "diffusion"}


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("MIT", ""),
        ("GPL-3.0-only OR MIT", ""),
        ("Apache-2.0 WITH LLVM-exception", ""),
        ("GPL-3.0-or-later", "GPL-3.0-or-later"),
        ("MIT AND AGPL-3.0-only", "AGPL-3.0-only"),
        ("LGPL-2.1-only", "LGPL-2.1-only"),
        ("CC-BY-NC-4.0", "CC-BY-NC-4.0"),
    ],
)
def test_copyleft_and_non_commercial_licences_are_refused_unless_there_is_a_choice(expression, what):
    assert licence_rules.refused(expression) == what


class Metadata(dict):
    def __init__(self, fields):
        super().__init__({"Name": "one", **fields})

    def get_all(self, name):
        return [self[name]] if name in self else None


def stated(**metadata):
    return SimpleNamespace(metadata=Metadata(metadata), files=[])


@pytest.mark.parametrize(
    ("metadata", "spdx"),
    [
        ({"License-Expression": "MIT OR Apache-2.0"}, "MIT OR Apache-2.0"),
        ({"License": "BSD-3-Clause"}, "BSD-3-Clause"),
        ({"License": "Apache 2.0 License"}, "Apache-2.0"),
        ({"Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
    ],
)
def test_a_licence_is_read_from_what_the_package_states(metadata, spdx):
    assert licence_rules.licence(stated(**metadata)) == spdx


def test_a_package_that_states_nothing_is_an_error_and_no_guess():
    with pytest.raises(ValueError, match="add it to STATED"):
        licence_rules.licence(stated(License="as you like"))


def test_packages_with_libraries_inside_say_which(packages):
    holding = {
        name
        for name, one in packages.items()
        if any(file.parts[0].endswith(".libs") for file in one.package.files or [])
    }
    assert holding <= licence_rules.BUNDLED.keys()


def test_a_data_file_of_unknown_origin_is_refused(monkeypatch, tmp_path):
    (tmp_path / "found.bin").write_bytes(b"?")
    monkeypatch.setattr(what_ships, "PACKAGE", tmp_path)
    with pytest.raises(SystemExit, match=r"found\.bin: whose is it"):
        what_ships.data_files()


def test_the_committed_page_names_every_package_and_file_with_its_licence(packages):
    page = what_ships.PAGE.read_text("utf-8").splitlines()
    rows = [*what_ships.data_rows(), *(what_ships.package_row(name, one) for name, one in packages.items())]
    assert sorted(set(rows) - set(page)) == [], "run make sbom"


def test_the_sbom_names_versions_licences_hashes_and_what_needs_what(packages):
    document = json.loads(what_ships.sbom(packages))  # it is checked against CycloneDX's schema there
    parts = {one["bom-ref"]: one for one in document["components"]}
    assert parts["pypi/numpy"]["purl"] == f"pkg:pypi/numpy@{packages['numpy'].version}"
    critic = parts["file/weights/critic/critic.onnx"]
    assert critic["type"] == "machine-learning-model"
    assert re.fullmatch("[0-9a-f]{64}", critic["hashes"][0]["content"])
    assert all(one["licenses"] for one in parts.values())
    needs = {one["ref"]: one.get("dependsOn", []) for one in document["dependencies"]}
    assert "pypi/llvmlite" in needs["pypi/numba"]
    assert set(needs["handwright"]) == parts.keys()


def test_the_audit_finds_a_missing_pin_another_version_and_a_changed_file(monkeypatch, tmp_path):
    files = {"kept": b"as it was", "changed": b"something else"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    value = base64.urlsafe_b64encode(hashlib.sha256(files["kept"]).digest()).rstrip(b"=").decode()
    record = "".join(f"{name},sha256={value},\n" for name in ("kept", "changed", "gone"))
    (tmp_path / "one-1.dist-info").mkdir()
    (tmp_path / "one-1.dist-info/RECORD").write_text(record)
    package = PathDistribution(tmp_path / "one-1.dist-info")
    assert audit.changed_files(package) == ["changed was changed", "gone is missing"]
    monkeypatch.setattr(audit, "changed_files", lambda _: [])
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=0))
    found = audit.findings({"numpy": "1.0"}, {"numpy": "2.0"}, {"numpy", "scipy"})
    assert found == [
        "scipy has no pin in constraints.txt",
        "numpy 1.0 is installed, constraints.txt says 2.0",
    ]


def answering(monkeypatch, *answers):
    waiting = iter(answers)
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=next(waiting)))


def test_the_audit_says_when_nobody_answered_and_takes_no_silence_for_safety(monkeypatch, tmp_path):
    skipped = json.dumps({"dependencies": [{"name": "numpy", "skip_reason": "not found"}]})
    answering(monkeypatch, "", skipped)
    assert audit.weaknesses(tmp_path / "list") == (2, audit.NOT_ASKED)


def test_the_audit_names_known_weaknesses(monkeypatch, tmp_path):
    weak = {"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": [], "description": ""}
    answering(monkeypatch, json.dumps({"dependencies": [{"name": "x", "version": "2.0", "vulns": [weak]}]}))
    code, told = audit.weaknesses(tmp_path / "list")
    assert (code, told) == (1, "x 2.0: PYSEC-1, mended in ['2.1']")


def test_every_direct_dependency_has_a_pin():
    assert audit.direct() - audit.pins().keys() == set()


@pytest.mark.parametrize(
    ("name", "of_cuda"),
    [("nvidia-cublas", True), ("cuda_toolkit", True), ("triton", True), ("torch", False), ("numba", False)],
)
def test_what_torch_brings_for_gpus_alone_is_not_counted(name, of_cuda):
    assert licence_rules.of_cuda(name) is of_cuda
