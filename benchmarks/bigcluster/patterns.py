"""The objects that a big cluster is copied from: of the size and kind that real clusters hold.

Every name, address and identifier that differs between copies has a fixed length, so that a copy
is the stored bytes of its pattern with other bytes of the same length in them.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

NAMESPACE = "team-00"
NODE = "worker-0000"
APP = "app-00000"
REPLICA_SET = f"{APP}-7c9d8b6f54"
POD = f"{REPLICA_SET}-aaaaa"
HOST_IP = "127.99.100.100"
POD_IP = "10.198.100.100"
CONTAINER_ID = "0123456789abcdef" * 4
EVENT_SUFFIX = "17a0b1c2d3e4f506"
DIGEST = "fedcba9876543210" * 4
"""Of images and configurations: the same for all pods of a workload."""

# Seconds since 1970 of a pod's life; copies get times of their own.
MOMENTS = {"scheduled": 1_795_500_000, "started": 1_795_500_002, "ready": 1_795_500_009}


def stamp(moment: int) -> str:
    """As the API writes a time."""
    return datetime.fromtimestamp(moment, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


SCHEDULED, STARTED, READY = map(stamp, MOMENTS.values())

WASM_CLASS = "wasm"
RUNTIME_CLASS: dict[str, Any] = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": WASM_CLASS},
    "handler": "crun",
}

# What a pod can be. "linux" pods are other teams' and make most of a cluster.
KINDS = ("linux", "linux-sidecar", "linux-init", "wasm", "wasm-broken", "wasm-pending")


def node() -> dict[str, Any]:
    """A worker with the labels, conditions and images that a kubelet reports."""
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": NODE,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "m6i.4xlarge",
        "topology.kubernetes.io/region": "eu-central-1",
        "topology.kubernetes.io/zone": "eu-central-1a",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NODE, "labels": labels},
        "spec": {"podCIDR": "10.198.0.0/24", "podCIDRs": ["10.198.0.0/24"]},
    }


def node_status() -> dict[str, Any]:
    amounts = {"cpu": "16", "ephemeral-storage": "209702892Ki", "memory": "64829932Ki",
               "pods": "110"}  # fmt: skip
    conditions = [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "memory is available"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ]  # fmt: skip
    images = [
        {
            "names": [
                f"registry.example.com/team/service-{number}@sha256:{DIGEST}",
                f"registry.example.com/team/service-{number}:2026.11.{number}",
            ],
            "sizeBytes": 80_000_000 + number,
        }
        for number in range(25)
    ]
    return {
        "addresses": [
            {"type": "InternalIP", "address": HOST_IP},
            {"type": "Hostname", "address": NODE},
        ],
        "capacity": amounts,
        "allocatable": {**amounts, "cpu": "15890m", "memory": "63000000Ki"},
        "conditions": [
            {
                "type": type_,
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": STARTED,
                "lastTransitionTime": STARTED,
            }
            for type_, status, reason, message in conditions
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "images": images,
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "9f4d5c0e-8a9b-4c7d-9e0f-1a2b3c4d5e6f",
            "containerRuntimeVersion": "containerd://2.0.4",
            "kernelVersion": "6.1.0-31-amd64",
            "kubeProxyVersion": "",
            "kubeletVersion": "v1.34.4",
            "machineID": "0123456789abcdef0123456789abcdef",
            "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 12 (bookworm)",
            "systemUUID": "01234567-89ab-cdef-0123-456789abcdef",
        },
        "runtimeHandlers": [
            {"name": "", "features": {"recursiveReadOnlyMounts": True, "userNamespaces": True}},
            {"name": "crun", "features": {"recursiveReadOnlyMounts": True}},
            {"name": "runc", "features": {"recursiveReadOnlyMounts": True}},
        ],
    }


def _owned_by(kind: str, name: str, uid: str) -> dict[str, Any]:
    owner = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {"ownerReferences": [owner]}


def _labels(*, hashed: bool) -> dict[str, str]:
    labels = {
        "app.kubernetes.io/instance": APP,
        "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/name": "service",
        "app.kubernetes.io/part-of": "shop",
        "app.kubernetes.io/version": "2026.11.3",
    }
    return {**labels, "pod-template-hash": "7c9d8b6f54"} if hashed else labels


def _template(kind: str, *, hashed: bool) -> dict[str, Any]:
    wasm = kind.startswith("wasm")
    annotations = {
        "checksum/config": DIGEST,
        "prometheus.io/port": "8080",
        "prometheus.io/scrape": "true",
    }
    if wasm:
        annotations["module.wasm.image/variant"] = "compat-smart"
    return {
        "metadata": {"labels": _labels(hashed=hashed), "annotations": annotations},
        "spec": _pod_spec(kind),
    }


def _pod_spec(kind: str) -> dict[str, Any]:
    wasm = kind.startswith("wasm")
    containers = [_container("server", wasm=wasm)]
    if kind == "linux-sidecar":
        containers.append(_container("proxy", wasm=False))
    spec: dict[str, Any] = {
        "containers": containers,
        "serviceAccountName": "default",
        "terminationGracePeriodSeconds": 30,
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/instance": APP}},
            }
        ],
        "volumes": [
            {"name": "config", "configMap": {"name": APP}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    if kind == "linux-init":
        spec["initContainers"] = [_container("migrate", wasm=False)]
    if wasm:
        spec["runtimeClassName"] = WASM_CLASS
    return spec


def _container(name: str, *, wasm: bool) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 10}
    container: dict[str, Any] = {
        "name": name,
        "image": f"registry.example.com/team/{name}:2026.11.3",
        "command": ["/server.wasm" if wasm else "/usr/local/bin/server"],
        "args": ["--config=/etc/service/config.yaml", "--port=8080", "--log-level=info"],
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {
                "name": "POD_NAMESPACE",
                "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
            },
            {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": APP, "key": "url"}}},
            {"name": "FEATURE_FLAGS", "value": "checkout,search,recommendations"},
            {"name": "REGION", "value": "eu-central-1"},
        ],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/service", "readOnly": True},
            {"name": "tmp", "mountPath": "/var/cache"},
        ],
    }  # fmt: skip
    if name != "migrate":  # an init container has none
        container |= {"livenessProbe": {**probe, "failureThreshold": 5}, "readinessProbe": probe}
    if name == "server":
        container["ports"] = [{"name": "http", "containerPort": 8080}]
    return container


def deployment(kind: str, replicas: int) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": APP, "namespace": NAMESPACE, "labels": _labels(hashed=False)},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app.kubernetes.io/instance": APP}},
            "template": _template(kind, hashed=False),
        },
    }


def replica_set(kind: str, replicas: int, uid: str) -> dict[str, Any]:
    metadata = {
        "name": REPLICA_SET,
        "namespace": NAMESPACE,
        "labels": _labels(hashed=True),
        **_owned_by("Deployment", APP, uid),
    }
    selector = {"app.kubernetes.io/instance": APP, "pod-template-hash": "7c9d8b6f54"}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata,
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": selector},
            "template": _template(kind, hashed=True),
        },
    }


def workload_status(kind: str, replicas: int) -> dict[str, Any]:
    """Of a Deployment or ReplicaSet; conditions only the former has, the latter ignores."""
    ready = 0 if kind in ("wasm-broken", "wasm-pending") else replicas
    return {"observedGeneration": 1, "replicas": replicas, "readyReplicas": ready,
            "availableReplicas": ready}  # fmt: skip


def service() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": APP, "namespace": NAMESPACE, "labels": _labels(hashed=False)},
        "spec": {
            "selector": {"app.kubernetes.io/instance": APP},
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
            "clusterIP": "None",
        },
    }


def pod(kind: str, uid: str) -> dict[str, Any]:
    template = _template(kind, hashed=True)
    metadata = {
        **template["metadata"],
        "name": POD,
        "namespace": NAMESPACE,
        **_owned_by("ReplicaSet", REPLICA_SET, uid),
    }
    tolerations = [
        {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute",
         "tolerationSeconds": 300}
        for what in ("not-ready", "unreachable")
    ]  # fmt: skip
    spec = {**template["spec"], "tolerations": tolerations}
    if kind != "wasm-pending":
        spec["nodeName"] = NODE
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def pod_status(kind: str) -> dict[str, Any]:
    if kind == "wasm-pending":
        said = "0/1000 nodes are available: 1000 Insufficient cpu. preemption: 0/1000 nodes are available: 1000 No preemption victims found for incoming pod."  # noqa: E501
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                     "message": said, "lastTransitionTime": SCHEDULED}  # fmt: skip
        return {"phase": "Pending", "qosClass": "Burstable", "conditions": [condition]}
    broken = kind == "wasm-broken"
    spec = _pod_spec(kind)
    statuses = [_container_status(each["name"], broken=broken) for each in spec["containers"]]
    ready = "False" if broken else "True"
    status: dict[str, Any] = {
        "phase": "Running",
        "qosClass": "Burstable",
        "hostIP": HOST_IP,
        "hostIPs": [{"ip": HOST_IP}],
        "podIP": POD_IP,
        "podIPs": [{"ip": POD_IP}],
        "startTime": SCHEDULED,
        "conditions": [
            {"type": type_, "status": state, "lastProbeTime": None, "lastTransitionTime": moment}
            for type_, state, moment in (
                ("PodReadyToStartContainers", "True", STARTED),
                ("Initialized", "True", SCHEDULED),
                ("Ready", ready, READY),
                ("ContainersReady", ready, READY),
                ("PodScheduled", "True", SCHEDULED),
            )
        ],
        "containerStatuses": statuses,
    }
    if kind == "linux-init":
        done = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": STARTED,
                               "finishedAt": STARTED}}  # fmt: skip
        initial = {**_container_status("migrate", broken=False), "state": done}
        status["initContainerStatuses"] = [initial]
    return status


def _container_status(name: str, *, broken: bool) -> dict[str, Any]:
    running = {"running": {"startedAt": STARTED}}
    ended = {"terminated": {"exitCode": 139, "reason": "Error", "startedAt": STARTED,
                            "finishedAt": STARTED}}  # fmt: skip
    waiting = {
        "waiting": {
            "reason": "CrashLoopBackOff",
            "message": "back-off 5m0s restarting failed container",
        }
    }
    status: dict[str, Any] = {
        "name": name,
        "image": f"registry.example.com/team/{name}:2026.11.3",
        "imageID": f"registry.example.com/team/{name}@sha256:{DIGEST}",
        "containerID": f"containerd://{CONTAINER_ID}",
        "ready": not broken,
        "started": not broken,
        "restartCount": 12 if broken else 0,
        "state": waiting if broken else running,
    }
    if broken:
        status["lastState"] = ended
    return status


_EVENTS = {
    "Scheduled": (
        "default-scheduler",
        "Normal",
        f"Successfully assigned {NAMESPACE}/{POD} to {NODE}",
    ),
    "Pulled": ("kubelet", "Normal", 'Successfully pulled image "registry.example.com/team/server:2026.11.3" in 1.204s (1.204s including waiting). Image size: 84213344 bytes.'),  # noqa: E501
    "BackOff": ("kubelet", "Warning", f"Back-off restarting failed container server in pod {POD}_{NAMESPACE}(01234567-89ab-cdef-0123-456789abcdef)"),  # noqa: E501
    "FailedScheduling": ("default-scheduler", "Warning", "0/1000 nodes are available: 1000 Insufficient cpu. preemption: 0/1000 nodes are available: 1000 No preemption victims found for incoming pod."),  # noqa: E501
}  # fmt: skip


def reasons(kind: str) -> tuple[str, ...]:
    """Of the events about a pod of that kind, in turn."""
    broken = {"wasm-broken": ("Pulled", "BackOff"), "wasm-pending": ("FailedScheduling",)}
    return broken.get(kind, ("Scheduled", "Pulled"))


def event(reason: str, pod_uid: str) -> dict[str, Any]:
    """As the scheduler and kubelets of today write it through the core API."""
    component, type_, message = _EVENTS[reason]
    about = {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": NAMESPACE,
        "name": POD,
        "uid": pod_uid,
        "fieldPath": "spec.containers{server}" if component == "kubelet" else "",
        "resourceVersion": "123456789",
    }
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{POD}.{EVENT_SUFFIX}", "namespace": NAMESPACE},
        "involvedObject": about,
        "reason": reason,
        "message": message,
        "type": type_,
        "count": 3,
        "firstTimestamp": STARTED,
        "lastTimestamp": STARTED,
        "source": {"component": component, "host": NODE},
        "reportingComponent": component,
        "reportingInstance": NODE,
    }
