"""What ships, with licences: what_ships.py [--page FILE] [--sbom FILE] [--audit-list FILE].

Read from the environment in which it runs, which must have every extra but `dev` and `docs` (make setup).
The page is docs/licences.md; the SBOM is CycloneDX 1.6 in JSON, checked against its schema without network;
the audit list is one NAME==VERSION a line, as pip-audit reads it.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import tomllib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from licence_rules import BUNDLED, DATA, EXCEPTIONS, FETCHED, licence, of_cuda

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/handwright"
PAGE = ROOT / "docs/licences.md"
NOT_SHIPPED = {"dev", "docs"}
CORE = "core"


@dataclass
class Installed:
    """A package that an extra brings, directly or not."""

    package: Distribution
    extras: set[str] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)

    @property
    def version(self) -> str:
        """As published: without the label of a local build."""
        return self.package.version.partition("+")[0]


def shipped() -> dict[str, Installed]:
    """Every package that the wheel and its extras install here, by name.

    Raises:
        SystemExit: An extra is not installed.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = {
        name: list(needed)
        for name, needed in project["optional-dependencies"].items()
        if name not in NOT_SHIPPED
    }
    found: dict[str, Installed] = {}
    for extra, needed in {CORE: project["dependencies"], **extras}.items():
        waiting = [Requirement(one) for one in needed]
        seen: set[str] = set()
        while waiting:
            one = waiting.pop()
            if one.name == "handwright":
                waiting += [Requirement(text) for inner in one.extras for text in extras[inner]]
            elif str(one) not in seen:
                seen.add(str(one))
                waiting += brought(one, extra, found)
    return dict(sorted(found.items()))


def brought(wanted: Requirement, extra: str, found: dict[str, Installed]) -> list[Requirement]:
    """Note a package and return what it needs in turn on this system."""
    name = canonicalize_name(wanted.name)
    if name not in found:
        try:
            found[name] = Installed(distribution(name))
        except PackageNotFoundError:
            raise SystemExit(f"{name} ({extra}) is not installed: make setup") from None
    found[name].extras.add(extra)
    needed = [Requirement(text) for text in found[name].package.requires or []]
    chosen = [
        one
        for one in needed
        if (one.marker is None or any(one.marker.evaluate({"extra": of}) for of in ("", *wanted.extras)))
        and not of_cuda(one.name)
    ]
    found[name].needs |= {canonicalize_name(one.name) for one in chosen}
    return chosen


def data_files() -> list[tuple[Path, str, str]]:
    """Every file of the package that is no code: path, what it is, licence.

    Raises:
        SystemExit: A file of which licence_rules.DATA says nothing.
    """
    found = []
    for path in sorted(PACKAGE.rglob("*")):
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts:
            name = path.relative_to(PACKAGE).as_posix()
            known = [row for row in DATA if re.fullmatch(row[0], name)]
            if not known:
                raise SystemExit(f"{name}: whose is it? Add it to DATA in scripts/licence_rules.py")
            found.append((path, *known[0][1:]))
    return found


def page(packages: dict[str, Installed]) -> str:
    """docs/licences.md. Versions are not on it: they are in the SBOM."""
    lines = [
        "# Licences of everything that ships",
        "",
        "Made by `make sbom`, which also writes a CycloneDX SBOM with versions and hashes to",
        "`out/sbom.cdx.json`. handwright is under the Apache License 2.0. `tests/scripts/test_what_ships.py`",
        "refuses every licence that `scripts/licence_rules.py` does not allow: GPL, LGPL, AGPL and",
        "non-commercial ones are not allowed, and what is excepted is named here with the reason.",
        "",
        *(f"* Excepted: **{name}**. {reason}." for name, reason in EXCEPTIONS.items()),
        "",
        "## In the package",
        "",
        "| files | what | licence |",
        "|---|---|---|",
        *sorted(set(data_rows())),
        "",
        "`handwright setup` fetches:",
        "",
        "| file | what | licence |",
        "|---|---|---|",
        *(f"| `{name}` | {what} | {spdx} |" for name, what, spdx in FETCHED),
        "",
        "## Installed beside it",
        "",
        "By pip, from the package index, as their publishers made them (Linux, Python 3.11). The index's",
        "torch for GPUs brings NVIDIA's CUDA libraries (`nvidia-*`, `cuda-*`: NVIDIA's own licence) and",
        "triton (MIT) besides; torch for CPUs does not, and handwright never asks for them.",
        "",
        "| package | brought by | licence |",
        "|---|---|---|",
        *(package_row(name, one) for name, one in packages.items()),
        "",
        "## What else is inside these packages",
        "",
        "| package | holds | why it may be installed |",
        "|---|---|---|",
        *(f"| {name} | {held} | {reason} |" for name, (held, reason) in BUNDLED.items()),
    ]
    return "\n".join(lines) + "\n"


