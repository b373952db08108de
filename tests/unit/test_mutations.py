"""Recorded clusters with fields lost, doubled, moved, or of a type that they never have: the
doctor answers, or says what it cannot read."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_wasmai.doctor import examine
from kubectl_wasmai.doctor.causes import causes
from kubectl_wasmai.doctor.checklist import shipped_checklists
from kubectl_wasmai.errors import InputError
from kubectl_wasmai.report import FORMATS, write_report
from kubectl_wasmai.snapshot import load
from kubectl_wasmai.snapshot.files import read_members
from kubectl_wasmai.snapshot.save import write

if TYPE_CHECKING:
    from random import Random

GALLERY = Path(__file__).parent.parent / "gallery"
RECORDINGS = sorted(GALLERY.glob("*/settled.tar.gz"))
JUDGED = ("pods", "deployments", "replicasets", "events", "nodes", "runtimeclasses", "services")

ODD: list[Any] = [
    None, True, 0, -1, 10**30, -(10**30), 1e308, 1.5, "", [], {}, [None], {"": None}, [[[[]]]],
    "x" * 5000, "²", "١٢", "9" * 5000, "-1", "1e999", "NaN", "0x10", "null", "5m" * 300,
    "\u202e\x1b[2J\x00", "</script>", "{name}", "%s{0}", "$(X)", "*", ":", "=", "[::]:99999",
    "8080:8080", "--port", "2026-13-45T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00",
    "0001-01-01T00:00:00+23:59",
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key or index in it."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list):
            found += places(value[key])
    return found


def mutate(document: Any, random: Random) -> None:
    found = places(document)
    for _ in range(random.choice([1, 2, 5, 30])):
        holder, key = random.choice(found)
        other, other_key = random.choice(found)
        try:
            match random.randrange(4):
                case 0:
                    del holder[key]
                case 1 if isinstance(holder, list):
                    holder.append(holder[key])
                case 2 if not isinstance(other[other_key], dict | list):
                    holder[key] = other[other_key]
                case _:
                    holder[key] = random.choice(ODD)
        except LookupError:
            continue  # an earlier mutation took it away


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(recording=st.sampled_from(RECORDINGS), random=st.randoms(use_true_random=False))
def test_a_recording_with_odd_fields_is_judged_or_refused(
    recording: Path, random: Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    members: list[tuple[str, list[bytes]]] = []
    for name, content in read_members(str(recording)):
        if name.startswith(JUDGED) and name.endswith(".json"):
            document = json.loads(content)
            mutate(document, random)
            members.append((name, [json.dumps(document).encode()]))
        else:
            members.append((name, [content]))
    folder = tmp_path_factory.mktemp("odd") / "snapshot"
    write(folder, iter(members))

    try:
        report = examine(load(str(folder)))
    except InputError:
        return

    assert report.summary.verdict
    for form in FORMATS:
        out = io.StringIO()
        write_report(report, form, out, checklists=shipped_checklists())
        assert "\x1b" not in out.getvalue()
        assert "\u202e" not in out.getvalue()


@pytest.mark.parametrize("kind", JUDGED)
def test_a_recording_without_one_of_its_kinds_claims_nothing_that_it_lacks(
    kind: str, tmp_path: Path
) -> None:
    """Missing is not absent: less is known, and nothing else is claimed; but a consequence may
    be all that is left to see."""
    for recording in RECORDINGS[::10]:
        whole = examine(load(str(recording)))
        members = [
            (name, [content])
            for name, content in read_members(str(recording))
            if not name.startswith(kind)
        ]
        folder = tmp_path / recording.parent.name
        write(folder, iter(members))

        less = examine(load(str(folder)))

        seen = {each.cause for each in whole.diagnoses}
        known = seen.union(*(causes()[each].explains for each in seen))
        claimed = {each.cause for each in less.diagnoses if each.certainty.value == "certain"}
        assert claimed <= known, recording
