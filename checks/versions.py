"""Versions that do not go together: API server and kubelets, kubelets and container runtimes.

Sources: Kubernetes' version skew policy (kubelets up to three minors older than the API server,
never newer), kubelet ``failCgroupV1`` (default since 1.35) and its event ``CgroupV1``, SIG Node's
last release for containerd 1.x (1.35), containerd's CRI plugin (artifacts from 1.7.7, platform
``wasi/wasm`` since 2.1), cri-dockerd (no runtime handlers), the retired KWasm operator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.doctor.answers import named, unseen
from kubectl_wasmai.doctor.model import (
    Case,
    Check,
    Evidence,
    Result,
    Severity,
    Status,
)
from kubectl_wasmai.doctor.versions import Runtime, Version, is_k3s, parse, runtime

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot.objects import Node

TESTED = (Version(1, 30), Version(1, 37))
"""The API servers this plugin is tested with, first and last."""
MOST_SKEW = 3
ARTIFACTS = Version(1, 7, 7)
HOST_PLATFORM_ONLY = Version(2, 1)
LAST_FOR_CONTAINERD_1 = Version(1, 35)
FIRST_WITHOUT_CGROUP_V1 = Version(1, 35)
KWASM = "kwasm.sh/"
NODES = "kubectl get nodes -o json"


class Doubt(NamedTuple):
    """Why a node's versions are in doubt, and what shows it."""

    reason: str
    evidence: Evidence


def kubernetes_versions(case: Case) -> Iterable[Result]:
    server = parse(case.snapshot.info.server_version)
    if server is None:
        needs = "kubectl version -o json"
        yield Result(Status.UNKNOWN, "the API server's version was not seen", needs=needs)
        return
    told = case.snapshot.info.server_version
    seen = Evidence("status", "API server", told)
    if not TESTED[0] <= Version(server.major, server.minor) <= TESTED[1]:
        tested = f"{TESTED[0]} to {TESTED[1]}"
        reason = f"Kubernetes {told}: this plugin is tested with {tested}"
        yield Result(Status.WARN, reason, None, (seen,))
    if not case.snapshot.has("Node"):
        yield unseen(case.snapshot, ("Node",))
        return
    kubelets = _by_kubelet(case)
    skewed = {text: why for text in kubelets if (why := _skew(server, parse(text)))}
    for text, why in skewed.items():
        nodes = kubelets[text]
        evidence = (seen, *(_told(node, text) for node in nodes[:3]))
        names = named([node.name for node in nodes])
        yield Result(Status.WARN, f"kubelet {text} {why} ({names})", None, evidence)
    if not case.snapshot.nodes:
        yield Result(Status.UNKNOWN, "no node is in sight", needs=NODES)
    elif not skewed:
        versions = named(sorted(kubelets)) or "of unknown version"
        yield Result(Status.PASS, f"API server {told}, kubelets {versions}", None, (seen,))


def _by_kubelet(case: Case) -> dict[str, list[Node]]:
    groups: dict[str, list[Node]] = {}
    for node in case.snapshot.nodes:
        groups.setdefault(node.status.node_info.kubelet_version or "", []).append(node)
    groups.pop("", None)
    return groups


def _skew(server: Version, kubelet: Version | None) -> str:
    if kubelet is None or kubelet.major != server.major:
        return ""
    if kubelet.minor > server.minor:
        return f"is newer than the API server {server}, which nobody supports"
    behind = server.minor - kubelet.minor
    if behind <= MOST_SKEW:
        return ""
    return f"is {behind} minor versions behind the API server {server}"


def _told(node: Node, text: str) -> Evidence:
    return Evidence("node", f"Node {node.name}", text)


def container_runtimes(case: Case) -> Iterable[Result]:
    """One answer for each distinct doubt, and one for the nodes without any."""
    doubted: dict[str, list[tuple[Node, Evidence]]] = {}
    sound: dict[str, list[Node]] = {}
    silent: list[str] = []
    for node in case.snapshot.nodes:
        used = runtime(node)
        doubts = list(_doubts(case, node, used))
        for doubt in doubts:
            doubted.setdefault(doubt.reason, []).append((node, doubt.evidence))
        if used is None or used.version is None:
            silent.append(node.name)
        elif not doubts:
            sound.setdefault(_version(node), []).append(node)
    for reason, found in doubted.items():
        names = named([node.name for node, _ in found])
        evidence = tuple(each for _, each in found[:3])
        yield Result(Status.WARN, f"{reason} ({names})", None, evidence)
    if silent or not case.snapshot.nodes:
        names = named(silent) or "no node"
        reason = f"{names} tells no version of its container runtime"
        yield Result(Status.UNKNOWN, reason, needs=NODES)
    for version, nodes in sorted(sound.items()):
        text = f"{version} on {named([node.name for node in nodes])}"
        yield Result(Status.PASS, text, None, tuple(_peculiarities(nodes[0])))


