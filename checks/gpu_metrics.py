"""What exporters of GPU metrics tell, GPU by GPU.

Names of metrics are dcgm-exporter's (its own older ones and those of DCGM 4.6) and AMD's device
metrics exporter's. DCGM writes odd great numbers for what it does not know; on MIG slices the
utilisation counter is missing and only the ratio of engine activity is there; the label of the
host is ``Hostname`` or ``hostname``; Prometheus may have renamed ``pod`` to ``exported_pod``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.devices import holds_gpu
from kubectl_wasmai.doctor.exposition import samples
from kubectl_wasmai.doctor.model import Case, Evidence, Subject
from kubectl_wasmai.doctor.once import once_per_case
from kubectl_wasmai.rights import rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Pod

BLANKS = ((2147483632, 2147483635), (2.0**47, float("inf")))
"""What DCGM writes for "unknown": 2^31 less a few as an integer of 32 bits, 2^63 less a few of 64
bits, 2^47 and a little as a float (dcgm_structs.h). No quantity here comes near."""
MIB = 1024.0 * 1024.0

BUSY, ENGINE, USED, FREE, TOTAL = "busy", "engine", "used", "free", "total"
TEMPERATURE, HOTTEST, MARGIN = "temperature", "hottest", "margin"
XID, THROTTLED = "xid", "throttled"
REMAP_FAILED, REMAP_PENDING, ECC, HEALTH = "remap failed", "remap pending", "ecc", "health"

DCGM = {
    BUSY: ("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_GPU_UTIL_RATIO"),
    ENGINE: ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO"),
    USED: ("DCGM_FI_DEV_FB_USED",),
    FREE: ("DCGM_FI_DEV_FB_FREE",),
    TOTAL: ("DCGM_FI_DEV_FB_TOTAL",),
    TEMPERATURE: ("DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_GPU_TEMP_CELSIUS"),
    HOTTEST: (
        "DCGM_FI_DEV_GPU_MAX_OP_TEMP",
        "DCGM_FI_DEV_GPU_MAX_OP_TEMP_CELSIUS",
        "DCGM_FI_DEV_SLOWDOWN_TEMP",
        "DCGM_FI_DEV_GPU_TEMP_SLOWDOWN_CELSIUS",
    ),
    MARGIN: ("DCGM_FI_DEV_GPU_TEMP_LIMIT", "DCGM_FI_DEV_GPU_TEMP_MARGIN_CELSIUS"),
    XID: ("DCGM_FI_DEV_XID_ERRORS", "DCGM_FI_DEV_XID_ERROR"),
    THROTTLED: ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"),
    REMAP_FAILED: ("DCGM_FI_DEV_ROW_REMAP_FAILURE", "DCGM_FI_DEV_ROW_REMAP_FAILED"),
    REMAP_PENDING: ("DCGM_FI_DEV_ROW_REMAP_PENDING",),
    ECC: ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL",),
    HEALTH: ("DCGM_EXP_GPU_HEALTH_STATUS",),
}
_AMD = {
    BUSY: ("gpu_gfx_activity", "amd_gpu_gfx_activity"),
    USED: ("gpu_used_vram", "amd_gpu_used_vram"),
    FREE: ("gpu_free_vram", "amd_gpu_free_vram"),
    TOTAL: ("gpu_total_vram", "amd_gpu_total_vram"),
    TEMPERATURE: ("gpu_junction_temperature", "gpu_edge_temperature"),
    ECC: ("gpu_ecc_uncorrect_total",),
}
_MEANS = {name: what for table in (DCGM, _AMD) for what, names in table.items() for name in names}
AKS_EXPORTER = "kubernetes.azure.com/dcgm-exporter"
_DEVICE = ("UUID", "uuid", "gpu_uuid", "serial_number", "gpu", "gpu_id")
_SLICE = ("GPU_I_ID", "gpu_partition_id")


@dataclass(frozen=True)
class Gpu:
    """One GPU or slice of it, as an exporter sees it now.

    ``values`` are by what they mean: percent, ratio, MiB, degrees Celsius, codes. ``holder`` is
    the pod that has it, where the exporter knows (never under time-slicing).
    """

    exporter: Subject
    node: str
    index: str
    slice_: str
    product: str
    driver: str
    holder: tuple[str, str] | None
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        part = f" slice {self.slice_}" if self.slice_ else ""
        return f"GPU {self.index}{part} of {self.node}"

    @property
    def busy(self) -> float | None:
        """Percent of the time; of a slice only the engine's activity says it."""
        engine = self.values.get(ENGINE)
        if engine is not None and (self.slice_ or BUSY not in self.values):
            return 100 * engine
        return None if self.slice_ else self.values.get(BUSY)

    @property
    def memory(self) -> float | None:
        """MiB that programs can have."""
        if TOTAL in self.values:
            return self.values[TOTAL]
        if USED in self.values and FREE in self.values:
            return self.values[USED] + self.values[FREE]
        return None

    def evidence(self, text: str) -> Evidence:
        return Evidence("probe", str(self.exporter), f"{self.name}: {text}")


