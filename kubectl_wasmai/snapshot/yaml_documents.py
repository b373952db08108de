"""YAML as Kubernetes reads it, and no further: no tags of Python, no aliases that multiply."""

from __future__ import annotations

import re
from typing import Any

_ALIAS = re.compile(rb"(?:^|[\s\[{,:?-])\*[^\s\[\]{},*]")
MAX_GROWTH = 10
FREE_NODES = 1_000_000
MAX_INTEGER = 2**64


def yaml_documents(content: bytes) -> list[Any]:
    """All documents that are not empty. Times stay the strings they are in JSON.

    Raises ``ValueError``; the message is one line.
    """
    import yaml

    loader = _loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    try:
        if _ALIAS.search(content):
            _refuse_growth(yaml.parse(content, loader))
        return [each for each in yaml.load_all(content, loader) if each is not None]
    except (yaml.YAMLError, LookupError, TypeError, AttributeError) as error:
        # The last three are what PyYAML makes of values that do not fit their tags.
        raise ValueError(" ".join(str(error).split())) from error


def _loader(base: Any) -> Any:
    class Loader(base):  # type: ignore[misc]
        yaml_implicit_resolvers = {  # noqa: RUF012 - as the base class has it
            first: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:timestamp"]
            for first, rules in base.yaml_implicit_resolvers.items()
        }

    def whole(loader: Any, node: Any) -> int:
        number: int = base.construct_yaml_int(loader, node)
        if abs(number) >= MAX_INTEGER:
            raise ValueError("a number has more digits than any number here")
        return number

    Loader.add_constructor("tag:yaml.org,2002:int", whole)
    return Loader


def _refuse_growth(events: Any) -> None:
    """Counts nodes as if each alias were written out: a few lines can mean billions of them.

    Raises ``ValueError`` where that is many times more than was written, or never ends.
    """
    import yaml

    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    written = expanded = 0
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor is not None:
                sizes[anchor] = expanded - before
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise ValueError(f"the alias *{event.anchor} holds itself, or nothing")
            expanded += sizes[event.anchor]
        elif isinstance(event, yaml.NodeEvent):
            written, expanded = written + 1, expanded + 1
            if isinstance(event, yaml.CollectionStartEvent):
                open_.append((event.anchor, expanded - 1))
            elif event.anchor is not None:
                sizes[event.anchor] = 1
        if expanded > FREE_NODES and expanded > MAX_GROWTH * written:
            raise ValueError("its aliases multiply into many times what is written")
