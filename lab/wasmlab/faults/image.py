"""Images that are not there, not for this machine, or not let in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .images import put
from .model import Expected, Fault, Shape
from .objects import COMPAT_SMART, container, deployment, pod_spec

if TYPE_CHECKING:
    from .model import Object

REGISTRY = "192.0.2.10:5000"
WITH_REGISTRY = Shape(registry=True)
UNVERIFIED = "f-image-digest-unverified"


def _pull(image: str, **more: Any) -> Object:
    return deployment(pod_spec(container(image=image, **more)))


def _pod(spec: Object) -> Object:
    metadata = {"name": "web", "annotations": COMPAT_SMART}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _policy() -> tuple[Object, Object]:
    """A cluster's rule that images are named by digest, for this fault's namespace alone."""
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
    here = {"matchLabels": {"kubernetes.io/metadata.name": UNVERIFIED}}
    kind = {"apiVersion": "admissionregistration.k8s.io/v1"}
    pinned = {
        "expression": "object.spec.containers.all(c, c.image.contains('@sha256:'))",
        "message": "images must be pinned by digest",
    }
    return (
        {
            **kind,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "images-by-digest"},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"namespaceSelector": here, "resourceRules": [rule]},
                "validations": [pinned],
            },
        },
        {
            **kind,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "images-by-digest"},
            "spec": {"policyName": "images-by-digest", "validationActions": ["Deny"]},
        },
    )


FAULTS = (
    Fault(
        "image-pull-failed--tag",
        (Expected("image-pull-failed"),),
        (_pull(f"{REGISTRY}/hello:no-such-tag"), deployment(name="neighbour")),
        r"ErrImagePull|ImagePullBackOff",
        shape=WITH_REGISTRY,
    ),
    Fault(
        "image-pull-failed--refused",
        (Expected("image-pull-failed"),),
        (_pull("192.0.2.10:5999/hello:1"),),
        r"ErrImagePull|ImagePullBackOff",
    ),
    Fault(
        "image-pull-failed--host",
        (Expected("image-pull-failed", kind="Pod"),),
        (_pod(pod_spec(container(image="registry.invalid/hello:1"))),),
        r"ErrImagePull|ImagePullBackOff",
    ),
    Fault(
        "image-pull-failed--name",
        (Expected("image-pull-failed"),),
        (_pull("localhost/Wasmai/Hello:1"),),
        r"InvalidImageName",
    ),
    Fault(
        "image-pull-failed--init",
        (Expected("image-pull-failed"),),
        (
            deployment(
                pod_spec(
                    initContainers=[
                        {"name": "fetch", "image": f"{REGISTRY}/fetch:1", "command": ["/bin/true"]}
                    ]
                )
            ),
        ),
        r"ErrImagePull|ImagePullBackOff",
        shape=WITH_REGISTRY,
    ),
    Fault(
        "image-not-present--pod",
        (Expected("image-not-present", kind="Pod"),),
        (_pod(pod_spec(container(image="localhost/absent:1", imagePullPolicy="Never"))),),
        r"ErrImageNeverPull",
    ),
    Fault(
        "image-platform-mismatch--wasi",
        (Expected("image-platform-mismatch"),),
        (_pull(f"{REGISTRY}/wasi-only:1"),),
        r"ErrImagePull|ImagePullBackOff|RunContainerError|CreateContainerError",
        first=(put("wasi-only:1", "wasi"),),
        shape=WITH_REGISTRY,
    ),
    Fault(
        "image-platform-mismatch--other-cpu",
        (Expected("image-platform-mismatch"),),
        (_pull(f"{REGISTRY}/riscv-only:1"),),
        r"ErrImagePull|ImagePullBackOff|RunContainerError|CreateContainerError",
        first=(put("riscv-only:1", "riscv"),),
        shape=WITH_REGISTRY,
    ),
    Fault(
        "image-digest-unverified",
        (Expected("image-digest-unverified"),),
        (*_policy(), deployment()),
        r"denied request: images must be pinned",
    ),
)
