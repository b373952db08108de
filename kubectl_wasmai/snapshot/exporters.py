"""Asks exporters of GPU metrics what they measure, pod by pod, through the API server's proxy.

There is one exporter on a node, so a Service would answer for any of them. Bounded in pods, bytes
and seconds; those on nodes whose GPUs are in use come first.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai import gpu
from kubectl_wasmai.errors import ApiError, ClusterUnreachable, Forbidden
from kubectl_wasmai.snapshot.model import Denied, MetricsKey, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from kubectl_wasmai.cluster import Cluster
    from kubectl_wasmai.snapshot.model import ClusterSnapshot
    from kubectl_wasmai.snapshot.objects import Pod

MAX_EXPORTERS = 16
MAX_BYTES = 1024 * 1024
"""Eight GPUs with every counter on take about 200 KB."""
SECONDS = 5.0
PORT, AMD_PORT = 9400, 5000
"""Where NVIDIA's and AMD's exporters listen unless they are told otherwise."""
_PORT_NAMES = ("metrics", "gpu-metrics")


class Exporter(NamedTuple):
    """Where one exporter is to be asked."""

    namespace: str
    pod: str
    port: int


@dataclass
class Told:
    """What exporters said, and why others said nothing."""

    metrics: dict[MetricsKey, str] = field(default_factory=dict)
    denied: list[Denied] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


def exporters(snapshot: ClusterSnapshot) -> tuple[Exporter, ...]:
    """Those that run, at most ``MAX_EXPORTERS``, nodes with GPUs in use first."""
    found = list(_pods(snapshot))
    if not found:
        return ()
    used = {p.spec.node_name for p in snapshot.pods if gpu.granted(p) or p.spec.resource_claims}

    def order(pod: Pod) -> tuple[bool, str, str]:
        return pod.spec.node_name not in used, pod.namespace, pod.name

    chosen = sorted(found, key=lambda pair: order(pair[1]))[:MAX_EXPORTERS]
    return tuple(Exporter(pod.namespace, pod.name, _port(pod, vendor)) for vendor, pod in chosen)


def _pods(snapshot: ClusterSnapshot) -> Iterator[tuple[str, Pod]]:
    """Vendor and pod. Of all workloads only DaemonSets are looked at, without their pods."""
    sets = replace(snapshot, objects={"DaemonSet": snapshot.objects.get("DaemonSet", ())})
    vendors = {
        (view.subject.namespace, view.subject.name): gpu.component_vendor(view)
        for view in sets.views
        if gpu.role(view) == gpu.EXPORTER
    }
    for pod in snapshot.pods if vendors else ():
        owners = [o.name for o in pod.metadata.owner_references or () if o.kind == "DaemonSet"]
        key = (pod.namespace, owners[0] if owners else "")
        leaving = pod.metadata.deletion_timestamp is not None
        if key in vendors and pod.status.phase == "Running" and not leaving:
            yield vendors[key], pod


def _port(pod: Pod, vendor: str) -> int:
    ports = [port for each in pod.spec.containers or () for port in each.ports or ()]
    named = [port.container_port for port in ports if port.name in _PORT_NAMES]
    any_ = [port.container_port for port in ports]
    return next(iter([*named, *any_]), AMD_PORT if vendor == "amd" else PORT)


def ask_exporters(cluster: Cluster, snapshot: ClusterSnapshot, pool: Executor) -> Told:
    """Asks them all at once. A namespace where it is not allowed is asked in once for each pod:
    rights may be given by name."""
    told = Told()
    asked = exporters(snapshot)
    for exporter, answer in zip(asked, pool.map(lambda e: _ask(cluster, e), asked), strict=True):
        if isinstance(answer, str):
            told.metrics[MetricsKey(exporter.namespace, exporter.pod)] = answer
        elif isinstance(answer, Denied) and answer not in told.denied:
            told.denied.append(answer)
        elif isinstance(answer, Unreadable):
            told.unreadable.append(answer)
    return told


def _ask(cluster: Cluster, exporter: Exporter) -> str | Denied | Unreadable:
    try:
        return cluster.proxy(*exporter, "/metrics", most=MAX_BYTES, timeout=SECONDS)
    except Forbidden as error:
        # Without a resource it was the exporter that refused, not the API server.
        if error.resource:
            return Denied("get", "pods/proxy", exporter.namespace)
        reason = error.message
    except (ApiError, ClusterUnreachable) as error:
        reason = error.message
    return Unreadable(f"metrics of Pod {exporter.namespace}/{exporter.pod}", reason)
