"""Live objects of one deployment called web, as an API server would answer them."""

from __future__ import annotations

from typing import Any

from kubectl_wasmai.deploy.events import Event, parse_event
from kubectl_wasmai.deploy.request import DeployRequest

Json = dict[str, Any]

CREATED = "2026-11-23T09:30:00Z"
CREATED_SECONDS = 1795426200.0
"""The same moment since the epoch."""


def request(**more: Any) -> DeployRequest:
    return DeployRequest(
        **{"name": "web", "image": "example.test/hello:1", "runtime_class": "wasm", **more}
    )


def deployment(*, replicas: int = 1, generation: int = 1, **more: Any) -> Json:
    """A finished one; ``status`` entries and ``conditions`` as keywords."""
    status: Json = {
        "observedGeneration": generation,
        "replicas": replicas,
        "updatedReplicas": replicas,
        "readyReplicas": replicas,
        "availableReplicas": replicas,
        **more,
    }
    return {
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": "default",
            "uid": "uid-web",
            "generation": generation,
            "annotations": {"deployment.kubernetes.io/revision": "2"},
        },
        "spec": {"replicas": replicas},
        "status": status,
    }


def replica_set(name: str = "web-new", *, revision: str = "2", owner: str = "uid-web") -> Json:
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"uid": owner}],
        }
    }


def pod(
    name: str = "web-new-x",
    *,
    owner: str = "web-new",
    state: Json | None = None,
    ready: bool = False,
    **container: Any,
) -> Json:
    """Scheduled and being created, unless ``state`` or ``ready`` says more."""
    running: Json = {"running": {"startedAt": "2026-11-23T09:30:01Z"}}
    waiting: Json = {"waiting": {"reason": "ContainerCreating"}}
    status = {"state": state or (running if ready else waiting), "restartCount": 0, **container}
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "creationTimestamp": CREATED,
            "ownerReferences": [{"uid": f"uid-{owner}"}],
        },
        "spec": {"nodeName": "node1"},
        "status": {
            "phase": "Running" if ready else "Pending",
            "conditions": [
                {"type": "PodScheduled", "status": "True"},
                {
                    "type": "Ready",
                    "status": "True" if ready else "False",
                    "lastTransitionTime": "2026-11-23T09:30:02Z",
                },
            ],
            "containerStatuses": [status],
        },
    }


def waiting(reason: str, message: str = "", **container: Any) -> Json:
    return pod(state={"waiting": {"reason": reason, "message": message}}, **container)


def raw_event(
    reason: str, message: str = "", *, uid: str = "uid-web-new-x", after: float = 1.0
) -> Json:
    """Recorded ``after`` seconds from creation, by a kubelet: the name alone is exact."""
    nanoseconds = int(CREATED_SECONDS * 1e9) + int(after * 1e9)
    second = f"2026-11-23T09:30:{int(after):02d}Z"
    return {
        "metadata": {"name": f"web-new-x.{nanoseconds:x}"},
        "involvedObject": {"uid": uid},
        "reason": reason,
        "message": message,
        "firstTimestamp": second,
        "lastTimestamp": second,
        "eventTime": None,
    }


def event(
    reason: str, message: str = "", *, uid: str = "uid-web-new-x", after: float = 1.0
) -> Event:
    return parse_event(raw_event(reason, message, uid=uid, after=after))
