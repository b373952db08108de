from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_wasmai.snapshot.redact import redact_object, redact_text

SECRETS = {
    "password": "db_password=hunter2-hunter2",
    "url": "postgres://admin:hunter2-hunter2@db/x",
    "bearer": "Authorization: Bearer hunter2hunter2hunter2",
    "json": '{"apiKey": "hunter2-hunter2"}',
    "flag": "--hf-token hunter2-hunter2",
    "equals": "--api-key=hunter2-hunter2",
    "jwt": "got eyJhbGciOiJIUzI1NiJ9.eyJodW50ZXIyIjoiaHVudGVyMiJ9.c2lnbmF0dXJl",
    "pem": "-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "hugging face": "hf_abcdefghijklmnopqrstuvwxyz0123",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_secrets_of_every_usual_shape_leave_the_text(text: str) -> None:
    clean = redact_text(f"before {text} after")

    assert "<redacted>" in clean
    for word in ("hunter2", "AKIAIOSFODNN7EXAMPLE", "hf_abc", "eyJhbGci"):
        assert word not in clean
    assert clean.startswith("before")


@pytest.mark.parametrize(
    "text",
    [
        'no runtime for "wasmedge" is configured',
        "prompt tokens: 128, completion tokens: 64",
        "image@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "loading failed: magic header not detected, Code: 0x103",
        "module.wasm.image/variant: compat-smart",
    ],
)
def test_what_the_doctor_reads_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text


def test_secrets_planted_in_every_field_of_a_pod_are_gone() -> None:
    planted = {
        "kind": "Pod",
        "metadata": {
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": '{"env": "hunter2"}',
                "example.test/token": "hunter2",
                "note": "the password is: hunter2",
            },
            "managedFields": [{"x": "hunter2"}],
        },
        "spec": {
            "containers": [
                {
                    "env": [
                        {"name": "HF_TOKEN", "value": "hunter2"},
                        {"name": "PORT", "value": "8080"},
                    ],
                    "args": ["--api-key", "hunter2", "--password=hunter2", "--port", "8080"],
                    "command": ["sh", "-c", "curl https://me:hunter2@host/"],
                    "lifecycle": {
                        "x": [{"name": "Authorization", "value": "Bearer hunter2hunter2"}]
                    },
                }
            ]
        },
        "status": {"message": "login with token=hunter2 failed"},
    }

    clean = redact_object(planted)

    assert "hunter2" not in json.dumps(clean)
    assert clean["spec"]["containers"][0]["env"][1]["value"] == "8080"
    assert clean["spec"]["containers"][0]["args"][-1] == "8080"


def test_data_of_secrets_and_config_maps_is_masked_whole() -> None:
    for kind in ("Secret", "ConfigMap"):
        clean = redact_object({"kind": kind, "data": {"a": "b"}, "stringData": {"c": "d"}})
        assert clean["data"] == {"a": "<redacted>"}
        assert clean["stringData"] == {"c": "<redacted>"}


@given(st.text(max_size=60), st.sampled_from([*SECRETS.values(), ""]))
def test_redacting_twice_changes_nothing_more(text: str, secret: str) -> None:
    once = redact_text(text + secret)

    assert redact_text(once) == once
