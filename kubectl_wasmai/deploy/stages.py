"""Where a pod is on its way to Ready, and why it is not further. Pure: pod and events in.

The container's own status says most; events fill the gap between scheduling and the container's
creation, where the status says only ``ContainerCreating``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kubectl_wasmai.deploy.events import Event, parse_time
from kubectl_wasmai.deploy.text import clean


class Stage(Enum):
    """In the order a pod goes through them, then the ways it can fall out."""

    UNSCHEDULED = "waiting for a node"
    SANDBOX = "creating sandbox"
    PULLING = "pulling image"
    CREATING = "creating container"
    STARTING = "starting container"
    RUNNING = "waiting for readiness"
    READY = "ready"
    CRASHING = "crashing"
    STOPPED = "stopped"
    TERMINATING = "terminating"


@dataclass(frozen=True)
class PodView:
    """One pod as a person wants to see it. ``final``: waiting longer cannot help."""

    name: str
    uid: str
    stage: Stage
    reason: str = ""
    final: bool = False
    restarts: int = 0
    node: str = ""
    created: str = ""


_ENOUGH_RESTARTS = 2
"""One restart may be a race at start-up (a slow volume, a busy node); two are a habit."""

_FINAL_WAITING = ("ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError")
"""Follow from the manifest and the node alone, and our manifests refer to nothing that could
still appear (no Secret, no ConfigMap, no volume)."""

_PULL_REFUSED = re.compile(
    r"not found|no match for platform|pull access denied|manifest unknown"
    r"|unsupported image-specific operation|authorization failed|unauthorized"
)
_HANDLER_ABSENT = re.compile(
    r"no runtime for .+ is configured|failed to find runtime handler"
    r"|RuntimeHandler .+ not supported|binary not installed"
)
_SANDBOX_EVENTS = ("FailedCreatePodSandBox", "FailedMount", "FailedAttachVolume")
_PULLING_REASONS = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
_PROBE_PREFIXES = ("Startup probe", "Readiness probe")


def view(pod: Mapping[str, Any], events: Sequence[Event] = ()) -> PodView:
    """The pod's stage. ``events`` may hold other objects' events, oldest first."""
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    uid = str(metadata.get("uid", ""))
    container = _container(pod)
    stage, reason, final = _judge(pod, container, [event for event in events if event.uid == uid])
    return PodView(
        name=str(metadata.get("name", "")),
        uid=uid,
        stage=stage,
        reason=clean(reason),
        final=final,
        restarts=int(container.get("restartCount") or 0),
        node=str(spec.get("nodeName") or ""),
        created=str(metadata.get("creationTimestamp") or ""),
    )


def condition(subject: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The condition of that type, or an empty one."""
    for entry in (subject.get("status") or {}).get("conditions") or []:
        if entry.get("type") == kind:
            return entry  # type: ignore[no-any-return] # decoded JSON
    return {}


def is_ready(pod: Mapping[str, Any]) -> bool:
    return condition(pod, "Ready").get("status") == "True"


_Verdict = tuple[Stage, str, bool]


def _container(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    statuses = (pod.get("status") or {}).get("containerStatuses") or [{}]
    return statuses[0]  # type: ignore[no-any-return] # decoded JSON


def _judge(
    pod: Mapping[str, Any], container: Mapping[str, Any], events: Sequence[Event]
) -> _Verdict:
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        return Stage.TERMINATING, "", False
    if is_ready(pod):
        return Stage.READY, "", False
    return _judge_unready(pod, container, events)


def _judge_unready(
    pod: Mapping[str, Any], container: Mapping[str, Any], events: Sequence[Event]
) -> _Verdict:
    status = pod.get("status") or {}
    if status.get("phase") in ("Failed", "Succeeded"):
        reason = _sentence(status.get("reason"), status.get("message"))
        return Stage.STOPPED, reason or _ended(container.get("state")), False
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") != "True" and not (pod.get("spec") or {}).get("nodeName"):
        return Stage.UNSCHEDULED, str(scheduled.get("message") or ""), False
    state = container.get("state") or {}
    if state.get("terminated"):
        return Stage.CRASHING, _ended(state), False
    if state.get("running"):
        return _running(state["running"], events)
    return _waiting(container, state.get("waiting") or {}, events)


def _running(running: Mapping[str, Any], events: Sequence[Event]) -> _Verdict:
    since = parse_time(running.get("startedAt")) or 0.0
    for event in reversed(events):
        probe = event.reason == "Unhealthy" and event.message.startswith(_PROBE_PREFIXES)
        if probe and event.last >= since:
            return Stage.RUNNING, event.message, False
    return Stage.RUNNING, "", False


def _waiting(
    container: Mapping[str, Any], waiting: Mapping[str, Any], events: Sequence[Event]
) -> _Verdict:
    reason, message = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    if reason == "CrashLoopBackOff":
        restarts = int(container.get("restartCount") or 0)
        why = _ended(container.get("lastState")) or message
        return Stage.CRASHING, why, restarts >= _ENOUGH_RESTARTS
    if reason in _PULLING_REASONS:
        text = message if len(message) > len(reason) else _last_failure(events) or message
        refused = reason == "ImagePullBackOff" and _PULL_REFUSED.search(
            text + _last_failure(events)
        )
        return Stage.PULLING, _sentence(reason, text), reason in _FINAL_WAITING or bool(refused)
    if reason and reason not in ("ContainerCreating", "PodInitializing"):
        stage = Stage.STARTING if reason == "RunContainerError" else Stage.CREATING
        return stage, _sentence(reason, message), reason in _FINAL_WAITING
    return _from_events(events)


def _from_events(events: Sequence[Event]) -> _Verdict:
    """ContainerCreating: the newest event that says how far it has come."""
    for event in reversed(events):
        if event.reason in _SANDBOX_EVENTS:
            return Stage.SANDBOX, event.text, bool(_HANDLER_ABSENT.search(event.message))
        if event.reason == "Pulling":
            return Stage.PULLING, event.message, False
        if event.reason == "Pulled":
            return Stage.CREATING, "", False
        if event.reason == "Created":
            return Stage.STARTING, "", False
    return Stage.SANDBOX, "", False


def _last_failure(events: Sequence[Event]) -> str:
    failures = (event.message for event in reversed(events) if event.reason == "Failed")
    # "Error: ErrImagePull" repeats the state; the other event has the registry's words.
    return next((text for text in failures if not text.startswith("Error: ")), "")


def _ended(state: object) -> str:
    """How a container ended, with the warning that crun reports every exit code as 0."""
    ended = state.get("terminated") if isinstance(state, Mapping) else None
    if not ended:
        return ""
    code = ended.get("exitCode")
    if code == 0:
        return "the module ended, but a server must keep running (crun hides its exit code)"
    signal = f", signal {ended['signal']}" if ended.get("signal") else ""
    reason = ended.get("reason") or "Error"
    return _sentence(f"{reason}, exit code {code}{signal}", ended.get("message"))


def _sentence(reason: object, message: object) -> str:
    return ": ".join(str(part).strip() for part in (reason, message) if part)
