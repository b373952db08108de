"""Whether crun itself can run WebAssembly, as far as its own words tell.

A crun built without an engine says of a module what one says that was not told to use it:
``Exec format error``. But crun prints its errors by the JSON library it was built with: yajl in
one line, json-c (crun 1.28 and newer) over several and with ``\\/`` for a slash. Of that
generation Debian and Ubuntu have no build with WasmEdge; Debian 13's crun 1.21 is one, and older.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.health import container_statuses, is_well
from kubectl_wasmai.doctor.model import Case, Certainty, Detector, Evidence, Finding, Subject
from kubectl_wasmai.snapshot import LogKey
from kubectl_wasmai.wasm import selects_wasm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Pod

_BY_JSON_C = re.compile(
    r'"msg": "exec container process `(?P<module>\\/\S+\.(?:wasm|wat))`: Exec format error"'
)
_WITHOUT = re.compile(r"Debian|Ubuntu")


def lacks_wasm(case: Case) -> Iterable[Finding]:
    systems = {node.name: node.status.node_info.os_image or "" for node in case.snapshot.nodes}
    for view in case.workloads:
        if not selects_wasm(view.template_annotations):
            continue
        for pod in view.pods:
            system = systems.get(pod.spec.node_name or "", "")
            if not is_well(pod) and _WITHOUT.search(system):
                yield from _of_pod(case, view, pod, system)


def _of_pod(case: Case, view: WorkloadView, pod: Pod, system: str) -> Iterator[Finding]:
    for status in container_statuses(pod):
        log = case.snapshot.logs.get(LogKey(pod.namespace, pod.name, status.name), "")
        for line in log.splitlines():
            found = _BY_JSON_C.search(line)
            if found is None:
                continue
            about = f"{Subject('Pod', pod.namespace, pod.name)} [{status.name}]"
            node = pod.spec.node_name or ""
            evidence = (
                Evidence("log", about, line.strip()),
                Evidence("node", f"Node {node}", f"osImage: {system}"),
            )
            names = {"module": found["module"].replace("\\/", "/"), "node": node}
            likely = Certainty.LIKELY
            yield Finding("runtime-lacks-wasm-support", view.subject, likely, evidence, names)
            return


DETECTORS = (Detector(("runtime-lacks-wasm-support",), ("Pod", "Node"), lacks_wasm),)
