"""Twice the cluster is twice the work: steps of the interpreter are counted, not seconds."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from builders import container, deployment, event, meta, pod, pod_spec, replica_set, runtime_class
from builders import snapshot as seen
from gpu_builders import daemon_set, gpu_node

from kubectl_wasmai.doctor import Options, examine
from kubectl_wasmai.doctor.examine import case_of
from kubectl_wasmai.doctor.model import Check
from kubectl_wasmai.doctor.registry import all_checks, all_detectors

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubectl_wasmai.doctor.model import Case
    from kubectl_wasmai.snapshot import ClusterSnapshot

SMALL = 60
MOST_GROWTH = 3.0
"""Of steps, for twice the objects. Quadratic work grows fourfold; a fixed part makes it less."""

Json = dict[str, Any]

UNSCHEDULABLE = "0/9 nodes are available: 9 Insufficient {}. preemption: 0/9 nodes are available."


def crowd(size: int) -> ClusterSnapshot:
    """Many of everything: as many nodes as workloads, a third of which fails in several ways."""
    plugin = daemon_set(desired=size)
    objects: list[Json] = [runtime_class(), plugin]
    for number in range(size):
        objects += [*_node(number, plugin), *_workload(number, size)]
    return seen(*objects, version="v1.34.1")


def _node(number: int, plugin: Json) -> list[Json]:
    sick = (
        [{"type": "DiskPressure", "status": "True", "message": "full"}] if number % 5 == 0 else []
    )
    taints = [{"key": f"pool-{number}", "effect": "NoSchedule"}] if number % 3 == 0 else []
    one = gpu_node(f"node{number}", capacity=2, conditions=sick, taints=taints)
    one["status"]["runtimeHandlers"] = [{"name": "crun"}] if number % 4 else [{"name": "runc"}]
    return [one, pod(f"plugin-{number}", owner=plugin, node=f"node{number}")]


def _workload(number: int, size: int) -> list[Json]:
    owner = deployment(f"web-{number}", spec=_spec(number), replicas=2)
    labels = {"app": f"web-{number}"}
    owner["spec"]["template"]["metadata"]["labels"] = labels
    sets = replica_set(owner)
    sets["metadata"] = meta(f"web-{number}-5d9", owner=owner)
    pods = [_pod(number, each, sets, size) for each in range(2)]
    events = [event(each, "BackOff", f"Back-off of {each['metadata']['name']}") for each in pods]
    probes = [event(each, "Unhealthy", "Readiness probe failed: refused") for each in pods]
    return [owner, sets, *pods, *events, *probes, *_around(number, labels, pods)]


def _spec(number: int) -> Json:
    amounts = {"cpu": "1", "memory": "64Mi", **({"nvidia.com/gpu": "1"} if number % 4 == 0 else {})}
    server = container(
        resources={"requests": amounts, "limits": amounts},
        command=["/app.wasm"],
        ports=[{"containerPort": 8080, "name": "http"}],
    )
    claim = {"name": "model", "persistentVolumeClaim": {"claimName": f"claim-{number}"}}
    class_ = "missing" if number % 7 == 3 else None if number % 4 == 0 else "wasm"
    account = f"account-{number}"
    return pod_spec(server, runtime_class=class_, volumes=[claim], serviceAccountName=account)


def _pod(number: int, which: int, owner: Json, size: int) -> Json:
    name = f"web-{number}-5d9-{which}"
    labels = owner["spec"]["template"]["metadata"]["labels"]
    if number % 3 == 0 and which:
        short = UNSCHEDULABLE.format("nvidia.com/gpu" if number % 4 == 0 else "cpu")
        waits = {"type": "PodScheduled", "status": "False", "message": short}
        made = pod(name, owner=owner, ready=False, node="", statuses=[], conditions=[waits])
    else:
        crashed = [{"name": "main", "ready": False, "restartCount": 3,
                    "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]  # fmt: skip
        ready = number % 5 != 1
        node = f"node{(number + which) % size}"
        made = pod(name, owner=owner, ready=ready, node=node, statuses=None if ready else crashed)
    made["metadata"]["labels"] = labels
    return made


def _around(number: int, labels: Json, pods: list[Json]) -> list[Json]:
    selector = {"app": f"web-{number}" if number % 6 else f"wab-{number}"}
    scaled = {"kind": "Deployment", "name": f"web-{number}"}
    usage = [{"name": "main", "usage": {"cpu": "2", "memory": "60Mi"}}]
    used = {"hard": {"pods": "10"}, "used": {"pods": "10"}}
    ports = [{"port": 80, "targetPort": "http"}]
    return [
        _object("Service", f"web-{number}", spec={"selector": selector, "ports": ports}),
        _object("PersistentVolumeClaim", f"claim-{number}", spec={"storageClassName": "slow"},
                status={"phase": "Bound" if number % 4 else "Pending"}),
        _object("PersistentVolume", f"volume-{number}", spec={"storageClassName": "other"}),
        _object("ServiceAccount", f"account-{number}" if number % 5 else f"other-{number}"),
        _object("HorizontalPodAutoscaler", f"web-{number}", spec={"scaleTargetRef": scaled}),
        _object("PodDisruptionBudget", f"web-{number}", spec={"selector": {"matchLabels": labels}}),
        *([_object("ResourceQuota", "quota", status=used)] if not number else []),
        *(_object("PodMetrics", each["metadata"]["name"], containers=usage) for each in pods),
    ]  # fmt: skip


def _object(kind: str, name: str, **more: Any) -> Json:
    return {"kind": kind, "metadata": meta(name), **more}


def steps(work: Callable[[], object]) -> int:
    """Lines that the interpreter comes by while it works; a loop comes by each time."""
    count = 0

    def trace(_frame: object, kind: str, _argument: object) -> Any:
        nonlocal count
        count += kind in ("line", "call")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.fixture(scope="module")
def cases() -> tuple[Case, Case]:
    small, large = (case_of(crowd(size), Options()) for size in (SMALL, 2 * SMALL))
    return small, large


def _name(each: Any) -> str:
    return str(each.id if isinstance(each, Check) else each.causes[0])


def _run(each: Any, case: Case) -> None:
    list(each.run(case))


@pytest.mark.parametrize("each", [*all_checks(), *all_detectors()], ids=_name)
def test_twice_the_cluster_takes_twice_as_long(each: Any, cases: tuple[Case, Case]) -> None:
    small, large = (steps(partial(_run, each, case)) for case in cases)
    assert large <= MOST_GROWTH * small


def test_an_examination_takes_twice_as_long_for_twice_the_cluster() -> None:
    small, large = (steps(partial(examine, crowd(size))) for size in (SMALL, 2 * SMALL))
    assert large <= MOST_GROWTH * small
