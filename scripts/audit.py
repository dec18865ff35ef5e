"""Audit what ships: audit.py LIST [--require-network]; LIST comes from what_ships.py --audit-list.

Without network: packages fit each other (pip check), every direct dependency has a pin in constraints.txt,
what is pinned is installed in that version, nothing came from an address instead of the index, and the
installed files are those that the packages' own records name (sha256). With network: pip-audit asks for known
weaknesses of exactly these versions. Exit code 1 where something is wrong; where no service answers, that is
said, and is an error only with --require-network.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
NOT_ASKED = "known weaknesses: NOT CHECKED, no service answered"


def pins() -> dict[str, str]:
    """Versions of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    found = (re.fullmatch(r"([\w.-]+)(?:\[[^]]*\])?==(\S+)", line.strip()) for line in lines)
    return {canonicalize_name(one[1]): one[2] for one in found if one}


def direct() -> set[str]:
    """Packages that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [
        *project["dependencies"],
        *(one for many in project["optional-dependencies"].values() for one in many),
    ]
    return {canonicalize_name(Requirement(one).name) for one in named} - {"handwright"}


def changed_files(package: Distribution) -> list[str]:
    """Installed files that differ from the package's record, or are missing."""
    wrong = []
    for file in package.files or []:
        if file.hash is None or file.suffix == ".pyc":
            continue
        path = Path(str(file.locate()))
        if not path.exists():
            wrong.append(f"{file} is missing")
            continue
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, file.hash.mode).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
            wrong.append(f"{file} was changed")
    return wrong


def findings(versions: dict[str, str], pinned: dict[str, str], named: set[str]) -> list[str]:
    """What is wrong without asking anybody.

    Args:
        versions: Of the packages that ship.
        pinned: Of constraints.txt.
        named: What pyproject.toml names.
    """
    wrong = [f"{name} has no pin in constraints.txt" for name in sorted(named - pinned.keys())]
    for name, version in versions.items():
        if pinned.get(name, version) != version:
            wrong.append(f"{name} {version} is installed, constraints.txt says {pinned[name]}")
        package = distribution(name)
        if origin := package.read_text("direct_url.json"):
            wrong.append(f"{name} came from {json.loads(origin)['url']}, not from the index")
        wrong += [f"{name}: {problem}" for problem in changed_files(package)]
    fits = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    if fits.returncode:
        wrong += fits.stdout.splitlines()
    return wrong


def weaknesses(listed: Path) -> tuple[int, str]:
    """Ask OSV, then PyPI: 0 none known, 1 some, 2 nobody answered; and what was said.

    PyPI's answer counts only where it knows every package: an index without its JSON interface knows none.
    """
    for service in ("osv", "pypi"):
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(listed), "--no-deps",
                   "--disable-pip", "--vulnerability-service", service, "--progress-spinner", "off",
                   "--format", "json"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        try:
            packages = json.loads(done.stdout)["dependencies"]
        except ValueError:
            continue
        if any("skip_reason" in one for one in packages):
            continue
        found = [(one["name"], one["version"], weak) for one in packages for weak in one["vulns"]]
        told = [f"{name} {version}: {weak['id']}, mended in {weak['fix_versions'] or 'no version'}"
                for name, version, weak in found]  # fmt: skip
        return int(bool(found)), "\n".join(
            told or [f"known weaknesses: none of {len(packages)} packages ({service})"]
        )
    return 2, NOT_ASKED


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("list", type=Path)
    parser.add_argument("--require-network", action="store_true")
    args = parser.parse_args()
    versions = dict(line.split("==") for line in args.list.read_text("utf-8").split())
    wrong = findings(versions, pins(), direct())
    print(*wrong, f"without network: {len(wrong)} findings in {len(versions)} packages", sep="\n")
    code, told = weaknesses(args.list)
    print(told)
    sys.exit(1 if wrong or code == 1 or (code == 2 and args.require_network) else 0)


if __name__ == "__main__":
    main()
