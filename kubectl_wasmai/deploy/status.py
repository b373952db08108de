"""How one workload stands: its Deployment, Service and pods, read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.deploy.inventory import address
from kubectl_wasmai.deploy.ownership import nothing, read_ours
from kubectl_wasmai.deploy.text import age, clean, table
from kubectl_wasmai.deploy.wait import Follower
from kubectl_wasmai.resources import DEPLOYMENT, SERVICE

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import Cluster
    from kubectl_wasmai.deploy.rollout import Progress


@dataclass(frozen=True)
class WorkloadStatus:
    """One workload. ``progress.done`` is whether it is ready."""

    name: str
    namespace: str
    deployment: dict[str, Any]
    service: dict[str, Any] | None
    progress: Progress

    def document(self) -> dict[str, Any]:
        """The stable form for ``-o json|yaml``."""
        return {
            "apiVersion": "wasmai.dev/v1",
            "kind": "WorkloadStatus",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "ready": self.progress.done,
            "waitingFor": self.progress.waiting_for,
            "replicas": {"ready": self.progress.ready, "desired": self.progress.desired},
            "runtimeClass": self._pod_spec.get("runtimeClassName"),
            "image": self._container["image"],
            "service": address(self.service) if self.service else None,
            "resources": self._container.get("resources") or {},
            "pods": [
                {
                    "name": pod.name,
                    "stage": pod.stage.value,
                    "reason": pod.reason,
                    "restarts": pod.restarts,
                    "node": pod.node,
                }
                for pod in self.progress.pods
            ],
        }

    def facts(self) -> list[tuple[str, str]]:
        """What a person wants to know first, as label and text."""
        resources = self._container.get("resources") or {}
        progress = self.progress
        return [
            ("Name", self.name),
            ("Namespace", self.namespace),
            ("Ready", f"{progress.ready}/{progress.desired}"),
            *([] if progress.done else [("Waiting for", progress.waiting_for)]),
            ("Class", str(self._pod_spec.get("runtimeClassName") or "<none>")),
            ("Image", str(self._container["image"])),
            ("Service", address(self.service) if self.service else "<none>"),
            ("Probes", _probes(self._container)),
            ("Requests", _amounts(resources.get("requests"))),
            ("Limits", _amounts(resources.get("limits"))),
        ]

    @property
    def _pod_spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.deployment["spec"]["template"]["spec"]
        return spec

    @property
    def _container(self) -> dict[str, Any]:
        container: dict[str, Any] = self._pod_spec["containers"][0]
        return container


def read_status(cluster: Cluster, name: str, namespace: str) -> WorkloadStatus:
    """Read it all once. Raises NotFound, or InputError for a workload that is not ours."""
    found = read_ours(cluster, name, namespace)
    if DEPLOYMENT not in found:
        raise nothing(name, namespace)
    progress = Follower(cluster, namespace, name).look()
    return WorkloadStatus(name, namespace, found[DEPLOYMENT], found.get(SERVICE), progress)


def describe(status: WorkloadStatus) -> str:
    """The status for a person: facts, then the pods, then what the unready ones wait for."""
    facts = status.facts()
    width = max(len(label) for label, _ in facts) + 2
    lines = [f"{label + ':':<{width}} {clean(text)}" for label, text in facts]
    pods = status.progress.pods
    if pods:
        rows = [
            [pod.name, pod.stage.value, str(pod.restarts), pod.node, age(pod.created)]
            for pod in pods
        ]
        lines += ["", table(["POD", "STAGE", "RESTARTS", "NODE", "AGE"], rows)]
    reasons = [f"{clean(pod.name)}: {pod.reason}" for pod in pods if pod.reason]
    return "\n".join([*lines, *(["", *reasons] if reasons else [])])


def _amounts(amounts: dict[str, Any] | None) -> str:
    return ", ".join(f"{name}={amount}" for name, amount in (amounts or {}).items()) or "<none>"


def _probes(container: dict[str, Any]) -> str:
    """``GET /health on http``: what decides that a pod is ready."""
    http = (container.get("readinessProbe") or {}).get("httpGet") or {}
    return f"GET {http.get('path', '/')} on port {http.get('port')}" if http else "<none>"
