"""Pod Security: does the namespace's level let the pods in?

The API server's words decide where it has spoken. Before that the template is read against the
Pod Security Standards (kubernetes.io/docs/concepts/security/pod-security-standards), in the parts
that Wasm pods meet: host paths of plugins and models, users of scratch images, capabilities.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.answers import NO_WORKLOAD, counted, unseen
from kubectl_wasmai.doctor.model import Case, Check, Evidence, Result, Severity, Status
from kubectl_wasmai.doctor.symptoms import symptoms
from kubectl_wasmai.snapshot.objects import Namespace, SecurityContext

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.doctor.model import Subject
    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container

ENFORCE = "pod-security.kubernetes.io/enforce"
BASELINE, RESTRICTED = "baseline", "restricted"
_VIOLATES = re.compile(r"violates PodSecurity")
_PROFILES = ("RuntimeDefault", "Localhost")


def pod_security(case: Case) -> Iterable[Result]:
    if not case.workloads:
        yield NO_WORKLOAD
    known = case.snapshot.has("Namespace")
    levels = {n.name: n.labels.get(ENFORCE) for n in case.snapshot.of("Namespace", Namespace)}
    refused: dict[Subject, Evidence] = {}
    for symptom in symptoms(case):
        if _VIOLATES.search(symptom.text):
            refused[symptom.view.subject] = symptom.evidence(symptom.text)
    for view in case.workloads:
        if not known and view.subject not in refused:
            yield unseen(case.snapshot, ("Namespace",), view.subject)
            continue
        yield _secure(view, refused.get(view.subject), levels.get(view.subject.namespace))


def _secure(view: WorkloadView, refused: Evidence | None, level: str | None) -> Result:
    if refused is not None:
        return Result(Status.FAIL, "Pod Security refuses the pods", view.subject, (refused,))
    if level not in (BASELINE, RESTRICTED):
        reason = f"level {level} allows all" if level else "the namespace enforces no level"
        return Result(Status.SKIP, reason, view.subject)
    violations = list(violated(view, level))
    if violations:
        evidence = tuple(Evidence("spec", str(view.subject), text) for text in violations[:5])
        reason = f"level {level} refuses new pods: {violations[0]}"
        return Result(Status.WARN, reason, view.subject, evidence)
    told = f"level {level} let {counted(len(view.pods), 'pod')} in"
    read = f"nothing in the template that level {level} is known to refuse"
    return Result(Status.PASS, told if view.pods else read, view.subject)


def violated(view: WorkloadView, level: str) -> Iterator[str]:
    """What the template has that ``level`` refuses, in the words of the fields."""
    spec = view.spec
    for name, used in (
        ("hostNetwork", spec.host_network),
        ("hostPID", spec.host_pid),
        ("hostIPC", spec.host_ipc),
    ):
        if used:
            yield f"{name}: true"
    for volume in spec.volumes or ():
        if volume.host_path:
            yield f"volume {volume.name} is a hostPath"
    for container in (*(spec.init_containers or ()), *view.containers):
        yield from _of_container(container)
        if level == RESTRICTED:
            yield from _restricted(container, spec.security_context or SecurityContext())


def _of_container(container: Container) -> Iterator[str]:
    context = container.security_context
    if context and context.privileged:
        yield f"{container.name}: privileged: true"
    if any(port.host_port for port in container.ports or ()):
        yield f"{container.name}: hostPort"


def _restricted(container: Container, pod: SecurityContext) -> Iterator[str]:
    own = container.security_context or SecurityContext()
    if own.allow_privilege_escalation is not False:
        yield f"{container.name}: allowPrivilegeEscalation is not false"
    capabilities = own.capabilities
    if capabilities is None or "ALL" not in (capabilities.drop or ()):
        yield f"{container.name}: capabilities.drop lacks ALL"
    if not (pod.run_as_non_root if own.run_as_non_root is None else own.run_as_non_root):
        yield f"{container.name}: runAsNonRoot is not true"
    profile = own.seccomp_profile or pod.seccomp_profile
    if profile is None or profile.type not in _PROFILES:
        yield f"{container.name}: seccompProfile is not RuntimeDefault"


CHECKS = (
    Check(
        id="pod-security-allows",
        title="Pod Security lets the pods in",
        severity=Severity.ERROR,
        needs=("Pod",),
        run=pod_security,
    ),
)
