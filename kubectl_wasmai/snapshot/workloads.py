"""Pods joined with the controller that makes them: what a person deployed and can change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from kubectl_wasmai.snapshot.objects import (
    WORKLOAD_KINDS,
    Condition,
    Container,
    CronJob,
    ObjectMeta,
    Pod,
    PodSpec,
    Workload,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_wasmai.snapshot.model import ClusterSnapshot


REJECTIONS = ("UnexpectedAdmissionError", "NodeAffinity", "OutOfcpu", "OutOfmemory")
"""Reasons of pods that a kubelet refused to start; their controllers make others."""


class Subject(NamedTuple):
    """The name of one object. ``namespace`` is empty for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        path = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {path}"


@dataclass(frozen=True, eq=False)
class WorkloadView:
    """The outermost owner of some pods, its pod template, and the pods there are.

    ``controllers`` are the objects between owner and pods (ReplicaSets, Jobs) and the owner
    itself, since events about failed pod creation sit on any of them. A bare pod is its own
    owner and template. ``desired`` are the pods asked for; ``refused`` those that a controller
    could not even create. A view equals only itself.
    """

    subject: Subject
    metadata: ObjectMeta
    template: ObjectMeta
    spec: PodSpec
    pods: tuple[Pod, ...]
    controllers: tuple[Subject, ...]
    desired: int
    refused: int
    conditions: tuple[Condition, ...] = ()

    @property
    def containers(self) -> tuple[Container, ...]:
        return tuple(self.spec.containers or ())

    @cached_property
    def by_name(self) -> dict[str, Pod]:
        return {pod.name: pod for pod in self.pods}

    @property
    def template_annotations(self) -> dict[str, str]:
        return self.template.annotations or {}


def workload_views(snapshot: ClusterSnapshot) -> tuple[WorkloadView, ...]:
    """Every outermost workload and every bare pod, by namespace, kind and name."""
    pods: dict[Subject, list[Pod]] = {}
    middles: dict[Subject, set[Subject]] = {}
    owners: dict[Subject, tuple[Subject, ...]] = {}
    for pod in snapshot.pods:
        owner = _controller(pod.metadata)
        if owner is not None and owner not in owners:
            owners[owner] = owner_chain(snapshot, pod)[1:]
        chain = owners[owner] if owner else (Subject("Pod", pod.namespace, pod.name),)
        pods.setdefault(chain[-1], []).append(pod)
        middles.setdefault(chain[-1], set()).update(chain if owner else ())
    for subject, chain in _controllers_without_pods(snapshot):
        middles.setdefault(subject, set()).update(chain)
    views = [
        _view(snapshot, subject, pods.get(subject, []), middles.get(subject, set()))
        for subject in sorted({*pods, *middles}, key=lambda s: (s.namespace, s.kind, s.name))
    ]
    return tuple(view for view in views if view is not None)


def owner_chain(snapshot: ClusterSnapshot, pod: Pod) -> tuple[Subject, ...]:
    """The pod itself, its controller, that one's controller …, outermost last."""
    chain = [Subject("Pod", pod.namespace, pod.name)]
    metadata = pod.metadata
    while (owner := _controller(metadata)) is not None and owner not in chain:
        chain.append(owner)
        parent = _lookup(snapshot, owner)
        if parent is None:
            chain.extend(_guess_deployment(owner, pod))
            break
        metadata = parent.metadata
    return tuple(chain)


def _controller(metadata: ObjectMeta) -> Subject | None:
    for owner in metadata.owner_references or ():
        # A static pod's mirror is owned by its Node: nobody's workload.
        if owner.controller and owner.kind != "Node":
            return Subject(owner.kind, metadata.namespace, owner.name)
    return None


def _guess_deployment(owner: Subject, pod: Pod) -> tuple[Subject, ...]:
    """Where ReplicaSets were not collected, the pod-template-hash tells the Deployment's name."""
    suffix = "-" + pod.labels.get("pod-template-hash", "")
    if owner.kind == "ReplicaSet" and suffix != "-" and owner.name.endswith(suffix):
        return (Subject("Deployment", owner.namespace, owner.name.removesuffix(suffix)),)
    return ()


def _lookup(snapshot: ClusterSnapshot, subject: Subject) -> Workload | CronJob | None:
    if subject.kind == "CronJob":
        return snapshot.cron_jobs.get((subject.namespace, subject.name))
    return snapshot.workload(*subject)


