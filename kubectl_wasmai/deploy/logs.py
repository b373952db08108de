"""The logs of a workload's pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_wasmai.deploy.manifests import selector
from kubectl_wasmai.deploy.ownership import nothing, read_ours
from kubectl_wasmai.deploy.text import clean
from kubectl_wasmai.errors import Invalid, NotFound
from kubectl_wasmai.resources import DEPLOYMENT, POD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_wasmai.cluster import Cluster


class PodLog(NamedTuple):
    """What one container wrote. ``missing`` says why there is nothing, in the server's words."""

    pod: str
    container: str
    text: str
    missing: str = ""


def read_logs(
    cluster: Cluster,
    name: str,
    namespace: str,
    *,
    previous: bool = False,
    tail: int = 200,
    timestamps: bool = False,
) -> Iterator[PodLog]:
    """Pod by pod, oldest pod first. Raises NotFound when there is no such workload of ours."""
    if DEPLOYMENT not in read_ours(cluster, name, namespace):
        raise nothing(name, namespace)
    labels = ",".join(f"{key}={value}" for key, value in selector(name).items())
    pods = cluster.list(POD, dict[str, Any], namespace, label_selector=labels).items
    for pod in sorted(pods, key=_age_key):
        pod_name = str(pod["metadata"]["name"])
        for container in pod["spec"]["containers"]:
            where = (pod_name, str(container["name"]))
            try:
                text = cluster.logs(
                    namespace, *where, previous=previous, tail_lines=tail, timestamps=timestamps
                )
            except (Invalid, NotFound) as error:
                # Not started yet, or no previous run: the other pods may have something to say.
                yield PodLog(*where, "", missing=clean(error.message))
            else:
                yield PodLog(*where, clean(text, lines=True))


def _age_key(pod: dict[str, Any]) -> tuple[str, str]:
    return str(pod["metadata"].get("creationTimestamp", "")), str(pod["metadata"]["name"])
