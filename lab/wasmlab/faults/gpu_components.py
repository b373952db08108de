"""Device plugins, drivers, operators and exporters that do not run, in their own words.

The words (``says/``) are those of NVIDIA's k8s-device-plugin 0.14 and 0.17, gpu-operator 25.3 and
dcgm-exporter 3.3 and 4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .gpu_parts import (
    GPU,
    OPERATOR,
    PLUGIN,
    PLUGIN_IMAGE,
    PROGRAM,
    asking,
    helm_plugin,
    labelled,
    operand,
    space,
    static_plugin,
    tainted,
)
from .images import HOGS, WAITS, actor, loaded
from .model import ALL, FIRST_TWO, Expected, Fault, Object
from .objects import deployment

if TYPE_CHECKING:
    from .images import Make

SHORT = rf"Insufficient {GPU}"
ENDED = r"CrashLoopBackOff|\"exitCode\": [1-9]"
HELM = "nvidia-device-plugin"
VALIDATING = "nvcr.io/nvidia/cloud-native/gpu-operator-validator:v25.3.2"
DRIVER = "nvcr.io/nvidia/driver:570.148.08-ubuntu24.04"
EXPORTER = "nvcr.io/nvidia/k8s/dcgm-exporter:4.2.3-4.1.3-ubuntu22.04"
EXPORTING = "/usr/bin/dcgm-exporter"


def _broken(name: str, says: str, then: str | int = WAITS, **more: Any) -> Fault:
    """A plugin of the static manifest on a node with GPUs, and a Deployment that lacks one."""
    cause = more.pop("cause", name.partition("--")[0])
    ends = then != WAITS
    return Fault(
        name,
        (Expected(cause, "DaemonSet", PLUGIN, "kube-system"),),
        (static_plugin(), asking()),
        ENDED if ends else r"Waiting indefinitely",
        first=(labelled(), loaded(actor(PLUGIN_IMAGE, PROGRAM, says, then))),
        exclusive=True,
        moments=ALL if ends else FIRST_TWO,
        **more,
    )


def _waiting(name: str, says: str) -> Make:
    """One image for each init container of the operator's: it waits for ever."""
    return actor(f"nvcr.io/nvidia/cloud-native/{name}:v25.3.2", "/usr/bin/nvidia-validator", says)


def _exporter(**more: Any) -> Object:
    return operand("nvidia-dcgm-exporter", EXPORTER, **more)


def _in_operator(cause: str, name: str) -> tuple[Expected, ...]:
    return (Expected(cause, "DaemonSet", name, OPERATOR),)


NOT_SCHEDULED = (
    Fault(
        "device-plugin-not-scheduled",
        (Expected("device-plugin-not-scheduled", "DaemonSet", "nvdp-nvidia-device-plugin", HELM),),
        (space(HELM), helm_plugin(HELM), asking()),
        SHORT,
        namespaces=(HELM,),
        forms=("one-list",),
    ),
    Fault(
        "device-plugin-not-scheduled--taint",
        (Expected("device-plugin-not-scheduled", "DaemonSet", PLUGIN, "kube-system"),),
        (static_plugin(), asking(tolerations=[{"operator": "Exists"}])),
        SHORT,
        first=(labelled(), tainted(key="dedicated", value="gpu")),
        exclusive=True,
    ),
)

PLUGINS = (
    _broken("device-plugin-no-driver-library", "plugin-no-library", forms=("plain-logs",)),
    _broken("device-plugin-no-driver-library--fails", "plugin-no-library-fails", 1),
    _broken("device-plugin-no-driver-library--old", "plugin-no-library-old"),
    _broken("device-plugin-no-devices", "plugin-no-devices"),
    _broken("device-plugin-crashing", "plugin-no-config", 1, forms=("yaml",)),
    _broken("device-plugin-crashing--mig", "plugin-bad-mig", 1),
    _broken("gpu-driver-mismatch--plugin", "plugin-mismatch", 1, cause="gpu-driver-mismatch"),
)

