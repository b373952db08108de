"""The lab's faults as data: what they say must be understood before a lab is up."""

from __future__ import annotations

import re

from wasmlab.faults import all_faults
from wasmlab.faults.forms import FORMS
from wasmlab.faults.run import CLUSTER_SCOPED, MOMENTS

from kubectl_wasmai.doctor.causes import causes

FAULTS = tuple(all_faults().values())


def test_at_least_forty_five_causes_are_produced() -> None:
    produced = {each.cause for fault in FAULTS for each in fault.expected}

    assert len(produced) >= 45


def test_a_fault_names_causes_of_the_catalogue_and_forms_that_there_are() -> None:
    known = set(causes())
    for fault in FAULTS:
        assert {each.cause for each in fault.expected} <= known, fault.name
        for pattern in (fault.shows,) if isinstance(fault.shows, str) else fault.shows:
            re.compile(pattern)
        assert set(fault.forms) <= set(FORMS), fault.name
        assert set(fault.moments) <= set(MOMENTS), fault.name


def test_a_fault_is_named_after_its_first_cause() -> None:
    for fault in FAULTS:
        first = fault.expected[0].cause if fault.expected else "healthy"

        assert fault.name.partition("--")[0] in (first, "pair")


def test_an_object_of_no_namespace_is_known_as_such() -> None:
    """Only those get none of the fault's own."""
    kinds = {each["kind"] for fault in FAULTS for each in fault.objects}
    namespaced = {
        *("Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Service"),
        *("PersistentVolumeClaim", "ResourceQuota", "LimitRange", "HorizontalPodAutoscaler"),
        *("ConfigMap", "PodDisruptionBudget", "ResourceClaim", "ResourceClaimTemplate"),
    }

    assert kinds <= {*namespaced, *CLUSTER_SCOPED}


def test_two_faults_never_share_a_namespace() -> None:
    assert len({fault.namespace for fault in FAULTS}) == len(FAULTS)
