"""Which RuntimeClass the pods get, decided before anything is created.

A Deployment whose class does not exist is accepted by the API server and then makes no pod at
all, without a word to the user; a class whose handler runs native binaries fails later, with
``Exec format error``. Both are known beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.deploy.request import RequestError, check_class_name
from kubectl_wasmai.deploy.text import clean
from kubectl_wasmai.errors import Forbidden, InputError, NotFound
from kubectl_wasmai.resources import RUNTIME_CLASS
from kubectl_wasmai.wasm import SHIM_HANDLERS, is_native_handler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_wasmai.cluster import Cluster

CREATE_COMMAND = """\
kubectl apply -f - <<'EOF'
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: {name}
handler: crun
EOF"""


@dataclass(frozen=True)
class Choice:
    """The class to use. ``handler`` is ``None`` when the class could not be read."""

    name: str
    handler: str | None = None
    note: str = ""
    warning: str = ""


def read_classes(cluster: Cluster) -> dict[str, str] | None:
    """Handler by class name, or ``None`` when the user may not list RuntimeClasses."""
    try:
        listed = cluster.list(RUNTIME_CLASS, dict[str, Any])
    except Forbidden:
        return None
    return {item["metadata"]["name"]: str(item.get("handler", "")) for item in listed.items}


def resolve(cluster: Cluster, asked: str | None) -> Choice:
    """The class asked for, or the only one that fits. Raises before anything is created."""
    classes = read_classes(cluster)
    if classes is None and asked:
        # Reading one object is a right of its own.
        try:
            found = cluster.get(RUNTIME_CLASS, asked, None)
        except Forbidden:
            found = None
        except NotFound:
            raise _missing(asked, None) from None
        if found is not None:
            return choose(asked, {asked: str(found.get("handler", ""))})
    return choose(asked, classes)


def choose(asked: str | None, classes: Mapping[str, str] | None) -> Choice:
    """Decide from what is known. ``classes`` is handler by name, ``None`` when unreadable."""
    if asked:
        check_class_name(asked)
        return _check(asked, classes)
    if classes is None:
        raise RequestError(
            "name the RuntimeClass with --class: you may not list RuntimeClasses, "
            "so none can be chosen for you"
        )
    candidates = {name: handler for name, handler in classes.items() if runs_wasm(handler)}
    if len(candidates) == 1:
        name, handler = next(iter(candidates.items()))
        return Choice(
            name, handler, note=f"using RuntimeClass {clean(name)} (handler {clean(handler)})"
        )
    if candidates:
        raise RequestError(
            "several RuntimeClasses can run WebAssembly; choose one with --class: "
            + _listed(candidates)
        )
    raise InputError(
        "no RuntimeClass on this cluster can run WebAssembly" + _others(classes),
        hint="on nodes whose container runtime has a handler 'crun' built with WasmEdge, create "
        "one:\n" + CREATE_COMMAND.format(name="wasm"),
    )


def runs_wasm(handler: str) -> bool:
    """Whether a handler of this name is made for Wasm; a guess from the name, never a proof."""
    return handler.startswith(("crun", *SHIM_HANDLERS)) or "wasm" in handler


def _check(asked: str, classes: Mapping[str, str] | None) -> Choice:
    if classes is None:
        return Choice(
            asked,
            warning=f"RuntimeClass {asked} was not checked: you may not read RuntimeClasses",
        )
    if asked not in classes:
        raise _missing(asked, classes)
    handler = classes[asked]
    if is_native_handler(handler):
        fitting = {name: other for name, other in classes.items() if runs_wasm(other)}
        raise InputError(
            f"RuntimeClass {asked} has handler {clean(handler)}, which runs native binaries only: "
            "the node's kernel would refuse a .wasm entrypoint",
            hint=f"use --class with one of: {_listed(fitting)}" if fitting else "",
        )
    return Choice(asked, handler)


def _missing(asked: str, classes: Mapping[str, str] | None) -> InputError:
    fitting = {name: handler for name, handler in (classes or {}).items() if runs_wasm(handler)}
    hint = f"use --class with one of: {_listed(fitting)}; or create it" if fitting else "create it"
    return InputError(
        f"RuntimeClass {asked} does not exist on this cluster" + _others(classes),
        hint=f"{hint}, if the nodes' container runtime has a handler 'crun' built with WasmEdge:\n"
        + CREATE_COMMAND.format(name=asked),
    )


def _others(classes: Mapping[str, str] | None) -> str:
    if classes is None:
        return ""
    return f"; it has: {_listed(classes)}" if classes else "; it has none"


def _listed(classes: Mapping[str, str]) -> str:
    names: Sequence[str] = sorted(classes)
    return ", ".join(f"{clean(name)} (handler {clean(classes[name])})" for name in names)
