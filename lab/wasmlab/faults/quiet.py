"""Clusters in which nothing is wrong that concerns WebAssembly or GPUs, however noisy they are."""

from __future__ import annotations

from typing import Any

from . import on_node
from .gpu_claim import claim, device_class, resource_slice
from .gpu_health import condition, event
from .gpu_parts import (
    PLUGIN_IMAGE,
    PROGRAM,
    forgotten,
    labelled,
    linux_asking,
    plugin_image,
    settings,
    static_plugin,
)
from .handlers import K3S
from .hosted import hosted
from .images import SERVES, actor, loaded
from .model import ALL, Fault, Object, Shape
from .module import controlled
from .objects import (
    BUSYBOX,
    container,
    deployment,
    linux,
    pod_spec,
    runtime_class,
    service,
)
from .pairs import REFERRING
from .service import AUTOSCALER

READY = r'"readyReplicas": [1-9]'
LAB = "localhost/wasmai-lab"
LLAMA = "registry.example.com/llama/server:b3651-cuda-12.8.1"


def _quiet(name: str, *objects: Object, shows: str | tuple[str, ...] = READY, **more: Any) -> Fault:
    return Fault(f"healthy--{name}", (), objects, shows, **more)


def _settings() -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings"},
        "data": {"m": "llama"},
    }


# Ends twice, then stays: the marker is on the pod's own volume.
STUMBLES = (
    "n=$(/bin/busybox cat /state/n 2>/dev/null || echo 0); echo $((n+1)) > /state/n; "
    "[ $n -ge 2 ] || exit 1; exec /bin/busybox sleep 1000000"
)
STUMBLING = pod_spec(
    container(command=["/hello.wasm"]),
    {
        "name": "sidecar",
        "image": BUSYBOX,
        "command": ["/bin/busybox", "sh", "-c", STUMBLES],
        "volumeMounts": [{"name": "state", "mountPath": "/state"}],
    },
    volumes=[{"name": "state", "emptyDir": {}}],
)
ONCE = pod_spec(container(readinessProbe=None, image=f"{LAB}/ends:1", args=["exit", "0"]))
NO_DNS = on_node.changed(
    "cp /etc/wasmlab/kubelet.json /tmp/kubelet.before; "
    "sed -i '/clusterDNS/,/]/d' /etc/wasmlab/kubelet.json",
    "cat /tmp/kubelet.before > /etc/wasmlab/kubelet.json",
)
SLOW = {"httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 120}
POLICY: Object = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "web"},
    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
}

JOBS = (
    _quiet(
        "completed-job",
        *(controlled("Job", ONCE), deployment(name="server")),
        shows=r'"succeeded": 1',
        forms=("one-list", "namespace"),
    ),
    _quiet("cronjob", controlled("CronJob", ONCE), shows=r'"succeeded": 1', moments=ALL),
    _quiet(
        "suspended-cronjob",
        controlled("CronJob", pod_spec(runtime_class="not-yet-there")),
        deployment(name="server"),
        then=(
            on_node.kubectl(
                "-n", "{namespace}", "patch", "cronjob", "web", "-p", '{"spec":{"suspend":true}}'
            ),
        ),
    ),
)

OTHERS = (
    _quiet(
        "others-broken",
        deployment(),
        linux("crashes", "false"),
        linux("pulls", image="192.0.2.10:5999/shop:1"),
        linux("waits", nodeSelector={"disk": "ssd"}),
        shows=r"CrashLoopBackOff",
        moments=ALL,
        forms=("one-list", "no-logs"),
    ),
    _quiet(
        "others-scaler",
        *(deployment(name="server", replicas=2), linux("web"), AUTOSCALER),
        shows=r"FailedGetResourceMetric",
    ),
    _quiet(
        "others-service",
        *(deployment(), service(), linux("shop"), service("shop", app="checkout")),
    ),
    _quiet("k3s-classes", *K3S, deployment(replicas=2), forms=("yaml",)),
    _quiet("devices-unclaimed", device_class(), resource_slice("40Gi"), claim(), deployment()),
)