def _controllers_without_pods(
    snapshot: ClusterSnapshot,
) -> Iterable[tuple[Subject, tuple[Subject, ...]]]:
    """Controllers, with their outermost owner: those whose pods were refused have none."""
    for kind in WORKLOAD_KINDS:
        for workload in snapshot.of(kind, Workload):
            subject = Subject(kind, workload.namespace, workload.name)
            owner = _controller(workload.metadata)
            if owner is None:
                yield subject, (subject,)
            elif kind in ("ReplicaSet", "Job"):
                yield owner, (owner, subject)
    for timed in snapshot.of("CronJob", CronJob):
        if not timed.spec.suspend:
            subject = Subject("CronJob", timed.namespace, timed.name)
            yield subject, (subject,)


def _view(
    snapshot: ClusterSnapshot, subject: Subject, pods: list[Pod], middles: set[Subject]
) -> WorkloadView | None:
    if subject.kind == "Pod":
        pod = pods[0]
        return WorkloadView(
            subject, pod.metadata, pod.metadata, pod.spec, tuple(pods), (subject,), 1, 0
        )
    owner = _lookup(snapshot, subject)
    template = _template(owner)
    if template is None:
        if not pods:
            return None
        template = (pods[0].metadata, pods[0].spec)
    workload = owner if isinstance(owner, Workload) else None
    pods = _present(workload, pods)
    refused = _refused(snapshot, workload, middles, len(pods))
    return WorkloadView(
        subject=subject,
        metadata=owner.metadata if owner else ObjectMeta(),
        template=template[0],
        spec=template[1],
        pods=tuple(sorted(pods, key=lambda pod: pod.name)),
        controllers=tuple(sorted(middles)),
        # Nobody says how many a CronJob wants: those of its Jobs.
        desired=_desired(workload, len(pods)) if workload else len(pods) + refused,
        refused=refused,
        conditions=tuple((workload.status.conditions if workload else None) or ()),
    )


def _present(workload: Workload | None, pods: list[Pod]) -> list[Pod]:
    """Without failed pods that have been replaced: evicted or rejected ones stay in the list
    until someone deletes them. A Job's failed tries count until one succeeds."""
    pods = _without_outlived(pods)
    if workload is None or workload.kind == "Job":
        return pods
    standing = [pod for pod in pods if pod.status.phase != "Failed"]
    running = [pod for pod in standing if pod.status.phase == "Running"]
    return standing if len(running) >= max(1, _desired(workload, len(running))) else pods


def _without_outlived(pods: list[Pod]) -> list[Pod]:
    """Without those of which a later one succeeded; or that a kubelet rejected (as it does after a
    reboot, before device plugins are back) which runs a later one."""
    done = [pod for pod in pods if pod.status.phase == "Succeeded"]
    running: dict[str | None, list[Pod]] = {}
    for pod in pods:
        if pod.status.phase == "Running":
            running.setdefault(pod.spec.node_name, []).append(pod)

    def is_outlived(pod: Pod) -> bool:
        rejected = pod.status.reason in REJECTIONS
        made = pod.metadata.creation_timestamp
        others = [*done, *(running.get(pod.spec.node_name, ()) if rejected else ())]
        return pod.status.phase == "Failed" and any(
            made is None or (other.metadata.creation_timestamp or made) >= made for other in others
        )

    return [pod for pod in pods if not is_outlived(pod)]


def _template(owner: Workload | CronJob | None) -> tuple[ObjectMeta, PodSpec] | None:
    if owner is None:
        return None
    spec = owner.spec.job_template.spec if isinstance(owner, CronJob) else owner.spec
    return (spec.template.metadata, spec.template.spec) if spec.template else None


def _desired(workload: Workload | None, pods: int) -> int:
    if workload is None:
        return pods
    if workload.spec.replicas is not None:
        return workload.spec.replicas
    if workload.kind == "DaemonSet":
        scheduled = workload.status.desired_number_scheduled
        return max(pods, 1) if scheduled is None else scheduled
    # What matters of a Job is whether it has any pod while it is to run.
    return pods or int(workload.kind == "Job" and _lacks_its_pod(workload))


def _refused(
    snapshot: ClusterSnapshot,
    workload: Workload | None,
    middles: set[Subject],
    pods: int,
) -> int:
    """Pods missing from the controllers that create them; during a rollout only the new
    ReplicaSet lacks some, while the old one still serves."""
    sets = [found for each in middles if (found := snapshot.workload(*each)) is not None]
    counted = [each for each in sets if each.kind in ("ReplicaSet", "StatefulSet")]
    if workload is None:
        return sum(_lacks_its_pod(each) for each in sets if each.kind == "Job")
    if not counted:
        return max(0, _desired(workload, pods) - pods)
    return sum(max(0, (each.spec.replicas or 0) - each.status.replicas) for each in counted)


def _lacks_its_pod(job: Workload) -> bool:
    """A Job that is to run and has no pod, not even one that failed: those it counts."""
    ended = any(each.status == "True" for each in job.status.conditions or ())
    return not (ended or job.status.active or job.status.failed or job.status.succeeded)