def data_rows() -> Iterable[str]:
    """Rows of the package's own files, those of one folder and origin together."""
    for path, what, spdx in data_files():
        name = path.relative_to(PACKAGE).as_posix()
        shown = "/".join(name.split("/")[:2]) if name.startswith("weights/") else name
        if what.startswith("pages, schemas"):
            shown = "`*.css`, `*.html`, `*.js`, `*.json`, `*.toml`, `*.md`, `py.typed`"
        elif path.suffix == ".jpg":
            shown = "`apps/web/examples/*.jpg`"
        elif "features.onnx" in name:
            shown = f"`{name}`"
        else:
            shown = f"`{shown}`"
        yield f"| {shown} | {what} | {spdx} |"


def package_row(name: str, one: Installed) -> str:
    """One package's row."""
    extras = [CORE] if CORE in one.extras else sorted(one.extras)
    return f"| {name} | {', '.join(extras)} | {licence(one.package)} |"


def sbom(packages: dict[str, Installed]) -> str:
    """The CycloneDX document, the same for the same packages and files but for its time.

    Raises:
        SystemExit: It does not fit CycloneDX's schema.
    """
    licences = LicenseFactory()
    own = Component(
        name="handwright", version=distribution("handwright").version, type=ComponentType.APPLICATION,
        bom_ref="handwright", licenses=[licences.make_from_string("Apache-2.0")],
        purl=PackageURL("pypi", name="handwright"),
    )  # fmt: skip
    parts = {name: part(name, one, licences) for name, one in packages.items()}
    data = [data_part(*row, licences) for row in data_files()]
    known = "\n".join(sorted(f"{one.bom_ref} {one.version}" for one in (*parts.values(), *data)))
    bom = Bom(components=[*parts.values(), *data], serial_number=uuid.uuid5(uuid.NAMESPACE_URL, known))
    bom.metadata.component = own
    bom.register_dependency(own, [*parts.values(), *data])
    for name, one in packages.items():
        bom.register_dependency(parts[name], [parts[other] for other in sorted(one.needs & parts.keys())])
    text = JsonV1Dot6(bom).output_as_string(indent=1)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise SystemExit(f"the SBOM does not fit CycloneDX's schema: {error}")
    return text


def part(name: str, one: Installed, licences: LicenseFactory) -> Component:
    """A package."""
    return Component(
        name=name, version=one.version, type=ComponentType.LIBRARY, bom_ref=f"pypi/{name}",
        purl=PackageURL("pypi", name=name, version=one.version),
        licenses=[licences.make_from_string(licence(one.package))],
        properties=[Property(name="handwright:extra", value=extra) for extra in sorted(one.extras)],
    )  # fmt: skip


def data_part(path: Path, what: str, spdx: str, licences: LicenseFactory) -> Component:
    """A file of the package."""
    name = path.relative_to(PACKAGE).as_posix()
    network = path.suffix in (".onnx", ".safetensors")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Component(
        name=f"handwright/{name}", bom_ref=f"file/{name}", description=what,
        type=ComponentType.MACHINE_LEARNING_MODEL if network else ComponentType.FILE,
        licenses=[licences.make_from_string(spdx)],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for option in ("--page", "--sbom", "--audit-list"):
        parser.add_argument(option, type=Path)
    args = parser.parse_args()
    packages = shipped()
    listed = "".join(f"{name}=={one.version}\n" for name, one in packages.items())
    for path, make in ((args.page, page), (args.sbom, sbom), (args.audit_list, lambda _: listed)):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(make(packages), "utf-8")
            print(path)


if __name__ == "__main__":
    main()
