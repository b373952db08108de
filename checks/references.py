"""What a pod's spec refers to or contradicts: accounts, ConfigMaps and Secrets, users."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.health import container_statuses, is_well
from kubectl_wasmai.doctor.model import (
    Case,
    Certainty,
    Detector,
    Evidence,
    Finding,
    Subject,
)
from kubectl_wasmai.snapshot.objects import ServiceAccount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, Pod

ABSENT = re.compile(
    r'(?P<what>configmap|secret) "(?P<ref>[^"]+)" not found'
    r"|couldn't find key (?P<key>\S+) in (?P<what2>ConfigMap|Secret) (?P<ref2>\S+)"
    r"|references non-existent (?P<what3>config|secret) key: (?P<key2>\S+)",
    re.IGNORECASE,
)
TRANSIENT = "kube-root-ca.crt"
"""Published into a new namespace a moment after it is made."""


def missing_references(case: Case) -> Iterator[Finding]:
    """Told by the container's waiting message, or by mounts while nothing has started."""
    for view in case.workloads:
        for pod in view.pods:
            if not is_well(pod):
                yield from _in_states(view, pod)
                yield from _in_mounts(case, view, pod)


def _in_states(view: WorkloadView, pod: Pod) -> Iterator[Finding]:
    for status in container_statuses(pod):
        waiting = status.state.waiting
        if waiting and waiting.reason == "CreateContainerConfigError":
            name = f"{Subject('Pod', pod.namespace, pod.name)} [{status.name}]"
            yield from _absent(view, Evidence("status", name, waiting.message or ""))


def _in_mounts(case: Case, view: WorkloadView, pod: Pod) -> Iterator[Finding]:
    statuses = container_statuses(pod)
    if any(s.state.running or s.state.terminated or s.restart_count for s in statuses):
        return
    subject = Subject("Pod", pod.namespace, pod.name)
    for event in case.snapshot.events_of(*subject):
        if event.reason == "FailedMount":
            text = event.message or ""
            yield from _absent(view, Evidence("event", str(subject), text, event.last_seen))


def _absent(view: WorkloadView, evidence: Evidence) -> Iterator[Finding]:
    match = ABSENT.search(evidence.text)
    if match is None or TRANSIENT in evidence.text:
        return
    what = (match["what"] or match["what2"] or match["what3"] or "").lower()
    ref = (match["ref"] or match["ref2"] or "").rpartition("/")[2]
    names = {"what": {"secret": "Secret"}.get(what, "ConfigMap"), **({"ref": ref} if ref else {})}
    key = match["key"] or match["key2"]
    wanted = f"{names['what']} {ref or 'it refers to'}" + (f" with key {key}" if key else "")
    names["wanted"] = wanted
    yield Finding("config-reference-missing", view.subject, Certainty.CERTAIN, (evidence,), names)


def missing_accounts(case: Case) -> Iterator[Finding]:
    """Certain where the namespace's accounts were collected: each has one named default."""
    accounts = {(a.namespace, a.name) for a in case.snapshot.of("ServiceAccount", ServiceAccount)}
    namespaces = {namespace for namespace, _ in accounts}
    for view in case.workloads:
        name = view.spec.service_account_name
        namespace = view.subject.namespace
        if not name or namespace not in namespaces or (namespace, name) in accounts:
            continue
        evidence = Evidence("spec", str(view.subject), f"serviceAccountName: {name}")
        yield Finding(
            "serviceaccount-missing",
            view.subject,
            Certainty.CERTAIN,
            (evidence,),
            {"account": name},
        )


def root_forbidden(case: Case) -> Iterator[Finding]:
    """``runAsNonRoot`` beside ``runAsUser: 0``: no node will ever start it."""
    for view in case.workloads:
        for container in (*(view.spec.init_containers or ()), *view.containers):
            if _contradicts(view, container):
                text = f"{container.name}: runAsNonRoot: true, runAsUser: 0"
                yield Finding(
                    "run-as-non-root-conflict",
                    view.subject,
                    Certainty.CERTAIN,
                    (Evidence("spec", str(view.subject), text),),
                    {"container": container.name},
                )


def _contradicts(view: WorkloadView, container: Container) -> bool:
    contexts = (container.security_context, view.spec.security_context)
    users = [c.run_as_user for c in contexts if c and c.run_as_user is not None]
    rules = [c.run_as_non_root for c in contexts if c and c.run_as_non_root is not None]
    return users[:1] == [0] and rules[:1] == [True]


DETECTORS = (
    Detector(("config-reference-missing",), ("Pod",), missing_references),
    Detector(("serviceaccount-missing",), ("ServiceAccount",), missing_accounts),
    Detector(("run-as-non-root-conflict",), (), root_forbidden),
)
