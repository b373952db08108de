"""Readiness to troubleshoot: logs, alerts, backups, runbooks, and the right to look."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.answers import NO_WORKLOAD
from kubectl_wasmai.doctor.health import is_well
from kubectl_wasmai.doctor.model import (
    Case,
    Certainty,
    Check,
    Detector,
    Evidence,
    Finding,
    Result,
    Severity,
    Status,
    Subject,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.model import Denied

# Image names, without registry and tag.
COLLECTORS = re.compile(
    r"fluent-?bit|fluentd|/?vector$|promtail|(?:grafana[/-])?(?:alloy|agent)$|filebeat|logstash"
    r"|opentelemetry-collector|otelcol|datadog|splunk|newrelic-fluent|logging-agent"
)
ALERTERS = re.compile(r"alertmanager|vmalert|grafana$|datadog|zabbix|victoria-metrics-alert")
BACKUPS = re.compile(r"velero|kasten|k10-|k8up|stash|trilio|kanister|longhorn-manager|restic")


def log_collection(case: Case) -> Iterable[Result]:
    yield _found(
        case,
        COLLECTORS,
        "logs are collected by",
        Result(Status.WARN, "nothing here collects logs: they vanish with their pods"),
        ("DaemonSet",),
    )


def alert_rules(case: Case) -> Iterable[Result]:
    found = _running(case, ALERTERS, ())
    if found:
        yield Result(
            Status.MANUAL,
            f"{found[0]} can alert; see that it has rules for pods that restart, do not become "
            "ready or exceed their latency: kubectl get prometheusrules -A",
        )
    elif _is_partial(case):
        yield _partial(case)
    else:
        yield Result(Status.WARN, "nothing here sends alerts")


def backup(case: Case) -> Iterable[Result]:
    yield _found(
        case,
        BACKUPS,
        "backups are made by",
        Result(
            Status.MANUAL,
            "no backup tool is found here; see that manifests, images and models can be had "
            "again, and that a restore has been tried",
        ),
        (),
    )


def runbooks_at_hand(case: Case) -> Iterable[Result]:
    """Not said of an empty cluster: nothing is green there because nothing ran."""
    if not case.workloads:
        yield NO_WORKLOAD
        return
    folder = resources.files("kubectl_wasmai.runbooks")
    pages = [entry.name for entry in folder.iterdir() if entry.name.endswith(".md")]
    status = Status.PASS if pages else Status.FAIL
    yield Result(status, f"{len(pages)} pages come with the plugin: kubectl wasmai explain")


def _found(
    case: Case, image: re.Pattern[str], told: str, absent: Result, kinds: tuple[str, ...]
) -> Result:
    found = _running(case, image, kinds)
    if found:
        return Result(Status.PASS, f"{told} {found[0]}")
    return _partial(case) if _is_partial(case) else absent


def _running(case: Case, image: re.Pattern[str], kinds: tuple[str, ...]) -> list[Subject]:
    return [
        view.subject
        for view in case.snapshot.views
        if (not kinds or view.subject.kind in kinds)
        and any(image.search(_bare(container.image)) for container in view.containers)
    ]


def _bare(image: str) -> str:
    """``registry:5000/a/b:tag@digest`` is ``a/b``."""
    path = image.partition("@")[0]
    head, _, tail = path.rpartition("/")
    return f"{head}/{tail.partition(':')[0]}".lower()


def _is_partial(case: Case) -> bool:
    return bool(case.snapshot.info.namespace)


def _partial(case: Case) -> Result:
    return Result(
        Status.UNKNOWN,
        f"only namespace {case.snapshot.info.namespace} was looked at",
        needs="all namespaces: kubectl wasmai doctor -A",
    )


def denied_rights(case: Case) -> Iterator[Finding]:
    """Only where something is not well, whose cause may lie in what nobody could read: rights that
    are lacking break nothing by themselves."""
    denied = case.snapshot.info.collection.denied
    if not denied:
        return
    evidence = tuple(
        Evidence("status", f"{each.verb} {each.resource}", f"not allowed{_scope(each)}")
        for each in denied
    )
    names = {"verb": denied[0].verb, "denied": denied[0].resource}
    for view in case.workloads:
        if _ails(view):
            yield Finding("permission-denied", view.subject, Certainty.POSSIBLE, evidence, names)


def _ails(view: WorkloadView) -> bool:
    return bool(view.refused) or any(not is_well(pod) for pod in view.pods)


def _scope(denied: Denied) -> str:
    return f" in namespace {denied.namespace}" if denied.namespace else ""


CHECKS = (
    Check(
        "log-collection",
        "Logs are collected",
        Severity.WARNING,
        ("DaemonSet",),
        log_collection,
    ),
    Check("alert-rules", "Alert rules are in place", Severity.WARNING, ("Pod",), alert_rules),
    Check(
        "backup-and-restore",
        "Backup and restore are arranged",
        Severity.WARNING,
        ("Pod",),
        backup,
    ),
    Check("runbooks-at-hand", "Runbooks are at hand", Severity.WARNING, (), runbooks_at_hand),
)
DETECTORS = (Detector(("permission-denied",), (), denied_rights),)
