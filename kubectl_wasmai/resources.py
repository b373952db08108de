"""The kinds of the Kubernetes API that we read or write, and where they live in it."""

from __future__ import annotations

from typing import NamedTuple


class Resource(NamedTuple):
    """One kind: ``group`` is empty for the core API; ``plural`` is the name in URLs and RBAC.

    ``older`` are versions that a server may have instead, the newest first.
    """

    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    older: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def previous(self) -> Resource | None:
        """The same in the next older version, where there is one."""
        if not self.older:
            return None
        return self._replace(version=self.older[0], older=self.older[1:])

    @property
    def full_name(self) -> str:
        """As kubectl names it in messages: ``deployment.apps``, ``pod``."""
        singular = self.kind.lower()
        return f"{singular}.{self.group}" if self.group else singular

    @property
    def listed_as(self) -> str:
        """For `kubectl get` and file names: the metrics API calls its objects pods, too."""
        return f"{self.plural}.{self.group}" if self.group == "metrics.k8s.io" else self.plural

    @property
    def root(self) -> str:
        """URL path of the group and version: it lists the kinds that are served there."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str | None = None, name: str = "") -> str:
        """URL path of the collection, or of one object. ``namespace=None``: all namespaces."""
        middle = f"/namespaces/{namespace}" if self.namespaced and namespace is not None else ""
        tail = f"/{name}" if name else ""
        return f"{self.root}{middle}/{self.plural}{tail}"


POD = Resource("Pod", "pods")
EVENT = Resource("Event", "events")
NODE = Resource("Node", "nodes", namespaced=False)
SERVICE = Resource("Service", "services")
PERSISTENT_VOLUME_CLAIM = Resource("PersistentVolumeClaim", "persistentvolumeclaims")
DEPLOYMENT = Resource("Deployment", "deployments", "apps")
REPLICA_SET = Resource("ReplicaSet", "replicasets", "apps")
STATEFUL_SET = Resource("StatefulSet", "statefulsets", "apps")
DAEMON_SET = Resource("DaemonSet", "daemonsets", "apps")
JOB = Resource("Job", "jobs", "batch")
CRON_JOB = Resource("CronJob", "cronjobs", "batch")
RUNTIME_CLASS = Resource("RuntimeClass", "runtimeclasses", "node.k8s.io", namespaced=False)
STORAGE_CLASS = Resource("StorageClass", "storageclasses", "storage.k8s.io", namespaced=False)
NAMESPACE = Resource("Namespace", "namespaces", namespaced=False)
SERVICE_ACCOUNT = Resource("ServiceAccount", "serviceaccounts")
RESOURCE_QUOTA = Resource("ResourceQuota", "resourcequotas")
LIMIT_RANGE = Resource("LimitRange", "limitranges")
AUTOSCALER = Resource("HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling", "v2")
DISRUPTION_BUDGET = Resource("PodDisruptionBudget", "poddisruptionbudgets", "policy")
PERSISTENT_VOLUME = Resource("PersistentVolume", "persistentvolumes", namespaced=False)
API_SERVICE = Resource("APIService", "apiservices", "apiregistration.k8s.io", namespaced=False)
POD_METRICS = Resource("PodMetrics", "pods", "metrics.k8s.io", "v1beta1")
_DRA = ("resource.k8s.io", "v1")
_OLDER_DRA = ("v1beta2", "v1beta1")
RESOURCE_SLICE = Resource("ResourceSlice", "resourceslices", *_DRA, False, _OLDER_DRA)
DEVICE_CLASS = Resource("DeviceClass", "deviceclasses", *_DRA, False, _OLDER_DRA)
RESOURCE_CLAIM = Resource("ResourceClaim", "resourceclaims", *_DRA, True, _OLDER_DRA)
CLAIM_TEMPLATE = Resource(
    "ResourceClaimTemplate", "resourceclaimtemplates", *_DRA, True, _OLDER_DRA
)
CLUSTER_POLICY = Resource("ClusterPolicy", "clusterpolicies", "nvidia.com", "v1", False)
NVIDIA_DRIVER = Resource("NVIDIADriver", "nvidiadrivers", "nvidia.com", "v1alpha1", False)
GPU_CLUSTER = Resource("GPUCluster", "gpuclusters", "nvidia.com", "v1alpha1", False)
DEVICE_CONFIG = Resource("DeviceConfig", "deviceconfigs", "amd.com", "v1alpha1")

ALL: tuple[Resource, ...] = (
    NODE,
    RUNTIME_CLASS,
    STORAGE_CLASS,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
    DAEMON_SET,
    JOB,
    CRON_JOB,
    POD,
    SERVICE,
    PERSISTENT_VOLUME_CLAIM,
    NAMESPACE,
    SERVICE_ACCOUNT,
    RESOURCE_QUOTA,
    LIMIT_RANGE,
    AUTOSCALER,
    DISRUPTION_BUDGET,
    PERSISTENT_VOLUME,
    API_SERVICE,
    POD_METRICS,
    RESOURCE_SLICE,
    DEVICE_CLASS,
    RESOURCE_CLAIM,
    CLAIM_TEMPLATE,
    CLUSTER_POLICY,
    NVIDIA_DRIVER,
    GPU_CLUSTER,
    DEVICE_CONFIG,
    EVENT,
)
BY_KIND: dict[str, Resource] = {resource.kind: resource for resource in ALL}