def _doubts(case: Case, node: Node, used: Runtime | None) -> Iterator[Doubt]:
    kubelet = parse(node.status.node_info.kubelet_version)
    seen = _told(node, _version(node))
    if used and used.name == "docker":
        yield Doubt("Docker through cri-dockerd knows no runtime handlers: no Wasm there", seen)
    if used and used.name == "containerd" and used.version:
        yield from (Doubt(reason, seen) for reason in _of_containerd(used.version, kubelet))
    for event in case.snapshot.events_of("Node", "", node.name):
        if event.reason == "CgroupV1":
            reason = f"cgroup v1: kubelets from {FIRST_WITHOUT_CGROUP_V1} on refuse it by default"
            said = Evidence("event", f"Node {node.name}", event.message or "", event.last_seen)
            yield Doubt(reason, said)
            break
    kwasm = next((k for k in (*node.annotations, *node.labels) if k.startswith(KWASM)), "")
    if kwasm:
        yield Doubt(
            "KWasm is retired, and writes tables that containerd 2 does not read; its label proves "
            "no handler",
            _told(node, kwasm),
        )


def _of_containerd(version: Version, kubelet: Version | None) -> Iterator[str]:
    if version < ARTIFACTS:
        yield f"containerd before {'.'.join(map(str, ARTIFACTS))} cannot start Wasm OCI artifacts"
    if version.major == 1 and kubelet and kubelet[:2] > LAST_FOR_CONTAINERD_1[:2]:
        yield f"containerd 1.x is supported up to Kubernetes {LAST_FOR_CONTAINERD_1}"


def _peculiarities(node: Node) -> Iterator[Evidence]:
    """What is no fault of the version and still decides what works with it."""
    used = runtime(node)
    if used is None or used.name != "containerd" or used.version is None:
        return
    if used.version.major == 1:
        yield _told(node, "containerd 1.x reports no handlers; image volumes need 2.1")
    elif used.version >= HOST_PLATFORM_ONLY and not is_k3s(node.status.node_info.kubelet_version):
        yield _told(
            node,
            "from 2.1 on, images for platform wasi/wasm alone need use_local_image_pull = true; "
            "linux/* images do not",
        )


def _version(node: Node) -> str:
    return (node.status.node_info.container_runtime_version or "").replace("://", " ")


def image_volumes(case: Case) -> Iterable[Result]:
    """Volumes that are images: an API of 1.31 (on by default from 1.35), containerd 2.1, CRI-O
    1.31."""
    used = False
    for view in case.workloads:
        names = [v.name for v in view.spec.volumes or () if v.image]
        if not names:
            continue
        used = True
        if not case.snapshot.has("Node"):
            yield unseen(case.snapshot, ("Node",), view.subject)
            continue
        placed = {pod.spec.node_name for pod in view.pods if pod.spec.node_name}
        nodes = [n for n in case.snapshot.nodes if not placed or n.name in placed]
        lacking = [(node, why) for node in nodes if (why := _no_image_volume(node))]
        if lacking:
            node, why = lacking[0]
            reason = f"volume {names[0]}: {why} ({named([n.name for n, _ in lacking])})"
            yield Result(Status.WARN, reason, view.subject, (_told(node, _version(node)),))
        elif not any(runtime(node) for node in nodes):
            reason = f"volume {names[0]}: the nodes do not tell their container runtime"
            yield Result(Status.UNKNOWN, reason, view.subject, needs=NODES)
        else:
            reason = f"volume {names[0]} is an image, and the nodes can mount one"
            yield Result(Status.PASS, reason, view.subject)
    if not used:
        yield Result(Status.SKIP, "no workload here mounts an image as a volume")


_MOUNTING = {"containerd": Version(2, 1), "cri-o": Version(1, 31)}


def _no_image_volume(node: Node) -> str:
    used, kubelet = runtime(node), parse(node.status.node_info.kubelet_version)
    if kubelet and kubelet < Version(1, 31):
        return f"kubelet {kubelet} knows no image volumes (1.31, on by default from 1.35)"
    if used is None or used.version is None:
        return ""
    needed = _MOUNTING.get(used.name)
    if needed is None:
        return f"{used.name} mounts no image volumes"
    if used.version >= needed:
        return ""
    return f"{used.name} {used.version} mounts no image volumes (from {needed} on)"


CHECKS = (
    Check(
        id="kubernetes-versions-fit",
        title="API server and kubelets are of versions that fit",
        severity=Severity.WARNING,
        needs=(),
        run=kubernetes_versions,
    ),
    Check(
        id="container-runtimes-fit",
        title="The nodes' container runtimes have no known fault with Wasm",
        severity=Severity.WARNING,
        needs=("Node",),
        run=container_runtimes,
    ),
    Check(
        id="image-volumes-supported",
        title="Nodes can mount the images that are used as volumes",
        severity=Severity.WARNING,
        needs=("Pod",),
        run=image_volumes,
    ),
)