OVERCOME = (
    _quiet(
        "repaired",
        deployment(REFERRING, replicas=2),
        then=(
            on_node.once("jsonpath={.status.unavailableReplicas}=2", "deployment/web"),
            on_node.changed("sleep 15"),
            on_node.applied(_settings()),
            on_node.waited(),
        ),
        shows=(r"configmap \\\"settings\\\" not found", r'"readyReplicas": 2'),
        moments=ALL,
    ),
    _quiet(
        "repaired-class",
        deployment(pod_spec(runtime_class="wasm-late"), replicas=2),
        then=(
            on_node.changed("sleep 10"),
            on_node.applied(runtime_class("wasm-late", "crun")),
            on_node.kubectl("-n", "{namespace}", "rollout", "restart", "deployment/web"),
            on_node.waited(),
        ),
    ),
    _quiet(
        "restarts-long-ago",
        deployment(STUMBLING),
        shows=(r'"restartCount": 2', r'"readyReplicas": 1'),
        moments=ALL,
    ),
    _quiet(
        "removed",
        *(deployment(name="broken", annotations={}), deployment()),
        then=(
            on_node.changed("sleep 15"),
            on_node.kubectl("-n", "{namespace}", "delete", "deployment", "broken"),
        ),
    ),
    _quiet(
        "no-cluster-dns",
        deployment(replicas=2),
        first=(NO_DNS, on_node.restarted_kubelet()),
        shows=r"MissingClusterDNS",
        exclusive=True,
    ),
)

CHANGING = (
    _quiet(
        "rollout",
        deployment(replicas=2),
        then=(
            on_node.waited(),
            on_node.applied(deployment(pod_spec(container(readinessProbe=SLOW)), replicas=2)),
        ),
        shows=r'"updatedReplicas": 1',
    ),
    _quiet("scaled-to-zero", deployment(replicas=0), deployment(name="server")),
    _quiet(
        "terminating",
        deployment(pod_spec(terminationGracePeriodSeconds=300), replicas=2),
        then=(
            on_node.waited(),
            on_node.kubectl("-n", "{namespace}", "delete", "pods", "--all", "--wait=false"),
        ),
        shows=(r"deletionTimestamp", r'"readyReplicas": 2'),
    ),
    _quiet(
        "stateful",
        controlled("StatefulSet", pod_spec(), replicas=2),
        *(service(), POLICY),
        shows=r'"readyReplicas": 2',
    ),
    _quiet("daemonset", controlled("DaemonSet", pod_spec()), shows=r'"numberReady": 1'),
    _quiet(
        "two-nodes",
        runtime_class(
            "wasm-here", "crun", scheduling={"nodeSelector": {"kubernetes.io/hostname": "node1"}}
        ),
        deployment(pod_spec(runtime_class="wasm-here"), replicas=3),
        deployment(pod_spec(runtime_class=None), name="native", annotations={}),
        shape=Shape(nodes=2),
    ),
    _quiet(
        "other-node-cordoned",
        deployment(pod_spec(nodeSelector={"kubernetes.io/hostname": "node1"}), replicas=2),
        first=(on_node.kubectl("cordon", "node2", undo=("uncordon", "node2")),),
        exclusive=True,
        shape=Shape(nodes=2),
    ),
)

GPUS = (
    _quiet(
        "gpu-unused",
        deployment(),
        first=(forgotten(), labelled(), hosted(settings(2))),
        exclusive=True,
    ),
    _quiet(
        "gpu-in-use",
        *(static_plugin(), linux_asking(LLAMA)),
        first=(
            *(forgotten(), labelled()),
            loaded(plugin_image(settings(2)), actor(LLAMA, "/llama", "llama-on-gpu", SERVES)),
        ),
        exclusive=True,
    ),
    _quiet(
        "plugin-on-cpu-node",
        *(static_plugin(), deployment()),
        first=(loaded(actor(PLUGIN_IMAGE, PROGRAM, "plugin-no-library")),),
        exclusive=True,
        forms=("plain-logs",),
    ),
    _quiet(
        "gpu-quarrels",
        linux_asking(),
        first=(
            *(forgotten(), labelled(), hosted(settings(2))),
            condition("SysLogsXIDError", "False", "SysLogsXIDErrorIsHealthy", "No Health Failures"),
            condition("AcceleratedHardwareReady", "True", "AcceleratedHardwareIsReady", ""),
            event("XidError", "NVRM: Xid (PCI:0000:ca:00): 13, pid=4711, Graphics Exception"),
        ),
        exclusive=True,
        namespaces=("default",),
    ),
)

FAULTS = (*JOBS, *OTHERS, *OVERCOME, *CHANGING, *GPUS)
