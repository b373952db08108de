"""What the doctor tells people to type is complete, for every recorded fault."""

from __future__ import annotations

import json
import shlex
import string
from pathlib import Path

import pytest

from kubectl_wasmai import demo
from kubectl_wasmai.doctor import examine
from kubectl_wasmai.doctor.causes import causes
from kubectl_wasmai.doctor.model import Subject
from kubectl_wasmai.snapshot import load

GALLERY = Path(__file__).parents[1] / "gallery"
RECORDED = [*sorted(GALLERY.glob("*/*.tar.gz")), demo.recording()]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def names_in(cause_id: str) -> set[str]:
    cause = causes()[cause_id]
    texts = (cause.summary, *cause.commands, *cause.pod_commands)
    return {name for text in texts for name in placeholders(text)}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.parent.name)
def test_remedies_of_recorded_faults_have_no_gaps(path: Path) -> None:
    for diagnosis in examine(load(str(path))).diagnoses:
        texts = (diagnosis.remedy.summary, *diagnosis.remedy.commands)
        gaps = [f"<{name}>" for name in names_in(diagnosis.cause)]
        assert [gap for gap in gaps for text in texts if gap in text] == []


@pytest.mark.parametrize("cause_id", list(causes()))
@pytest.mark.parametrize("kind", ["Deployment", "Pod"])
def test_names_from_a_cluster_cannot_add_words_to_a_command(cause_id: str, kind: str) -> None:
    cause = causes()[cause_id]
    harmless = dict.fromkeys(names_in(cause_id), "x")
    hostile = dict.fromkeys(names_in(cause_id), "x; rm -rf '$HOME' `id`")

    plain = cause.remedy(Subject(kind, "models", "web"), harmless).commands
    quoted = cause.remedy(Subject(kind, "models", "web"), hostile).commands
    assert [len(words(line)) for line in quoted] == [len(words(line)) for line in plain]


@pytest.mark.parametrize("cause_id", list(causes()))
@pytest.mark.parametrize("kind", ["Deployment", "Pod"])
def test_patches_in_commands_are_valid_json(cause_id: str, kind: str) -> None:
    names = dict.fromkeys(names_in(cause_id), "x")

    for line in causes()[cause_id].remedy(Subject(kind, "models", "web"), names).commands:
        for word in words(line):
            assert not word.startswith("{") or json.loads(word)


def words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(lexer)
