"""Signing and verifying: the cosign program does the cryptography, this gives it the digest.

Source: ``cosign sign --help`` and its like; exit codes from ``pkg/errors`` of sigstore/cosign.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from kubectl_wasmai.errors import MissingProgram, NotVerified, WasmaiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_wasmai.image.registry.client import Registry

PROGRAM = "cosign"
UNVERIFIED = {
    10: "it has no signature",
    11: "it is not in the registry",
    12: "none of its signatures is by that key or identity",
    13: "its signature has no certificate",
}
UNVERIFIED_WORDS = {
    # cosign 2.5 ends with code 1 where an attestation does not fit; its words tell.
    "no matching attestations": "none of its statements of that type is by that key or identity",
    "no matching signatures": UNVERIFIED[12],
    "no signatures found": UNVERIFIED[10],
}
_LAST_LINES = 6


def require_cosign() -> str:
    """The path of the program. Raises MissingProgram."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise MissingProgram(
            "cosign is not on PATH; it makes and checks the signatures",
            "install it: apt install cosign (Debian 13), brew install cosign, or "
            "go install github.com/sigstore/cosign/v2/cmd/cosign@latest",
        )
    return found


def connection_flags(registry: Registry) -> list[str]:
    """Cosign's own flags for what was said about the registry."""
    plain, options = registry.plain_http, registry.options
    flags = ["--allow-http-registry"] if plain else []
    if options.certificate_authority:
        flags.append(f"--registry-cacert={options.certificate_authority}")
    # cosign 2.5's verify looks at this flag alone before it speaks HTTP to another host.
    if options.insecure_skip_tls_verify or plain:
        flags.append("--allow-insecure-registry")
    return flags


def run(words: Sequence[str]) -> None:
    """Run cosign on this terminal: it may ask for a password. Raises WasmaiError."""
    done = subprocess.run([require_cosign(), *words], check=False)
    if done.returncode != 0:
        raise WasmaiError(
            f"cosign {words[0]} failed (exit code {done.returncode}); its own words stand above",
            "a passphrase may come from COSIGN_PASSWORD; `cosign login` and `docker login` give "
            "it access to the registry",
        )


def verify(words: Sequence[str], image: str) -> str:
    """Run a verification; returns what cosign verified, as JSON.

    Raises NotVerified where cosign found the image not to be signed so; WasmaiError where it
    could not tell.
    """
    done = subprocess.run(
        [require_cosign(), *words], capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode == 0:
        return done.stdout
    said = "\n".join(done.stderr.strip().splitlines()[-_LAST_LINES:])
    reason = _reason(done.returncode, said)
    if reason:
        raise NotVerified(
            f"{image} is not verified: {reason}\n{said}",
            "sign it (kubectl wasmai image sign), or find out who changed it; do not run it",
        )
    raise WasmaiError(f"cosign {words[0]} failed (exit code {done.returncode}):\n{said}")


def _reason(code: int, said: str) -> str:
    """Why an image is not verified; nothing where cosign failed for another reason."""
    by_words = (why for words, why in UNVERIFIED_WORDS.items() if words in said)
    return UNVERIFIED.get(code) or next(by_words, "")
