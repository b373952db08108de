from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from builders import deployment, event, pod, runtime_class, snapshot
from examining import result
from msgspec.structs import replace

from kubectl_wasmai.doctor import Options, examine
from kubectl_wasmai.doctor.model import Thresholds
from kubectl_wasmai.snapshot import ClusterSnapshot

if TYPE_CHECKING:
    from kubectl_wasmai.doctor.report import CheckEntry

SECOND = int(datetime(2026, 1, 1, 10, 0, tzinfo=timezone.utc).timestamp())


def answer(check: str, *objects: dict[str, Any], **more: Any) -> CheckEntry:
    return result(examine(snapshot(*objects, runtime_class()), **more), check)


def at(about: dict[str, Any], reason: str, milliseconds: int) -> dict[str, Any]:
    """As the kubelet records it: the second in a field, the nanosecond in the name."""
    said = event(about, reason, reason, time="2026-01-01T10:00:00Z", kind="Normal")
    nanoseconds = SECOND * 10**9 + milliseconds * 10**6
    said["metadata"]["name"] = f"{about['metadata']['name']}.{nanoseconds:x}"
    said["firstTimestamp"] = said["lastTimestamp"]
    return said


def test_the_stages_of_a_start_are_evidence_and_no_cold_start() -> None:
    web = deployment()
    runs = pod(owner=web)
    times = {"Scheduled": 0, "Pulled": 478, "Created": 496, "Started": 651}
    events = [at(runs, reason, time) for reason, time in times.items()]

    told = answer("cold-start", web, runs, *events)
    assert told.status.value == "UNKNOWN"
    assert told.evidence[0].text == "pod start: sandbox 0.478 s, create 0.018 s, start 0.155 s"


def test_a_stage_known_to_the_second_alone_is_no_measurement() -> None:
    web = deployment()
    runs = pod(owner=web)

    told = answer("cold-start", web, runs, event(runs, "Pulled", "x"), event(runs, "Started", "y"))
    assert told.evidence == ()


def test_a_clock_that_differs_is_not_shown_as_a_stage() -> None:
    web = deployment()
    runs = pod(owner=web)

    told = answer("cold-start", web, runs, at(runs, "Pulled", 500), at(runs, "Created", 100))
    assert told.evidence == ()


def test_the_thresholds_stand_in_the_answers() -> None:
    web = deployment()
    options = Options(thresholds=Thresholds(max_latency=0.2, max_cold_start=0.025))

    told = {check: answer(check, web, options=options).reason for check in CHECKS}
    assert told["inference-latency"].endswith("(wanted: below 200 ms)")
    assert told["cold-start"].endswith("(wanted: below 25 ms)")


CHECKS = ("inference-latency", "cold-start")


def test_a_token_s_time_in_the_log_is_evidence_and_no_latency() -> None:
    web = deployment()
    lines = [
        "llama_perf_context_print: prompt eval time = 1231.00 ms / 11 tokens ( 111.9 ms per token)",
        "llama_perf_context_print:        eval time = 1211.10 ms / 33 runs   ( 36.70 ms per token)",
    ]
    logs = {("web-5d9-x", "main"): "\n".join(lines)}

    taken = snapshot(web, pod(owner=web), runtime_class(), logs=logs)
    told = result(examine(taken), "inference-latency")
    assert told.status.value == "UNKNOWN"
    assert told.evidence[0].text == "36.70 ms for each further token"


def metrics(memory: str, cpu: str = "10m") -> dict[str, Any]:
    usage = {"memory": memory, "cpu": cpu}
    return {
        "apiVersion": "metrics.k8s.io/v1beta1",
        "kind": "PodMetrics",
        "metadata": {"name": "web-5d9-x", "namespace": "default"},
        "containers": [{"name": "main", "usage": usage}],
    }


def test_memory_is_judged_by_the_metrics_api_and_the_threshold_is_stated() -> None:
    web = deployment()

    low = answer("memory-headroom", web, pod(owner=web), metrics("32Mi"))
    high = answer("memory-headroom", web, pod(owner=web), metrics("60Mi"))
    raised = answer(
        "memory-headroom", web, pod(owner=web), metrics("60Mi"),
        options=Options(thresholds=Thresholds(max_memory=95)),
    )  # fmt: skip
    statuses = [each.status.value for each in (low, high, raised)]
    assert statuses == ["PASS", "WARN", "PASS"]
    assert low.reason == "50 % of its memory limit (32Mi of 64Mi); allowed: 80 %"
    assert raised.reason.endswith("allowed: 95 %")


def test_without_figures_memory_is_unknown_and_says_how_to_get_them() -> None:
    web = deployment()

    told = answer("memory-headroom", web, pod(owner=web))
    assert told.status.value == "UNKNOWN"
    assert "kubectl top pod" in told.needs


def test_where_no_metrics_api_is_served_a_metrics_server_is_what_is_needed() -> None:
    web = deployment()
    seen = snapshot(web, pod(owner=web), runtime_class())
    collection = replace(seen.info.collection, unserved=("PodMetrics",))
    unserved = ClusterSnapshot(replace(seen.info, collection=collection), "file", seen.objects)

    told = result(examine(unserved), "memory-headroom")
    assert (told.status.value, told.reason) == ("UNKNOWN", "no metrics API is served")
    assert told.needs == "a metrics server in the cluster"
