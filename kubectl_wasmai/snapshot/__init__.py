"""What was seen of a cluster: collected live or loaded from files, typed and read-only."""

from __future__ import annotations

from kubectl_wasmai.snapshot.collect import collect, collect_whole
from kubectl_wasmai.snapshot.load import load
from kubectl_wasmai.snapshot.model import ClusterSnapshot, LogKey, MetricsKey
from kubectl_wasmai.snapshot.restrict import restrict
from kubectl_wasmai.snapshot.workloads import Subject, WorkloadView, workload_views

__all__ = [
    "ClusterSnapshot",
    "LogKey",
    "MetricsKey",
    "Subject",
    "WorkloadView",
    "collect",
    "collect_whole",
    "load",
    "restrict",
    "workload_views",
]
