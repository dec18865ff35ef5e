"""Install handwright beside ComfyUI; ComfyUI Manager runs this file.

OpenCV, NumPy and torch of the environment stay what they are: their versions are given to pip as constraints,
and handwright and MediaPipe, which name OpenCV themselves, are installed without their requirements.
"""

import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
KEPT = ("numpy", "torch", "torchvision", "torchaudio", "xformers")


def kept() -> list[str]:
    """What must not change, as pip's constraints."""
    found = {one.metadata["Name"].lower(): one.version for one in distributions()}
    names = [name for name in found if name in KEPT or name.startswith("opencv-")]
    return [f"{name}=={found[name]}" for name in sorted(names)]


def commands(constraints: Path) -> list[list[str]]:
    """What is asked of pip, in order."""
    about = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))
    root = HERE.parents[1]
    own = str(root) if (root / "src" / "handwright").is_dir() else "handwright>=0.1"
    wanted = [
        *about["project"]["dependencies"],
        *([] if find_spec("cv2") else ["opencv-python-headless>=4.10"]),
    ]
    return [
        ["-c", str(constraints), *wanted],
        [
            "--no-deps",
            *([] if find_spec("mediapipe") else ["mediapipe>=1.2"]),
            *([] if find_spec("handwright") else [own]),
        ],
    ]


def main() -> None:
    """Run pip."""
    with TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(kept()) + "\n")
        for arguments in commands(constraints):
            if arguments == ["--no-deps"]:
                continue
            if subprocess.run([sys.executable, "-m", "pip", "install", *arguments], check=False).returncode:
                sys.exit(
                    f"handwright was not installed; {', '.join(kept())} stay as they are (needs numpy>=2)."
                )


if __name__ == "__main__":
    main()
