"""kubeconfig files: from bytes to one merged view. Pure: nothing here touches a disk.

The rules are client-go's (``tools/clientcmd``): the first file to name a cluster, user or
context wins whole entries, never single fields; the first non-empty ``current-context`` wins;
relative paths are relative to the file that holds them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import yaml

from kubectl_wasmai.errors import KubeconfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

_BaseLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is 17 times faster


class _Loader(_BaseLoader):  # type: ignore[misc]  # its base is chosen at run time
    """YAML as Kubernetes reads it: a date stays the string it is."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in _BaseLoader.yaml_implicit_resolvers.items()
}


class _Struct(msgspec.Struct, rename="kebab"):
    """All fields may be absent or null, as Go's decoder has it."""


class NamedExtension(_Struct):
    name: str | None = None
    extension: Any = None


class ClusterEntry(_Struct):
    server: str | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool | None = None
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    proxy_url: str | None = None
    disable_compression: bool | None = None
    extensions: list[NamedExtension] | None = None


class EnvVar(_Struct):
    name: str | None = None
    value: str | None = None


class ExecEntry(msgspec.Struct, rename="camel"):
    command: str | None = None
    args: list[str] | None = None
    env: list[EnvVar] | None = None
    api_version: str | None = None
    install_hint: str | None = None
    provide_cluster_info: bool | None = None
    interactive_mode: str | None = None


class AuthProviderEntry(_Struct):
    name: str | None = None
    config: dict[str, str] | None = None


class UserEntry(_Struct):
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    token: str | None = None
    token_file: str | None = msgspec.field(name="tokenFile", default=None)
    as_user: str | None = msgspec.field(name="as", default=None)
    as_uid: str | None = None
    as_groups: list[str] | None = None
    as_user_extra: dict[str, list[str]] | None = None
    username: str | None = None
    password: str | None = None
    auth_provider: AuthProviderEntry | None = None
    exec: ExecEntry | None = None


class ContextEntry(_Struct):
    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None


class _NamedCluster(_Struct):
    name: str = ""
    cluster: ClusterEntry | None = None


class _NamedUser(_Struct):
    name: str = ""
    user: UserEntry | None = None


class _NamedContext(_Struct):
    name: str = ""
    context: ContextEntry | None = None


class _File(_Struct):
    kind: str | None = None
    current_context: str | None = None
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None


@dataclass(frozen=True)
class Kubeconfig:
    """One file, or several merged. ``sources`` are the files it was read from, for messages."""

    current_context: str = ""
    clusters: dict[str, ClusterEntry] = field(default_factory=dict)
    users: dict[str, UserEntry] = field(default_factory=dict)
    contexts: dict[str, ContextEntry] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        return os.pathsep.join(self.sources) or "the kubeconfig"


def parse(data: bytes, source: str) -> Kubeconfig:
    """Read one kubeconfig. ``source`` is its path: relative paths inside resolve against it.

    Raises KubeconfigError, and nothing else, for whatever the bytes hold.
    """
    try:
        document = yaml.load(data, Loader=_Loader)  # noqa: S506 - a SafeLoader without dates
    except Exception as error:  # PyYAML lets through what int() and indexing raise
        raise KubeconfigError(
            f"{source} is not valid YAML: {_yaml_problem(error)}",
            "Repair the file, or name another one with --kubeconfig.",
        ) from error
    if document is None:
        return Kubeconfig(sources=(source,))
    try:
        file = msgspec.convert(document, _File)
    except (msgspec.ValidationError, RecursionError) as error:
        raise KubeconfigError(
            f"{source} is not a kubeconfig: {_type_problem(error)}",
            "Compare it with `kubectl config view`, or name another one with --kubeconfig.",
        ) from error
    if file.kind not in (None, "", "Config"):
        raise KubeconfigError(
            f"{source} is not a kubeconfig: its kind is {file.kind!r}, not 'Config'",
            "Name a kubeconfig with --kubeconfig or KUBECONFIG.",
        )
    return _entries(file, source)


def merge(configs: Iterable[Kubeconfig]) -> Kubeconfig:
    """Several files as one: the first to name something wins, as in kubectl."""
    current = ""
    clusters: dict[str, ClusterEntry] = {}
    users: dict[str, UserEntry] = {}
    contexts: dict[str, ContextEntry] = {}
    sources: list[str] = []
    for config in configs:
        current = current or config.current_context
        clusters = {**config.clusters, **clusters}
        users = {**config.users, **users}
        contexts = {**config.contexts, **contexts}
        sources.extend(config.sources)
    return Kubeconfig(current, clusters, users, contexts, tuple(sources))


def _entries(file: _File, source: str) -> Kubeconfig:
    base = os.path.dirname(os.path.abspath(source))  # noqa: PTH100, PTH120 - paths stay strings
    return Kubeconfig(
        current_context=file.current_context or "",
        clusters={
            name: _absolute(entry, base, "certificate_authority")
            for name, entry in _by_name(
                ((item.name, item.cluster or ClusterEntry()) for item in file.clusters or ()),
                source,
                "cluster",
            ).items()
        },
        users={
            name: _absolute_user(entry, base)
            for name, entry in _by_name(
                ((item.name, item.user or UserEntry()) for item in file.users or ()),
                source,
                "user",
            ).items()
        },
        contexts=_by_name(
            ((item.name, item.context or ContextEntry()) for item in file.contexts or ()),
            source,
            "context",
        ),
        sources=(source,),
    )


Entry = TypeVar("Entry")


def _by_name(items: Iterable[tuple[str, Entry]], source: str, what: str) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for name, entry in items:
        if name in entries:
            raise KubeconfigError(
                f"{source} defines the {what} {name!r} twice",
                f"Remove one of the two {what}s named {name!r} from the file.",
            )
        entries[name] = entry
    return entries


StructT = TypeVar("StructT", bound=msgspec.Struct)


def _absolute(entry: StructT, base: str, *names: str) -> StructT:
    """``entry`` with the named path fields made absolute; empty ones stay empty."""
    paths = {name: getattr(entry, name) for name in names}
    changed = {name: os.path.join(base, path) for name, path in paths.items() if path}  # noqa: PTH118 - as above
    return msgspec.structs.replace(entry, **changed) if changed else entry


def _absolute_user(entry: UserEntry, base: str) -> UserEntry:
    entry = _absolute(entry, base, "client_certificate", "client_key", "token_file")
    # A bare command is looked up on PATH; one with a slash lies beside the file.
    if entry.exec is not None and os.sep in (entry.exec.command or ""):
        plugin = _absolute(entry.exec, base, "command")
        entry = msgspec.structs.replace(entry, exec=plugin)
    return entry


def _yaml_problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    problem = getattr(error, "problem", None) or getattr(error, "context", None) or "unreadable"
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"


def _type_problem(error: Exception) -> str:
    """The words of msgspec in kubeconfig's own: ``Expected `str`, got `int` - at `$.x` ``."""
    text = str(error).replace(" | null`", "`")
    for theirs, ours in (("`object`", "a mapping"), ("`array`", "a list"), ("`str`", "a string")):
        text = text.replace(theirs, ours)
    words, _, path = text.partition(" - at ")
    place = path.strip("`").removeprefix("$.").replace("$", "") or "the top level"
    return f"{words[:1].lower()}{words[1:]} at {place}".replace("`", "")
