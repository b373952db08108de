"""What the name of a GGUF file tells: how many parameters, how quantised, so how large.

``llama-2-7b-chat.Q4_K_M.gguf`` has 7e9 weights of 4.84 bits: 4.2 GB. That is an estimate, good to
about a tenth for dense models; names are given by people. Bits per weight: llama.cpp's
``tools/quantize/README.md`` (Llama 2 7B and Llama 3.1 8B), block layouts in ``ggml-common.h``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_BITS = {
    "F32": 32.0,
    "F16": 16.0,
    "FP16": 16.0,
    "BF16": 16.0,
    "Q8_0": 8.5,
    "Q4_0": 4.55,
    "Q4_1": 5.0,
    "Q5_0": 5.5,
    "Q5_1": 6.0,
    "Q6_K": 6.56,
    "TQ1_0": 1.7,
    "Q2_K": 3.35,
    "Q2_K_S": 3.0,
    "Q3_K_S": 3.5,
    "Q3_K_M": 3.91,
    "Q3_K_L": 4.27,
    "Q3_K": 3.91,
    "Q4_K_S": 4.58,
    "Q4_K_M": 4.84,
    "Q4_K": 4.84,
    "Q5_K_S": 5.52,
    "Q5_K_M": 5.68,
    "Q5_K": 5.68,
    "IQ1_S": 1.8,
    "IQ1_M": 2.0,
    "IQ2_XXS": 2.3,
    "IQ2_XS": 2.5,
    "IQ2_S": 2.7,
    "IQ2_M": 2.9,
    "IQ3_XXS": 3.2,
    "IQ3_XS": 3.4,
    "IQ3_S": 3.5,
    "IQ3_M": 3.7,
    "IQ4_XS": 4.3,
    "IQ4_NL": 4.6,
    "TQ2_0": 2.1,
    "Q4_0_4_4": 4.55,
    "Q4_0_4_8": 4.55,
    "Q4_0_8_8": 4.55,
    "MXFP4": 4.25,
}
_EDGE = r"(?:^|[-_. /])"
_PARAMETERS = re.compile(
    _EDGE + r"(?:(?P<experts>\d{1,3})x)?(?P<number>\d{1,4}(?:\.\d{1,3})?)(?P<unit>[bm])"
    r"(?=[-_. ]|$)",
    re.IGNORECASE,
)
_QUANTISATION = re.compile(
    _EDGE + f"({'|'.join(sorted(_BITS, key=len, reverse=True))})" + r"(?=[-_. ]|$)", re.IGNORECASE
)
_EVERY_HEAD = re.compile(r"llama-?2-(?:7|13)b", re.IGNORECASE)
DEFAULT_CONTEXT = 4096
"""Tokens, of llama-api-server."""
_SHARED = 0.83
"""Experts share attention and embeddings: Mixtral's 8x7B has 46.7e9 weights, not 56e9."""


class Model(NamedTuple):
    """``parameters`` in units, ``quantization`` as llama.cpp names it."""

    parameters: float
    quantization: str

    @property
    def bytes(self) -> float:
        """The file's size, estimated."""
        return self.parameters * _BITS[self.quantization] / 8


def from_name(name: str) -> Model | None:
    """``None`` where the name does not tell both, or is not a GGUF file's."""
    file = name.rpartition("/")[2]
    if not file.lower().endswith(".gguf"):
        return None
    size, quantisation = _PARAMETERS.search(file), _QUANTISATION.search(file)
    if size is None or quantisation is None:
        return None
    parameters = float(size["number"]) * {"b": 1e9, "m": 1e6}[size["unit"].lower()]
    experts = int(size["experts"] or 1)
    if experts > 1:
        parameters *= experts * _SHARED
    return Model(parameters, quantisation[1].upper())


def bytes_a_token(parameters: float, name: str) -> float:
    """Of an f16 key-value cache: 0.5 MiB for Llama 2 7B; newer models share keys among heads."""
    whole = float(0.5 * 2**20 * (parameters / 7e9) ** (2 / 3))
    return whole if _EVERY_HEAD.search(name) else whole / 4