@once_per_case
def measured(case: Case) -> tuple[Gpu, ...]:
    """Every GPU of every exporter that was read."""
    pods = {(pod.namespace, pod.name): pod for pod in case.snapshot.pods}
    return tuple(
        each
        for key, text in sorted(case.snapshot.metrics.items())
        for each in _of_exporter(text, Subject("Pod", *key), pods.get((key.namespace, key.pod)))
    )


def _of_exporter(text: str, exporter: Subject, pod: Pod | None) -> Iterator[Gpu]:
    values: dict[tuple[str, str], dict[str, float]] = {}
    labels: dict[tuple[str, str], dict[str, str]] = {}
    for sample in samples(text):
        what = _MEANS.get(sample.name)
        if what is None or _is_blank(sample.value):
            continue
        key = _first(sample.labels, _DEVICE), _first(sample.labels, _SLICE)
        labels.setdefault(key, {}).update(sample.labels)
        known = values.setdefault(key, {})
        # Of several series (one for each error, each health watch) the worst counts.
        known[what] = max(known.get(what, sample.value), sample.value)
    node = (pod.spec.node_name if pod else None) or ""
    for key, each in labels.items():
        yield Gpu(
            exporter,
            node or _first(each, ("Hostname", "hostname")),
            _first(each, ("gpu", "gpu_id")) or key[0],
            key[1],
            _first(each, ("modelName", "model_name", "card_model")),
            _first(each, ("DCGM_FI_DRIVER_VERSION", "driver_version")),
            _holder(each),
            values[key],
        )


def _is_blank(value: float) -> bool:
    return not math.isfinite(value) or any(least <= value <= most for least, most in BLANKS)


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _holder(labels: Mapping[str, str]) -> tuple[str, str] | None:
    """Prometheus' own ``pod`` is the exporter's; the exporter's is then ``exported_pod``."""
    for prefix in ("exported_", ""):
        pod = labels.get(prefix + "pod")
        if pod:
            return labels.get(prefix + "namespace", ""), pod
    return None


@once_per_case
def _by_node(case: Case) -> dict[str, tuple[Gpu, ...]]:
    found: dict[str, list[Gpu]] = {}
    for each in measured(case):
        found.setdefault(each.node, []).append(each)
    return {node: tuple(gpus) for node, gpus in found.items()}


def of_node(case: Case, node: str) -> tuple[Gpu, ...]:
    return _by_node(case).get(node, ())


def of_workload(case: Case, view: WorkloadView) -> tuple[Gpu, ...]:
    """Its GPUs: those that the exporter says its pods hold, else those of nodes where nobody
    else holds any."""
    names = {(pod.namespace, pod.name) for pod in view.pods}
    held = tuple(each for each in measured(case) if each.holder in names)
    if held:
        return held
    return tuple(
        each
        for node, holding in _holding(case).items()
        if holding <= names
        for each in of_node(case, node)
        if each.holder is None
    )


@once_per_case
def _holding(case: Case) -> dict[str, frozenset[tuple[str, str]]]:
    """By node: the pods that have GPUs there."""
    found: dict[str, set[tuple[str, str]]] = {}
    for pod in case.snapshot.pods if case.snapshot.metrics else ():
        if pod.spec.node_name and holds_gpu(case.snapshot, pod):
            found.setdefault(pod.spec.node_name, set()).add((pod.namespace, pod.name))
    return {node: frozenset(pods) for node, pods in found.items()}


@once_per_case
def unread(case: Case) -> str:
    """Why there are no metrics to judge by, as what is needed to have them."""
    collection = case.snapshot.info.collection
    for denied in collection.denied:
        if denied.resource == "pods/proxy":
            right = f"{denied.verb} pods/proxy in namespace {denied.namespace}"
            granting = rule("", ["pods/proxy"], [denied.verb])
            return f"{right}; the rule that grants it: {granting}"
    for each in collection.unreadable:
        if each.object.startswith("metrics of Pod "):
            return f"{each.object}, which could not be read: {each.reason}"
    if any(AKS_EXPORTER in node.labels for node in case.snapshot.nodes):
        return "a look at http://NODE:19400/metrics: AKS' exporter is a service of the node, no pod"
    return ""
