"""Dynamic resource allocation: claims that no device, class or driver satisfies."""

from __future__ import annotations

from typing import Any

from .model import Expected, Fault, Object
from .objects import container, deployment, pod_spec

API = {"apiVersion": "resource.k8s.io/v1"}
DRIVER = "gpu.nvidia.com"


def device_class(name: str = DRIVER, driver: str = DRIVER) -> Object:
    expression = f"device.driver == '{driver}'"
    return {
        **API,
        "kind": "DeviceClass",
        "metadata": {"name": name},
        "spec": {"selectors": [{"cel": {"expression": expression}}]},
    }


def resource_slice(*memory: str, node: str = "node1", driver: str = DRIVER) -> Object:
    """One device for each amount of memory, as NVIDIA's driver publishes them."""
    devices = [
        {
            "name": f"gpu-{number}",
            "attributes": {
                "productName": {"string": "NVIDIA A100-SXM4-40GB"},
                "architecture": {"string": "Ampere"},
                "cudaComputeCapability": {"version": "8.0.0"},
                "driverVersion": {"version": "580.65.6"},
                "uuid": {"string": f"GPU-5ee0c0de-0000-0000-0000-00000000000{number}"},
            },
            "capacity": {"memory": {"value": amount}},
        }
        for number, amount in enumerate(memory)
    ]
    pool = {"name": node, "generation": 1, "resourceSliceCount": 1}
    return {
        **API,
        "kind": "ResourceSlice",
        "metadata": {"name": f"{node}-{driver}-1"},
        "spec": {"driver": driver, "nodeName": node, "pool": pool, "devices": devices},
    }


def claim(
    kind: str = "ResourceClaimTemplate", class_: str = DRIVER, expression: str = ""
) -> Object:
    request: Object = {"deviceClassName": class_}
    if expression:
        request["selectors"] = [{"cel": {"expression": expression}}]
    spec = {"devices": {"requests": [{"name": "gpu", "exactly": request}]}}
    return {
        **API,
        "kind": kind,
        "metadata": {"name": "gpu"},
        "spec": {"spec": spec} if kind == "ResourceClaimTemplate" else spec,
    }


def claiming(name: str = "web", source: str = "resourceClaimTemplateName", **more: Any) -> Object:
    resources = {
        "requests": {"cpu": "20m", "memory": "32Mi"},
        "limits": {"cpu": "500m", "memory": "128Mi"},
        "claims": [{"name": "gpu"}],
    }
    spec = pod_spec(container(resources=resources), resourceClaims=[{"name": "gpu", source: "gpu"}])
    return deployment(spec, name=name, **more)


LARGE = f"device.capacity['{DRIVER}'].memory.compareTo(quantity('80Gi')) >= 0"
UNSATISFIED = r"cannot allocate all claims|not found|does not exist|waiting for resource driver"


def _claimed(name: str, *objects: Object, shows: str = UNSATISFIED) -> Fault:
    expected = (Expected("dra-claim-unsatisfied"),)
    return Fault(name, expected, objects, shows, exclusive=True)


FAULTS = (
    # No driver has published anything.
    _claimed("dra-claim-unsatisfied", device_class(), claim(), claiming(), deployment(name="x")),
    _claimed("dra-claim-unsatisfied--class", claim(), claiming()),
    _claimed("dra-claim-unsatisfied--template", device_class(), claiming()),
    _claimed(
        "dra-claim-unsatisfied--selector",
        device_class(), resource_slice("40Gi", "40Gi"), claim(expression=LARGE), claiming(),
    ),
    _claimed(
        "dra-claim-unsatisfied--no-driver",
        device_class(), resource_slice("40Gi"), claim(), claiming(),
        shows=r"DRA driver gpu.nvidia.com is not registered|FailedPrepareDynamicResources",
    ),
    _claimed(
        "dra-claim-unsatisfied--missing-claim",
        device_class(), resource_slice("40Gi"), claiming(source="resourceClaimName"),
        shows=r'"resourceClaimName": "gpu"',
    ),
)  # fmt: skip
