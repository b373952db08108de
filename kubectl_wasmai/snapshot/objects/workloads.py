"""Controllers that make pods, and what watches over them."""

from __future__ import annotations

from kubectl_wasmai.snapshot.objects.meta import Base, Condition, LabelSelector, Object, ObjectMeta
from kubectl_wasmai.snapshot.objects.pods import PodSpec


class PodTemplate(Base, frozen=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class WorkloadSpec(Base, frozen=True):
    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplate | None = None


class WorkloadStatus(Base, frozen=True):
    """The counters of all controllers that make pods; each kind fills its own."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    desired_number_scheduled: int | None = None
    active: int = 0
    failed: int = 0
    succeeded: int = 0
    conditions: list[Condition] | None = None


class Workload(Object, frozen=True):
    """Deployment, ReplicaSet, StatefulSet, DaemonSet or Job."""

    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class JobTemplate(Base, frozen=True):
    spec: WorkloadSpec = WorkloadSpec()


class CronJobSpec(Base, frozen=True):
    suspend: bool | None = None
    job_template: JobTemplate = JobTemplate()


class CronJob(Object, frozen=True):
    spec: CronJobSpec = CronJobSpec()


class TargetReference(Base, frozen=True):
    kind: str = ""
    name: str = ""


class AutoscalerSpec(Base, frozen=True):
    scale_target_ref: TargetReference = TargetReference()


class AutoscalerStatus(Base, frozen=True):
    conditions: list[Condition] | None = None


class HorizontalPodAutoscaler(Object, frozen=True):
    spec: AutoscalerSpec = AutoscalerSpec()
    status: AutoscalerStatus = AutoscalerStatus()


class BudgetSpec(Base, frozen=True):
    selector: LabelSelector | None = None


class BudgetStatus(Base, frozen=True):
    disruptions_allowed: int = 0
    expected_pods: int = 0


class PodDisruptionBudget(Object, frozen=True):
    spec: BudgetSpec = BudgetSpec()
    status: BudgetStatus = BudgetStatus()
