"""The WASI-NN plugin: is one loaded, and was it made for the engine that loads it?

Sources: WasmEdge ``lib/plugin/plugin.cpp`` (an API version that differs is passed over with a debug
message), crun ``handlers/wasmedge.c`` (a plugin is loaded only if the container's environment has
WASMEDGE_PLUGIN_PATH), runwasi ``containerd-shim-wasmedge`` (releases are built for musl, where
loading plugins is compiled out; it embeds WasmEdge 0.14.1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.checks.model_file import serves_model
from kubectl_wasmai.checks.wasi_nn import SERVERS, preloads, under_engine, words

from kubectl_wasmai.doctor.answers import per_workload
from kubectl_wasmai.doctor.model import Case, Check, Evidence, Result, Severity, Status
from kubectl_wasmai.doctor.versions import Version, parse
from kubectl_wasmai.wasm import SHIM_HANDLERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container

PATH_VARIABLE = "WASMEDGE_PLUGIN_PATH"
_API_SINCE = (
    (Version(0, 17, 0), 5),
    (Version(0, 14, 1), 4),
    (Version(0, 14, 0), 3),
    (Version(0, 13, 0), 2),
)
"""First WasmEdge release of each version of the plugin API, newest first."""
_WASMEDGE = re.compile(r"(?i)wasmedge[\w./-]*?[-_:/]v?(?P<version>0\.\d{1,2}\.\d{1,2})")


def plugin_api(version: Version) -> int | None:
    return next((api for since, api in _API_SINCE if version >= since), None)


def plugin_fits(case: Case, view: WorkloadView) -> Result:
    wanting = [container for container in view.containers if _wants_plugin(container)]
    if not wanting:
        return Result(Status.SKIP, "uses no WASI-NN plugin, as far as its spec tells", view.subject)
    told = dict(_versions(view))
    evidence = tuple(Evidence("spec", str(view.subject), text) for text in told)
    apis = {plugin_api(version) for version in told.values()}
    if len(apis) > 1:
        reason = f"two WasmEdge generations that share no plugins: {' and '.join(list(told)[:2])}"
        return Result(Status.WARN, reason, view.subject, evidence)
    if serves_model(view):
        reason = "the server, which listens once its model is loaded, is ready"
        return Result(Status.PASS, reason, view.subject, evidence)
    if under_engine(case, view):
        obstacle = _obstacle(case, view, wanting)
        if obstacle:
            return Result(Status.WARN, obstacle, view.subject, evidence)
    return Result(
        Status.UNKNOWN,
        "nothing in the API tells the engine's WasmEdge version, which the plugin's must equal",
        view.subject,
        evidence,
        needs="a log line of the loaded model, or `crun --version` and the plugin's file on the "
        "node",
    )


def _wants_plugin(container: Container) -> bool:
    variables = {variable.name for variable in container.env or ()}
    servers = any(word.rpartition("/")[2].startswith(SERVERS) for word in words(container))
    return bool(servers or preloads(container) or PATH_VARIABLE in variables)


def _obstacle(case: Case, view: WorkloadView, wanting: list[Container]) -> str:
    """Why crun or a shim will load no plugin; empty where nothing in the spec forbids it."""
    runtime_class = case.snapshot.runtime_classes.get(view.spec.runtime_class_name or "")
    handler = runtime_class.handler if runtime_class else ""
    if handler.startswith(SHIM_HANDLERS):
        return f"handler {handler}: runwasi's released shims load no plugins (built for musl)"
    for container in wanting:
        if PATH_VARIABLE not in {variable.name for variable in container.env or ()}:
            return f"{container.name}: without {PATH_VARIABLE} crun loads no plugin"
    return ""


def _versions(view: WorkloadView) -> Iterator[tuple[str, Version]]:
    """WasmEdge versions that images, variables and volumes name, by where they do."""
    for container in (*(view.spec.init_containers or ()), *view.containers):
        yield from _version(f"image {container.image}", container.image)
        for variable in container.env or ():
            if variable.name.startswith("WASMEDGE"):
                text = f"{variable.name}={variable.value or ''}"
                yield from _version(text, variable.value or "")
    for volume in view.spec.volumes or ():
        if volume.image and volume.image.reference:
            yield from _version(f"image volume {volume.image.reference}", volume.image.reference)
        if volume.host_path:
            yield from _version(f"hostPath {volume.host_path.path}", volume.host_path.path)


def _version(place: str, text: str) -> Iterator[tuple[str, Version]]:
    match = _WASMEDGE.search(text)
    version = parse(match["version"]) if match else None
    if version is not None:
        yield place, version


CHECKS = (
    Check(
        id="wasi-nn-plugin-fits",
        title="A WASI-NN plugin is loaded and fits its engine",
        severity=Severity.ERROR,
        needs=("Pod",),
        run=per_workload(plugin_fits),
    ),
)
