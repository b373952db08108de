"""Users' own signatures and causes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import deployment, event, pod, runtime_class, snapshot, waiting
from examining import causes, diagnosis

from kubectl_wasmai.doctor import Options, examine
from kubectl_wasmai.doctor.tables import read_table
from kubectl_wasmai.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

OWN = """
[[signature]]
cause = "licence-expired"
where = ["event", "waiting"]
pattern = 'licence of (?P<model>\\S+) has expired'
certainty = "certain"
example = 'licence of llama has expired'

[cause.licence-expired]
title = "The model's licence has expired"
summary = "Renew the licence of {model}."
commands = ["kubectl -n {namespace} get {resource} {name}"]
"""


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def test_a_text_of_the_user_s_names_the_user_s_cause(tmp_path: Path) -> None:
    web = deployment()
    stuck = pod(owner=web, ready=False, statuses=waiting("Blocked"))
    said = event(stuck, "Blocked", "licence of llama has expired")
    table = read_table(write(tmp_path, OWN))

    report = examine(snapshot(web, stuck, said, runtime_class()), Options(own_tables=(table,)))

    assert causes(report) == ["licence-expired"]
    found = diagnosis(report)
    assert found.remedy.summary == "Renew the licence of llama."
    assert found.remedy.commands == ("kubectl -n default get deployment web",)


def test_the_user_s_signatures_come_before_ours(tmp_path: Path) -> None:
    web = deployment()
    stuck = pod(owner=web, ready=False, statuses=waiting("ErrImagePull"))
    said = event(stuck, "Failed", 'Failed to pull image "a": licence of a has expired')
    objects = snapshot(web, stuck, said, runtime_class())
    table = read_table(write(tmp_path, OWN))

    assert causes(examine(objects)) == ["image-pull-failed"]
    assert causes(examine(objects, Options(own_tables=(table,)))) == ["licence-expired"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.partition("[cause.")[0], "there is no cause 'licence-expired'"),
        (OWN.replace("licence-expired", "image-pull-failed"), "is a cause of the catalogue"),
        (OWN.replace("{model}", "{model!x}"), "placeholder"),
        (OWN.replace("{model}", "{"), "placeholder"),
        (OWN.replace("title =", "titel ="), "no valid table"),
        (OWN.replace("(?P<model>", "(?P<"), "no valid table"),
        ("cause = 3", "no valid table"),
        ("cause = {x = 3}", "no valid table"),
        ("[[", "no valid table"),
    ],
)
def test_a_mistake_is_told_with_the_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_table(write(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_table(str(tmp_path / "gone.toml"))
