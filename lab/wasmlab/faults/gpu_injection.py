"""GPUs that are granted and do not arrive, or are granted and taken back at the last moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import on_node
from .gpu_parts import (
    GPU,
    asking,
    forgotten,
    helm_plugin,
    labelled,
    linux_asking,
    plugin_image,
    settings,
    space,
    static_plugin,
)
from .gpu_runtime import NVIDIA, nvidia_runtime
from .hosted import hosted
from .images import actor, loaded
from .model import Expected, Fault, Object, Shape, Step
from .objects import COMPAT_SMART, deployment

if TYPE_CHECKING:
    from wasmlab.client import Lab

LLAMA = "registry.example.com/llama/server-cuda:b3651"
SERVER = "/usr/local/bin/llama-server"
HELM = "nvidia-device-plugin"
REJECTED = r"UnexpectedAdmissionError"
READY = r'"readyReplicas": 1'
TOPOLOGY = (
    "error getting list of preferred allocation devices: unable to retrieve list of available "
    "devices: error getting device topology: failed to get NVML handle: Unknown Error"
)
KIND = "k8s.device-plugin.nvidia.com/gpu"


def _pod(spec: Object, **more: object) -> Object:
    metadata = {"name": "web", "annotations": COMPAT_SMART}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**spec, **more}}


def _template(of: Object) -> Object:
    spec: Object = of["spec"]["template"]["spec"]
    return spec


def _job(spec: Object) -> Object:
    template = {
        "metadata": {"annotations": COMPAT_SMART},
        "spec": {**spec, "restartPolicy": "Never"},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "web"},
        "spec": {"backoffLimit": 2, "template": template},
    }


def _reboot(lab: Lab, namespace: str) -> None:
    """The kubelet finds its pod before the plugin is there again."""
    lab.kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    on_node.stop_kubelet(lab)
    on_node.signal(lab, "device-plugin", "KILL")
    on_node.shell(lab, "ctr -n k8s.io tasks ls -q | xargs -r -n1 ctr -n k8s.io tasks kill -s KILL")
    on_node.shell(lab, "sleep 1; rm -f /var/lib/kubelet/device-plugins/*.sock")
    on_node.start_kubelet(lab)
    on_node.healed(lab)


def _back(lab: Lab, namespace: str) -> None:
    words = ("--for=jsonpath={.status.phase}=Failed", "pod/web", "--timeout=60s")
    lab.kubectl("-n", namespace, "wait", *words)
    hosted(settings(2)).do(lab, namespace)


ADMISSION = (
    Fault(
        "gpu-admission-failed",
        (Expected("gpu-admission-failed", "Pod"),),
        (_pod(_template(asking())), deployment(name="neighbour")),
        REJECTED,
        first=(forgotten(), labelled(), hosted(settings(2))),
        then=(Step(_reboot), Step(_back)),
        exclusive=True,
        forms=("no-events",),
    ),
    Fault(
        "gpu-admission-failed--job",
        (Expected("gpu-admission-failed", "Job"),),
        (_job(_template(asking())),),
        REJECTED,
        first=(forgotten(), labelled(), hosted(settings(2, refuse=TOPOLOGY))),
        exclusive=True,
    ),
    Fault(
        "gpu-hardware-fault--rejected",
        (Expected("gpu-hardware-fault", "Node", "node1", cluster=True),),
        (_job(_template(asking())),),
        REJECTED,
        first=(
            *(forgotten(), labelled()),
            hosted(settings(2, refuse=TOPOLOGY.replace("Unknown Error", "GPU is lost"))),
        ),
        exclusive=True,
    ),
    Fault(
        "gpu-admission-failed--preferred",
        (Expected("gpu-admission-failed"),),
        (asking(),),
        REJECTED,
        first=(forgotten(), labelled(), hosted(settings(2, prefer=TOPOLOGY))),
        exclusive=True,
        moments=("first",),
    ),
    Fault(
        "gpu-admission-failed--named-node",
        (Expected("gpu-admission-failed", "Pod"),),
        (asking(name="trainer"), _pod(_template(asking(2)), nodeName="node1")),
        r"OutOfnvidia.com/gpu|UnexpectedAdmissionError",
        first=(forgotten(), labelled(), hosted(settings(2))),
        exclusive=True,
    ),
    Fault(
        "gpu-request-too-large--shared",
        (Expected("gpu-request-too-large", "Job"),),
        (_job(_template(asking(2))),),
        REJECTED,
        first=(
            forgotten(),
            labelled({"nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.count": "1"}),
            hosted(
                settings(
                    4,
                    refuse="request for 'nvidia.com/gpu: 2' too large: maximum request size for "
                    "shared resources is 1; found 2",
                )
            ),
        ),
        exclusive=True,
    ),
)

INJECTION = (
    Fault(
        "gpu-not-injected",
        (Expected("gpu-not-injected"),),
        (static_plugin(), asking()),
        READY,
        first=(forgotten(), labelled(), loaded(plugin_image(settings(2)))),
        exclusive=True,
        forms=("no-logs",),
    ),
    Fault(
        "gpu-not-injected--mounts",
        (Expected("gpu-not-injected"),),
        (space(HELM), helm_plugin(HELM, DEVICE_LIST_STRATEGY="volume-mounts"), asking()),
        READY,
        first=(forgotten(), labelled(), loaded(plugin_image(settings(2)))),
        exclusive=True,
        namespaces=(HELM,),
    ),
    Fault(
        "gpu-not-injected--no-runtime",
        (Expected("gpu-not-injected"),),
        (static_plugin(), linux_asking(LLAMA)),
        r"libcuda.so.1: cannot open",
        first=(
            *(forgotten(), labelled()),
            loaded(plugin_image(settings(2)), actor(LLAMA, SERVER, "llama-no-libcuda", 1)),
        ),
        exclusive=True,
        moments=("first", "settled", "late"),
    ),
    Fault(
        "gpu-cdi-unresolvable",
        (Expected("gpu-cdi-unresolvable"),),
        (asking(),),
        r"unresolvable CDI devices",
        first=(forgotten(), labelled(), hosted(settings(2, cdi=KIND), strategies="cdi-cri")),
        exclusive=True,
        shape=Shape(containerd=2),
        forms=("one-list",),
    ),
    Fault(
        "gpu-cdi-unresolvable--containerd-1",
        (Expected("gpu-cdi-unresolvable"),),
        (asking(),),
        r"unresolvable CDI devices",
        first=(
            on_node.reconfigured("/restrict_oom_score_adj/a enable_cdi = true"),
            *(forgotten(), hosted(settings(2, cdi=KIND), strategies="cdi-annotations,cdi-cri")),
        ),
        exclusive=True,
    ),
    Fault(
        "gpu-runtimeclass-conflict",
        (Expected("gpu-runtimeclass-conflict"),),
        (NVIDIA, asking(runtime_class="nvidia")),
        r"exec format error|Exec format error",
        first=(forgotten(), labelled(), *nvidia_runtime(), hosted(settings(2))),
        exclusive=True,
    ),
    Fault(
        "gpu-lost--rejected",
        (Expected("gpu-lost", "Node", "node1", cluster=True),),
        (asking(),),
        rf"no healthy devices present|Insufficient {GPU}",
        first=(
            *(forgotten(), labelled(), hosted(settings(2))),
            Step(lambda lab, _: on_node.signal(lab, "device-plugin", "KILL")),
        ),
        exclusive=True,
        moments=("settled",),
    ),
)
FAULTS = (*ADMISSION, *INJECTION)
