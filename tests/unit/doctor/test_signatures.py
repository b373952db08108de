from __future__ import annotations

import pytest

from kubectl_wasmai.doctor.signatures import parse_signatures
from kubectl_wasmai.errors import InputError

GOOD = """
[[signature]]
cause = "image-pull-failed"
where = ["event"]
pattern = 'no such image (?P<image>\\S+)'
certainty = "certain"
example = 'no such image x:1'
"""


def test_a_table_is_read() -> None:
    (signature,) = parse_signatures(GOOD, "mine.toml")

    assert signature.cause == "image-pull-failed"


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("(?P<image>", "(?P<"),
        GOOD.replace("certain", "surely"),
        GOOD.replace("cause =", "because ="),
        "[[signature",
        "",
    ],
    ids=["bad pattern", "unknown certainty", "misspelt key", "no TOML", "empty"],
)
def test_a_broken_table_is_named(text: str) -> None:
    with pytest.raises(InputError, match=r"mine\.toml"):
        parse_signatures(text, "mine.toml")
