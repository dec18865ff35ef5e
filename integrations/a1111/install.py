"""Install handwright; the web UI runs this file. OpenCV, NumPy and torch stay what they are."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).resolve().parents[1] / "comfyui" / "install.py"), run_name="__main__")
