"""WASI-NN settings in a pod's spec: what is wrong there fails as soon as a model is used.

Sources: WasmEdge ``plugins/wasi_nn/wasinnenv.cpp`` (preloads, backends), crun
``handlers/wasmedge.c`` and runwasi (one preload), LlamaEdge ``llama-api-server/src/main.rs``.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.doctor.answers import NO_WORKLOAD
from kubectl_wasmai.doctor.model import (
    Case,
    Certainty,
    Check,
    Detector,
    Evidence,
    Finding,
    Result,
    Severity,
    Status,
)
from kubectl_wasmai.wasm import is_native_handler, selects_wasm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container

BACKEND_VARIABLE = "WASMEDGE_PLUGIN_WASI_NN_BACKEND"
PRELOAD_VARIABLE = "WASMEDGE_WASINN_PRELOAD"
STUBS = ("onnx", "tensorflow")
ENCODINGS = (
    *STUBS,
    *("openvino", "pytorch", "tensorflowlite", "autodetect", "ggml", "neuralspeed", "whisper"),
    *("piper", "chattts", "burn", "mlx", "openvinogenai", "bitnet"),
)
TARGETS = ("cpu", "gpu", "tpu", "auto")
PRELOAD_PARTS = 4
BETWEEN_PRELOADS = re.compile(r"[,;\s]+(?=[^:,;\s]+:[^:,;\s]+:[^:,;\s]+:)")
SERVERS = ("llama-api-server", "rag-api-server")
MODEL_OPTIONS = ("--model-name", "-m", "--model-alias", "-a", "--prompt-template", "-p")


class Setting(NamedTuple):
    """One preload: where it is written, and as what."""

    place: str
    text: str

    @property
    def parts(self) -> list[str]:
        return self.text.split(":", PRELOAD_PARTS - 1)

    @property
    def is_valid(self) -> bool:
        parts = self.parts
        if len(parts) < PRELOAD_PARTS or not all(parts):
            return False
        return parts[1].lower() in ENCODINGS and parts[2].lower() in TARGETS


def words(container: Container) -> list[str]:
    """Command and arguments; what a shell is given as one word is split as the shell does."""
    out: list[str] = []
    for word in [*(container.command or ()), *(container.args or ())]:
        try:
            out += shlex.split(word) if " " in word else [word]
        except ValueError:
            out += word.split()
    return out


def option(arguments: list[str], *names: str) -> list[str]:
    """All values of an option, written ``--name value`` or ``--name=value``."""
    found: list[str] = []
    for position, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in names and equals:
            found.append(value)
        elif word in names and position + 1 < len(arguments):
            found.append(arguments[position + 1])
    return found


def preloads(container: Container) -> list[Setting]:
    """Those of the environment, taken apart where several stand in one value, and of the command
    line. A value that only the cluster knows (a reference, an expansion) is not judged."""
    found: list[Setting] = []
    for variable in container.env or ():
        if variable.name.startswith(PRELOAD_VARIABLE) and variable.value:
            values = BETWEEN_PRELOADS.split(variable.value.strip())
            found += [Setting(variable.name, value) for value in values]
    found += [Setting("--nn-preload", each) for each in option(words(container), "--nn-preload")]
    return [each for each in found if "$" not in each.text]


def under_engine(case: Case, view: WorkloadView) -> bool:
    """Whether crun or a shim is the engine, rather than a wasmedge program in the image."""
    name = view.spec.runtime_class_name
    if not name:
        return selects_wasm(view.template_annotations)
    runtime_class = case.snapshot.runtime_classes.get(name)
    return not is_native_handler(runtime_class.handler if runtime_class else name)


def settings(case: Case) -> Iterator[Finding]:
    for view in case.workloads:
        for container in (*(view.spec.init_containers or ()), *view.containers):
            yield from _of_environment(view, container)
            yield from _of_preloads(case, view, container)
            yield from _of_server(view, container)


def _of_environment(view: WorkloadView, container: Container) -> Iterator[Finding]:
    for variable in container.env or ():
        if variable.name == BACKEND_VARIABLE:
            text = f"{container.name}: env {variable.name}={variable.value or ''}"
            yield _finding("wasi-nn-backend-env-ineffective", view, container, text)


def _of_preloads(case: Case, view: WorkloadView, container: Container) -> Iterator[Finding]:
    found = preloads(container)
    for each in found:
        text = f"{container.name}: {each.place} {each.text}"
        if not each.is_valid:
            yield _finding("wasi-nn-preload-invalid", view, container, text)
        elif each.parts[1].lower() in STUBS:
            yield _finding("onnx-backend-unsupported", view, container, text)
    if len(found) > 1 and under_engine(case, view):
        text = f"{container.name}: {len(found)} preloads: {', '.join(e.text for e in found)}"
        yield _finding("wasi-nn-preload-ignored", view, container, text)


def _of_server(view: WorkloadView, container: Container) -> Iterator[Finding]:
    arguments = words(container)
    if any("$" in word for word in arguments) or {"--help", "--version"} & {*arguments}:
        return
    known = _is_known_server(container)
    models = _list(option(arguments, "--model-name", "-m")) or ["default"]
    templates = _list(option(arguments, "--prompt-template", "-p"))
    if known and len(templates) != len(models):
        text = f"{container.name}: {len(models)} model names, {len(templates)} prompt templates"
        yield _finding("prompt-template-missing", view, container, text)
    names = [each.parts[0] for each in preloads(container) if each.is_valid]
    aliases = _list(option(arguments, "--model-alias", *(["-a"] if known else [])))
    if known:
        aliases = aliases or ["default", "embedding"][: len(models)]
    unknown = [alias for alias in aliases if alias not in names]
    if names and unknown:
        text = f"{container.name}: --model-alias {','.join(aliases)}, preloaded {', '.join(names)}"
        more = {"alias": unknown[0], "preloaded": names[0]}
        yield _finding("model-alias-mismatch", view, container, text, **more)


def _is_known_server(container: Container) -> bool:
    """By what it starts; or by the name of its image, where the arguments are that server's:
    otherwise they stand in the image, which nobody sees here."""
    started = [word.rpartition("/")[2] for word in words(container)]
    image = container.image.partition("@")[0].rpartition("/")[2]
    speaks = any(word.partition("=")[0] in MODEL_OPTIONS for word in container.args or ())
    return any(name.startswith(SERVERS) for name in (*started, *([image] if speaks else [])))


def _list(values: list[str]) -> list[str]:
    return [part for value in values for part in value.split(",") if part]


def _finding(
    cause: str, view: WorkloadView, container: Container, text: str, **names: str
) -> Finding:
    evidence = Evidence("spec", str(view.subject), text)
    more = {"container": container.name, **names}
    return Finding(cause, view.subject, Certainty.CERTAIN, (evidence,), more)


def settings_sound(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    wrong: dict[object, list[Evidence]] = {}
    for finding in settings(case):
        wrong.setdefault(finding.subject, []).extend(finding.evidence)
    for view in case.workloads:
        evidence = tuple(wrong.get(view.subject, ()))
        variables = {v.name for c in view.containers for v in c.env or ()}
        if evidence:
            yield Result(Status.FAIL, evidence[0].text, view.subject, evidence)
        elif "LD_LIBRARY_PATH" in variables and under_engine(case, view):
            reason = "LD_LIBRARY_PATH has no effect where the runtime itself is the engine"
            yield Result(Status.WARN, reason, view.subject)
        else:
            yield Result(Status.PASS, "no setting is malformed or without effect", view.subject)


CHECKS = (
    Check(
        id="wasi-nn-settings-sound",
        title="Settings for WASI-NN and models are right and have an effect",
        severity=Severity.ERROR,
        needs=("Pod",),
        run=settings_sound,
    ),
)
DETECTORS = (
    Detector(
        (
            "wasi-nn-backend-env-ineffective",
            "wasi-nn-preload-invalid",
            "onnx-backend-unsupported",
            "wasi-nn-preload-ignored",
            "prompt-template-missing",
            "model-alias-mismatch",
        ),
        ("Pod",),
        settings,
    ),
)
