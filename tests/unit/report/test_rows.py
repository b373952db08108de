from __future__ import annotations

from typing import TYPE_CHECKING

from builders import deployment, node, pod, runtime_class, snapshot

from kubectl_wasmai.doctor import Options, examine
from kubectl_wasmai.doctor.model import Status
from kubectl_wasmai.report.as_table import Look, render, render_quiet
from kubectl_wasmai.report.rows import lacking_rights, rows
from kubectl_wasmai.snapshot.model import Denied

if TYPE_CHECKING:
    from kubectl_wasmai.snapshot import ClusterSnapshot

NODES = Denied("list", "nodes")


def restricted(*denied: Denied) -> ClusterSnapshot:
    web = deployment()
    kinds = {"nodes": "Node", "pods": "Pod", "runtimeclasses": "RuntimeClass"}
    lacking = tuple(kinds[each.resource.partition(".")[0]] for each in denied)
    seen = [each for each in (web, pod(owner=web), runtime_class()) if each["kind"] not in lacking]
    return snapshot(*seen, without=lacking, denied=denied)


def test_checks_that_lack_the_same_are_one_row_after_the_others() -> None:
    entries = list(examine(restricted(NODES)).checks)
    first = [each for each in entries if each.checklist == "pre-deployment"]

    folded = [row for row in rows(first, fold=True) if len(row.ids) > 1]
    (nodes,) = [row for row in folded if row.entries[0].reason == "you may not list nodes"]
    assert {"runtime-handler-available", "nodes-ready", "container-runtimes-fit"} <= {*nodes.ids}
    assert nodes.status is Status.UNKNOWN


def test_no_check_is_lost_by_folding_and_none_is_folded_where_all_is_wanted() -> None:
    entries = examine(restricted(NODES)).checks

    told = {id_ for row in rows(entries, fold=True) for id_ in row.ids}
    assert told == {entry.id for entry in entries}
    assert all(len(row.ids) == 1 for row in rows(entries, fold=False))


def test_what_passes_warns_or_fails_is_never_folded() -> None:
    entries = examine(restricted()).checks

    folded = [row for row in rows(entries, fold=True) if len(row.ids) > 1]
    assert {row.status for row in folded} <= {Status.SKIP, Status.UNKNOWN}


def test_lacking_rights_are_rules_to_paste_one_for_each_api_group() -> None:
    classes = Denied("list", "runtimeclasses.node.k8s.io")
    report = examine(restricted(NODES, Denied("list", "pods", "default"), classes))

    assert list(lacking_rights(report)) == [
        '- {apiGroups: [""], resources: ["nodes", "pods"], verbs: ["list"]}',
        '- {apiGroups: ["node.k8s.io"], resources: ["runtimeclasses"], verbs: ["list"]}',
    ]


def test_the_table_names_lacking_rights_once_and_the_document_with_each_check() -> None:
    report = examine(restricted(NODES))
    table = render(report, Look(80))

    rule = '- {apiGroups: [""], resources: ["nodes"], verbs: ["list"]}'
    assert table.count(rule) == 1
    unknown = [each for each in report.checks if each.reason == "you may not list nodes"]
    assert all(rule in each.needs for each in unknown)


def test_without_any_rights_even_the_short_report_says_why_it_knows_nothing() -> None:
    denied = (Denied("list", "pods"),)
    report = examine(
        snapshot(without=("Pod", "Node"), denied=denied), Options(only=("pod-running",))
    )

    quiet = render_quiet(report, width=80)
    assert quiet.startswith("inconclusive")
    assert 'resources: ["pods"]' in quiet
    assert "-n NAMESPACE" in quiet


def test_rights_are_no_root_cause_of_what_runs_well() -> None:
    web = deployment()
    well = snapshot(web, pod(owner=web), runtime_class(), node(), denied=(NODES,))
    ill = snapshot(web, pod(owner=web, ready=False), runtime_class(), node(), denied=(NODES,))

    assert examine(well).diagnoses == ()
    (only,) = examine(ill).diagnoses
    assert (only.cause, only.certainty.value) == ("permission-denied", "possible")
