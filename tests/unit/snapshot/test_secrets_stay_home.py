"""Nothing secret leaves the machine: not in a saved file, not in a report, and no diagnosis
suffers from it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from builders import (
    container,
    deployment,
    event,
    meta,
    pod,
    pod_spec,
    runtime_class,
    snapshot,
    whole_objects,
)
from secrets_corpus import SECRET, TEXTS, TRACES, encoded

from kubectl_wasmai.doctor import examine
from kubectl_wasmai.doctor.checklist import shipped_checklists
from kubectl_wasmai.report import FORMATS, write_report
from kubectl_wasmai.report.documents import as_json
from kubectl_wasmai.snapshot import load
from kubectl_wasmai.snapshot.collect import Collected
from kubectl_wasmai.snapshot.files import read_members
from kubectl_wasmai.snapshot.objects import TYPES
from kubectl_wasmai.snapshot.redact import Redactor
from kubectl_wasmai.snapshot.rewrite import redacted
from kubectl_wasmai.snapshot.save import members, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubectl_wasmai.doctor import Report
    from kubectl_wasmai.snapshot.save import Member

GALLERY = Path(__file__).parent.parent.parent / "gallery"
ENOUGH = 3
"""Recordings of one cause replay the same fields: of each three the first is enough."""


def planted(text: str) -> list[dict[str, Any]]:
    """A broken Wasm workload that holds ``text`` wherever a person or a program may write."""
    main = container(
        command=["sh", "-c", text],
        args=["--config", text, f"--set={text}", "--password", SECRET],
        env=[{"name": "NOTE", "value": text}, {"name": "HF_TOKEN", "value": SECRET},
             {"name": "KEY", "value": SECRET}, {"name": "API_KEY", "value": encoded(SECRET)}],
        lifecycle={"preStop": {"httpGet": {"httpHeaders": [
            {"name": "Authorization", "value": f"Bearer {SECRET}"},
            {"name": "X", "value": text}]}}},
        livenessProbe={"exec": {"command": ["sh", "-c", text]}},
    )  # fmt: skip
    notes = {
        "module.wasm.image/variant": "compat-smart",
        "example.test/note": text,
        "example.test/token": SECRET,
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"env": text}),
        "objectset.rio.cattle.io/applied": encoded(text),
    }
    spec = pod_spec(main, volumes=[{"name": "v", "csi": {"volumeAttributes": {
        "password": SECRET, "note": text}}}], imagePullSecrets=[{"name": "regcred"}])  # fmt: skip
    web = deployment(spec=spec, annotations=notes, own_annotations=notes)
    web["metadata"]["labels"] = {"example.test/password": SECRET}
    web["spec"]["selector"] = {"matchLabels": {"password": SECRET}}
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
    ended = {"terminated": {"exitCode": 1, "reason": "Error", "message": text}}
    statuses = [{"name": "main", "ready": False, "restartCount": 3, "state": state,
                 "lastState": ended}]  # fmt: skip
    sick = pod(owner=web, ready=False, statuses=statuses, message=text, reason="Failed")
    sick["metadata"]["managedFields"] = [{"manager": text}]
    sick["status"]["conditions"][0]["message"] = text
    failed = f'failed to create shim task: OCI runtime: no runtime for "x" is configured {text}'
    node = {"kind": "Node", "metadata": {"name": "node1", "annotations": {"note": text}},
            "status": {"conditions": [
                {"type": "Ready", "status": "False", "message": text}]}}  # fmt: skip
    return [web, sick, event(sick, "FailedCreatePodSandBox", failed), event(sick, "BackOff", text),
            node, runtime_class(), {"kind": "Service", "metadata": meta("web", annotations=notes),
             "spec": {"selector": {"password": SECRET}}}]  # fmt: skip


def collected(objects: Iterable[dict[str, Any]], text: str) -> Collected:
    whole: dict[str, list[dict[str, Any]]] = {kind: [] for kind in TYPES}
    for each in objects:
        whole[each["kind"]].append(each)
    lines = "\n".join(f"2026-01-01T11:00:0{n}Z {text}" for n in range(3))
    log = {("web-5d9-x", "main"): f"{lines}\nwasi-nn: plugin not installed {text}\n"}
    seen = snapshot(*objects, logs=log)
    return Collected(seen, {kind: whole_objects(kind, each) for kind, each in whole.items()})


def forms(report: Report) -> Iterator[tuple[str, str]]:
    for form in FORMATS:
        out = io.StringIO()
        write_report(report, form, out, checklists=shipped_checklists())
        yield form, out.getvalue()


def assert_free(where: str, text: str) -> None:
    found = [trace for trace in TRACES if trace in text]
    assert not found, f"{where} holds {found}: …{text[max(0, text.find(found[0]) - 200) :][:300]}…"


@pytest.mark.parametrize("text", TEXTS)
def test_no_secret_is_in_a_saved_file_or_in_any_form_of_the_report(
    text: str, tmp_path: Path
) -> None:
    saved = collected(planted(text), text)
    for name, pieces in members(saved):
        assert_free(name, b"".join(pieces).decode())

    write(tmp_path / "saved", members(saved))
    live = examine(saved.snapshot)
    replayed = examine(load(str(tmp_path / "saved")))

    assert live.diagnoses
    for form, output in forms(live):
        assert_free(form, output)
    assert as_json(replayed) == as_json(live)


def test_the_data_of_secrets_and_config_maps_is_masked_wherever_they_stand() -> None:
    held = {"metadata": {"name": "x"}, "data": {"a": "b"}, "stringData": {"c": "d"}}
    for document in (
        {"kind": "Secret", **held},
        {"kind": "List", "items": [{"kind": "ConfigMap", **held}]},
        {"kind": "SecretList", "items": [held]},
        [{"kind": "ConfigMapList", "items": [{"kind": "ConfigMap", **held}]}],
    ):
        text = json.dumps(Redactor().object(document))
        assert '"a": "<redacted>"' in text
        assert '"c": "<redacted>"' in text


def test_what_selected_what_still_does_though_its_label_is_hidden() -> None:
    clean = Redactor().object([
        {"spec": {"selector": {"secret": "one"}}},
        {"metadata": {"labels": {"secret": "one"}}},
        {"metadata": {"labels": {"secret": "two"}}},
        {"matchExpressions": [{"key": "secret", "operator": "In", "values": ["two"]}]},
    ])  # fmt: skip

    one, same, two, term = clean
    assert one["spec"]["selector"] == same["metadata"]["labels"] != two["metadata"]["labels"]
    assert term["matchExpressions"][0]["values"] == [two["metadata"]["labels"]["secret"]]
    assert Redactor().object(clean) == clean


def with_secrets(recording: Path) -> Iterator[Member]:
    """The members of a recording whose containers, events and logs were made to hold secrets."""
    for name, content in read_members(str(recording)):
        if not name.endswith(".json"):
            yield name, [content + b"# 2026-01-01T00:00:00Z token=hunter2\n"]
            continue
        document = json.loads(content)
        for item in document.get("items", []):
            plant(item)
        yield name, [json.dumps(document).encode()]


def plant(value: Any) -> None:
    if isinstance(value, list):
        for each in value:
            plant(each)
    elif isinstance(value, dict):
        for each in value.values():
            plant(each)
        if "image" in value and "name" in value and "state" not in value:
            value["env"] = [*(value.get("env") or []), {"name": "HF_TOKEN", "value": SECRET}]
        if isinstance(value.get("message"), str):
            value["message"] += " (https://me:hunter2@example.test)"


@pytest.mark.parametrize(
    "recording", sorted(GALLERY.glob("*/settled.tar.gz"))[::ENOUGH], ids=lambda p: p.parent.name
)
def test_a_redacted_recording_is_judged_as_the_whole_one(recording: Path, tmp_path: Path) -> None:
    write(tmp_path / "whole", with_secrets(recording))
    write(tmp_path / "once", redacted(read_members(str(tmp_path / "whole"))))
    write(tmp_path / "twice", redacted(read_members(str(tmp_path / "once"))))

    once = dict(read_members(str(tmp_path / "once")))
    assert once == dict(read_members(str(tmp_path / "twice")))
    assert not [name for name, content in once.items() if SECRET.encode() in content]
    whole = as_json(examine(load(str(tmp_path / "whole"))))
    assert as_json(examine(load(str(tmp_path / "once")))) == whole
