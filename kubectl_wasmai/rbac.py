"""The least roles for each feature, from the declarations that the code itself works by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_wasmai.deploy.rights import to_deploy
from kubectl_wasmai.rights import Right, to_examine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FEATURES = {"doctor": (to_examine,), "deploy": (to_deploy,), "all": (to_examine, to_deploy)}
_API = "rbac.authorization.k8s.io"

Json = dict[str, Any]


class Holder(NamedTuple):
    """Who is to get the rights: a User, Group or ServiceAccount (which has a namespace)."""

    kind: str
    name: str
    namespace: str = ""


def rights(feature: str) -> list[Right]:
    """Each once, in the order of their declaration."""
    return list(dict.fromkeys(right for part in FEATURES[feature] for right in part()))


def roles(feature: str, namespace: str = "", holders: Sequence[Holder] = ()) -> list[Json]:
    """Role objects, and their bindings where there are ``holders``.

    With ``namespace`` what lives in namespaces is granted there alone, by a Role; kinds that
    live outside of all namespaces need a ClusterRole in any case.
    """
    name = f"kubectl-wasmai-{feature}"
    wanted = rights(feature)
    if not namespace:
        return _with_binding(name, "", wanted, holders)
    inside = [right for right in wanted if right.resource.namespaced]
    outside = [right for right in wanted if not right.resource.namespaced]
    # Bound clusterwide, so two namespaces may share it: it says the same in both.
    return [
        *_with_binding(f"{name}-cluster", "", outside, holders),
        *_with_binding(name, namespace, inside, holders),
    ]


def _with_binding(
    name: str, namespace: str, wanted: Iterable[Right], holders: Sequence[Holder]
) -> list[Json]:
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    api = {"apiVersion": f"{_API}/v1"}
    role = {**api, "kind": kind, "metadata": metadata, "rules": _rules(wanted)}
    if not holders:
        return [role]
    binding = {
        **api,
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _API, "kind": kind, "name": name},
        "subjects": [_subject(each) for each in holders],
    }
    return [role, binding]


def _subject(holder: Holder) -> Json:
    if holder.kind == "ServiceAccount":
        return {"kind": holder.kind, "name": holder.name, "namespace": holder.namespace}
    return {"apiGroup": _API, "kind": holder.kind, "name": holder.name}


def _rules(wanted: Iterable[Right]) -> list[Json]:
    """As few rules as say exactly this: names of one group with the same verbs share one."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in wanted:
        verbs.setdefault((right.resource.group, right.name), []).append(right.verb)
    shared: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, name), each in verbs.items():
        shared.setdefault((group, tuple(each)), []).append(name)
    return [
        {"apiGroups": [group], "resources": names, "verbs": list(each)}
        for (group, each), names in shared.items()
    ]
