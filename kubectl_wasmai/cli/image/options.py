"""Options that several image commands have, and the places they mean."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kubectl_wasmai.cli.options import Function, kube_bool

if TYPE_CHECKING:
    from kubectl_wasmai.image.reference import Reference
    from kubectl_wasmai.image.registry.repository import Repository
    from kubectl_wasmai.image.store import Store

_PREFIX = "registry_"
_FLAGS = (
    kube_bool("--plain-http", _PREFIX + "plain_http", help="Speak to the registry without TLS."),
    click.option(
        "--certificate-authority",
        _PREFIX + "certificate_authority",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Certificate authority to trust for the registry, besides the system's.",
    ),
    kube_bool(
        "--insecure-skip-tls-verify",
        _PREFIX + "insecure_skip_tls_verify",
        help="Do not check the registry's certificate. This makes the connection insecure.",
    ),
)


def registry_options(function: Function) -> Function:
    """Add the flags about a registry; the command gets them as one dict, ``registry``."""

    @functools.wraps(function)
    def command(*args: Any, **values: Any) -> Any:
        given = {
            name.removeprefix(_PREFIX): values.pop(name)
            for name in list(values)
            if name.startswith(_PREFIX)
        }
        return function(*args, registry=given, **values)

    wrapped: Any = command
    for flag in reversed(_FLAGS):
        wrapped = flag(wrapped)
    result: Function = wrapped
    return result


_COSIGN = (
    click.option("--key", metavar="KEY", help="A file, or a key management URI."),
    click.argument("cosign_flags", metavar="[-- COSIGN_FLAGS...]", nargs=-1),
)


def cosign_options(function: Function) -> Function:
    """Add what is handed to cosign as it is: ``key`` and ``cosign_flags``."""
    wrapped: Any = function
    for option in reversed(_COSIGN):
        wrapped = option(wrapped)
    result: Function = wrapped
    return result


def cosign_words(
    repository: Repository, digest: str, key: str | None, flags: tuple[str, ...]
) -> list[str]:
    """Flags and the image, by its digest: a tag may mean something else tomorrow."""
    from kubectl_wasmai.image.cosign import connection_flags

    if flags and not flags[0].startswith("-"):
        raise click.UsageError(f"{flags[0]}: one image at a time; flags for cosign follow --")
    words = [f"--key={key}"] if key else []
    return [*words, *connection_flags(repository.registry), *flags, f"{repository}@{digest}"]


def open_store() -> Store:
    """The local store."""
    from kubectl_wasmai.image.store import Store, store_folder

    return Store(store_folder())


def open_repository(reference: Reference, registry: dict[str, Any]) -> Repository:
    """Where a name points to. Nothing is asked yet."""
    from kubectl_wasmai.image.registry.client import Registry
    from kubectl_wasmai.image.registry.connection import RegistryOptions
    from kubectl_wasmai.image.registry.repository import Repository

    options = RegistryOptions(**registry)
    return Repository(Registry(reference.registry, options), reference.repository)


def find_image(what: str, registry: dict[str, Any], *, remote: bool) -> list[dict[str, Any]]:
    """Reports of the images that a name or a file means; of a model, if the file is one.

    In the local store first, unless ``remote``; ``attached`` is None where no registry was asked.
    """
    from kubectl_wasmai.image.reference import parse_reference

    path = Path(what)
    if path.is_file() and not remote:
        return _in_file(path)
    return [_by_name(parse_reference(what), registry, remote=remote)]


def _in_file(path: Path) -> list[dict[str, Any]]:
    from kubectl_wasmai.image.archive import Archive, is_tar
    from kubectl_wasmai.image.inspect import describe_image
    from kubectl_wasmai.image.model import read_model

    if is_tar(path):
        archive = Archive(path)
        return [
            {**describe_image(name, root, archive, str(path)), "attached": None}
            for name, root in archive.names().items()
        ]
    card = dict(read_model(path).card)
    return [{"apiVersion": "wasmai.dev/v1", "kind": "Model", "source": str(path), "model": card}]


def _by_name(name: Reference, registry: dict[str, Any], *, remote: bool) -> dict[str, Any]:
    from kubectl_wasmai.image.inspect import attached, describe_image
    from kubectl_wasmai.image.registry.remote import RemoteSource, resolve

    store = open_store()
    local = None if remote else store.find(name)
    if local is not None:
        return {**describe_image(str(name), local, store, "local store"), "attached": None}
    repository = open_repository(name, registry)
    root, _ = resolve(repository, name)
    report = describe_image(str(name), root, RemoteSource(repository), name.registry)
    return {**report, "attached": attached(repository, root.digest)}