OPERANDS = (
    Fault(
        "gpu-operator-not-ready",
        _in_operator("gpu-operator-not-ready", "nvidia-operator-validator"),
        (
            space(OPERATOR),
            operand(
                "nvidia-operator-validator", VALIDATING, "driver-validation", "toolkit-validation"
            ),
            operand(PLUGIN, PLUGIN_IMAGE, "toolkit-validation", main="nvidia-device-plugin"),
            operand("gpu-feature-discovery", PLUGIN_IMAGE, "toolkit-validation"),
            asking(),
        ),
        r"driver-ctr-ready",
        first=(
            labelled(),
            loaded(
                _waiting("driver-validation", "validator-no-driver"),
                _waiting("toolkit-validation", "operand-waits"),
            ),
        ),
        exclusive=True,
        namespaces=(OPERATOR,),
        moments=ALL,
    ),
    Fault(
        "gpu-operator-not-ready--toolkit",
        _in_operator("gpu-operator-not-ready", "nvidia-operator-validator"),
        (
            space(OPERATOR),
            operand("nvidia-operator-validator", VALIDATING, "toolkit-validation"),
            operand(PLUGIN, PLUGIN_IMAGE, "toolkit-validation", main="nvidia-device-plugin"),
            asking(),
        ),
        r"toolkit is not ready",
        first=(labelled(), loaded(_waiting("toolkit-validation", "validator-no-toolkit"))),
        exclusive=True,
        namespaces=(OPERATOR,),
        forms=("no-logs",),
    ),
    Fault(
        "gpu-driver-not-loaded",
        _in_operator("gpu-driver-not-loaded", "nvidia-driver-daemonset"),
        (
            space(OPERATOR),
            operand("nvidia-driver-daemonset", DRIVER, main="nvidia-driver-ctr"),
            operand("nvidia-operator-validator", VALIDATING, "driver-validation"),
            operand(PLUGIN, PLUGIN_IMAGE, "toolkit-validation", main="nvidia-device-plugin"),
            asking(),
        ),
        ENDED,
        first=(
            labelled(),
            loaded(
                actor(DRIVER, "/usr/local/bin/nvidia-driver", "driver-no-kernel", 1),
                _waiting("driver-validation", "validator-no-driver"),
                _waiting("toolkit-validation", "operand-waits"),
            ),
        ),
        exclusive=True,
        namespaces=(OPERATOR,),
        moments=ALL,
    ),
    Fault(
        "gpu-driver-not-loaded--secure-boot",
        _in_operator("gpu-driver-not-loaded", "nvidia-driver-daemonset"),
        (
            space(OPERATOR),
            operand("nvidia-driver-daemonset", DRIVER, main="nvidia-driver-ctr"),
            asking(),
        ),
        ENDED,
        first=(
            labelled(),
            loaded(actor(DRIVER, "/usr/local/bin/nvidia-driver", "driver-secure-boot", 1)),
        ),
        exclusive=True,
        namespaces=(OPERATOR,),
    ),
)

EXPORTERS = (
    Fault(
        "dcgm-exporter-down",
        _in_operator("dcgm-exporter-down", "nvidia-dcgm-exporter"),
        (space(OPERATOR), _exporter(), deployment()),
        ENDED,
        first=(loaded(actor(EXPORTER, EXPORTING, "exporter-no-dcgm", 1)),),
        exclusive=True,
        namespaces=(OPERATOR,),
        moments=ALL,
    ),
    Fault(
        "dcgm-exporter-down--remote",
        _in_operator("dcgm-exporter-down", "nvidia-dcgm-exporter"),
        (space(OPERATOR), _exporter()),
        ENDED,
        first=(loaded(actor(EXPORTER, EXPORTING, "exporter-no-engine", 1)),),
        exclusive=True,
        namespaces=(OPERATOR,),
    ),
    Fault(
        "dcgm-exporter-down--memory",
        _in_operator("dcgm-exporter-down", "nvidia-dcgm-exporter"),
        (space(OPERATOR), _exporter(limits={"memory": "24Mi"}), deployment()),
        r"OOMKilled",
        first=(loaded(actor(EXPORTER, EXPORTING, "exporter-starts", HOGS)),),
        exclusive=True,
        namespaces=(OPERATOR,),
        moments=ALL,
    ),
)

FAULTS = (*NOT_SCHEDULED, *PLUGINS, *OPERANDS, *EXPORTERS)
