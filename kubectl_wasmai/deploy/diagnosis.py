"""The doctor's word on a deployment that did not become ready."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kubectl_wasmai.errors import WasmaiError

if TYPE_CHECKING:
    from kubectl_wasmai.cluster import Cluster


def diagnose(cluster: Cluster, name: str, *, color: bool) -> None:
    """Examine the namespace and print what explains the failure, on stderr, or nothing.

    A doctor that cannot work (rights, a lost connection) must not hide the failure itself.
    """
    from kubectl_wasmai.doctor import Options, Subject, examine, wanted
    from kubectl_wasmai.report import write_diagnoses
    from kubectl_wasmai.snapshot import collect

    namespace = cluster.namespace
    options = Options(subject=Subject("Deployment", namespace, name))
    try:
        snapshot = collect(cluster, namespace=namespace, wanted=wanted(options))
    except WasmaiError as error:
        print(f"no diagnosis: {error.message}", file=sys.stderr)  # noqa: T201 - stderr is what it is for
        return
    report = examine(snapshot, options)
    if report.diagnoses:
        print(file=sys.stderr)  # noqa: T201 - apart from the lines about what was applied
        write_diagnoses(report, file=sys.stderr, color=color)
