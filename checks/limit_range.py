"""LimitRanges: may the containers be as large as they ask to be?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_wasmai.doctor.answers import per_workload
from kubectl_wasmai.doctor.model import Case, Check, Evidence, Result, Severity, Status, Subject
from kubectl_wasmai.doctor.quantity import amount
from kubectl_wasmai.snapshot.objects import LimitRange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubectl_wasmai.snapshot import WorkloadView
    from kubectl_wasmai.snapshot.objects import Container, Limit

Amounts = dict[str, str | int | float]


def ranges_of(case: Case, namespace: str) -> Iterator[tuple[LimitRange, Limit]]:
    for each in case.snapshot.of("LimitRange", LimitRange):
        if each.namespace == namespace:
            yield from ((each, limit) for limit in each.spec.limits or ())


def defaults(case: Case, namespace: str) -> tuple[Amounts, Amounts]:
    """Requests and limits that a container gets which states none (LimitRanger admission)."""
    requests: Amounts = {}
    limits: Amounts = {}
    for _, limit in ranges_of(case, namespace):
        if limit.type == "Container":
            limits = {**(limit.default or {}), **limits}
            requests = {**(limit.default or {}), **(limit.default_request or {}), **requests}
    return requests, limits


def sizes_allowed(case: Case, view: WorkloadView) -> Result:
    ranges = list(ranges_of(case, view.subject.namespace))
    if not ranges:
        return Result(Status.SKIP, "the namespace has no LimitRange", view.subject)
    wrong = [
        Evidence("spec", str(Subject("LimitRange", each.namespace, each.name)), text)
        for each, limit in ranges
        for text in _broken(case, view, limit)
    ]
    if wrong:
        return Result(Status.WARN, wrong[0].text, view.subject, tuple(wrong[:5]))
    return Result(Status.PASS, "requests and limits are within its LimitRange", view.subject)


def _broken(case: Case, view: WorkloadView, limit: Limit) -> Iterator[str]:
    sizes = {each.name: _sizes(case, view, each) for each in view.containers}
    if limit.type == "Container":
        for name, (requests, limits) in sizes.items():
            yield from _outside(name, limit, requests, limits)
    elif limit.type == "Pod":
        requests = _sum([each for each, _ in sizes.values()])
        yield from _outside("the pod", limit, requests, _sum([each for _, each in sizes.values()]))


def _sizes(case: Case, view: WorkloadView, container: Container) -> tuple[Amounts, Amounts]:
    unasked, unlimited = defaults(case, view.subject.namespace)
    limits = {**unlimited, **(container.resources.limits or {})}
    own = {**(container.resources.limits or {}), **(container.resources.requests or {})}
    return {**unasked, **own}, limits


def _sum(amounts: list[Amounts]) -> Amounts:
    total: Amounts = {}
    for each in amounts:
        for name, value in each.items():
            total[name] = amount(total.get(name, 0)) + amount(value)
    return total


def _outside(who: str, limit: Limit, requests: Amounts, limits: Amounts) -> Iterator[str]:
    """As plugin/pkg/admission/limitranger judges: limits against ``max``, requests against
    ``min``, and how many times the request a limit may be."""
    for name, most in (limit.max or {}).items():
        if name not in limits:
            yield f"{who}: {name} has no limit, and at most {most} is allowed"
        elif amount(limits[name]) > amount(most):
            yield f"{who}: {name} limit {limits[name]} is above {most}"
    for name, least in (limit.min or {}).items():
        if name not in requests:
            yield f"{who}: {name} has no request, and at least {least} is wanted"
        elif amount(requests[name]) < amount(least):
            yield f"{who}: {name} request {requests[name]} is below {least}"
    for name, ratio in (limit.max_limit_request_ratio or {}).items():
        yield from _ratio(who, name, ratio, requests, limits)


def _ratio(
    who: str,
    name: str,
    ratio: str | float,
    requests: Mapping[str, str | int | float],
    limits: Mapping[str, str | int | float],
) -> Iterator[str]:
    asked, most = amount(requests.get(name, 0)), amount(limits.get(name, 0))
    if asked and most / asked > amount(ratio):
        yield f"{who}: {name} limit is more than {ratio} times the request"


CHECKS = (
    Check(
        id="limit-range-allows",
        title="The namespace's LimitRange allows the containers' sizes",
        severity=Severity.WARNING,
        needs=("LimitRange",),
        run=per_workload(sizes_allowed),
    ),
)
