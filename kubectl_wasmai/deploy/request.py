"""What the user asked ``deploy`` for, checked as far as it can be without a cluster.

Every refusal is a :class:`RequestError`: wrong usage, told in the user's terms before anything is
created. What only the API server can judge (quota, admission, a registry) is left to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubectl_wasmai.deploy.quantity import is_quantity, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_PORT = 8080
DEFAULT_HEALTH_PATH = "/v2/health/ready"
"""Of the Open Inference Protocol: our engine answers it whatever model it serves, as Triton and
OpenVINO's server do."""
DEFAULT_USER = 65532
"""``nonroot`` of the distroless images. An image made from scratch names no user, and the kubelet
refuses ``runAsNonRoot`` without a number; any number works as long as the module is readable."""

# A small HTTP module under WasmEdge is resident with about 15 MB, our engine compiled for ONNX with
# 68 MB, and interpreted with 370 MB, both with a model of 2 MB; so 64Mi is what many need, and
# 512Mi lets all of them start. One core, because WasmEdge runs a module on one thread.
DEFAULT_REQUESTS: Mapping[str, str] = {"cpu": "100m", "memory": "64Mi"}
DEFAULT_LIMITS: Mapping[str, str] = {"cpu": "1", "memory": "512Mi"}

RESERVED_LABELS = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
)

_DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_DNS_1123_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_IMAGE = re.compile(
    r"(?P<repository>[A-Za-z0-9.\-]+(?::\d+)?(?:/[a-z0-9._/\-]+)?|[a-z0-9._/\-]+)"
    r"(?::(?P<tag>\w[\w.\-]{0,127}))?(?:@(?P<digest>[a-z0-9+.\-_]+:[0-9a-fA-F]{32,}))?"
)
_MAX_NAME = 63
_MAX_PORT = 65535


class RequestError(ValueError):
    """The request cannot be carried out as written; the text says what to write instead."""


@dataclass(frozen=True)
class DeployRequest:
    """A deployment as asked for. ``None`` means: not said, decided later or by the server."""

    name: str
    image: str
    runtime_class: str
    namespace: str | None = None
    replicas: int | None = None
    port: int = DEFAULT_PORT
    health_path: str = DEFAULT_HEALTH_PATH
    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    image_pull_policy: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    run_as_user: int = DEFAULT_USER

    def __post_init__(self) -> None:
        check_name(self.name)
        check_class_name(self.runtime_class)
        check_image(self.image)
        if self.port not in range(1, _MAX_PORT + 1):
            raise RequestError(f"--port {self.port} is not between 1 and {_MAX_PORT}")
        if not self.health_path.startswith("/"):
            raise RequestError(f"--health-path {self.health_path!r} must start with /")
        if self.replicas is not None and self.replicas < 0:
            raise RequestError(f"--replicas {self.replicas} must not be negative")
        if self.run_as_user < 0:
            raise RequestError(f"--run-as-user {self.run_as_user} must not be negative")
        for key, value in self.labels.items():
            _check_label(key, value)
        for key in self.annotations:
            _check_key("--annotations", key)
        _check_env(self.env, self.port)
        effective_resources(self.requests, self.limits)


def check_name(name: str) -> None:
    """The name serves a Deployment and a Service, so the stricter rule (RFC 1035) decides."""
    if len(name) > _MAX_NAME or not _DNS_1035.fullmatch(name):
        raise RequestError(
            f"{name!r} cannot name a Service: use at most {_MAX_NAME} lower-case letters, digits "
            "and '-', starting with a letter and ending with a letter or digit, such as my-model"
        )


def check_class_name(name: str) -> None:
    """RuntimeClass names are DNS subdomains."""
    if not _DNS_1123_SUBDOMAIN.fullmatch(name):
        raise RequestError(f"--class {name!r} cannot name a RuntimeClass; use a name such as wasm")


def check_image(image: str) -> None:
    """Refuse only what no registry could serve; whether it exists is the node's to find out."""
    if "://" in image:
        raise RequestError(
            f"--image {image!r}: an image reference has no scheme; leave out 'https://'"
        )
    if not _IMAGE.fullmatch(image):
        raise RequestError(
            f"--image {image!r} is not an image reference such as "
            "registry.example.com/models/mnist:1 or name@sha256:…"
        )


def image_warning(image: str) -> str:
    """Why this reference may mean another image tomorrow, or ''."""
    match = _IMAGE.fullmatch(image)
    if not match or match["digest"]:
        return ""
    tag = match["tag"]
    if tag and tag != "latest":
        return ""
    told = f"image {image} has no tag, which means latest" if not tag else f"image {image}"
    return f"{told}: pods started later may run another version; name a tag or a digest"


def parse_pairs(flag: str, entries: Iterable[str], *, commas: bool = False) -> dict[str, str]:
    """``K=V`` entries to a dict. ``commas``: one entry may hold several, as kubectl's labels do."""
    pairs: dict[str, str] = {}
    for entry in entries:
        for item in entry.split(",") if commas else (entry,):
            key, equals, value = item.partition("=")
            if not equals or not key:
                raise RequestError(f"{flag} {item!r} is not of the form key=value")
            if pairs.get(key, value) != value:
                raise RequestError(f"{flag} names {key!r} twice, with different values")
            pairs[key] = value
    return pairs


def parse_resources(flag: str, entries: Iterable[str]) -> dict[str, str]:
    """``cpu=100m,memory=64Mi`` as in ``kubectl set resources``."""
    pairs = parse_pairs(flag, entries, commas=True)
    for name, value in pairs.items():
        if not is_quantity(value):
            raise RequestError(
                f"{flag} {name}={value}: not a quantity such as 500m, 2, 64Mi or 1Gi"
            )
    return pairs


def effective_resources(
    requests: Mapping[str, str], limits: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Requests and limits with defaults filled in, consistent with each other.

    A default gives way to what was said: asking for 1Gi raises the default limit, limiting to
    32Mi lowers the default request. Two stated values that contradict each other are refused.
    A limit of 0 means none. Extended resources (GPUs) must have both equal, so one sets the other.
    """
    wanted = {**DEFAULT_REQUESTS, **requests}
    allowed = {**DEFAULT_LIMITS, **limits}
    for name in sorted({*wanted, *allowed}):
        request, limit = wanted.get(name), allowed.get(name)
        if "/" in name:
            if request and limit and parse_quantity(request) != parse_quantity(limit):
                raise RequestError(
                    f"--requests {name}={request} and --limits {name}={limit} must be equal: "
                    "devices are never overcommitted"
                )
            wanted[name] = allowed[name] = request or limit or "0"
        elif request is None or limit is None or not parse_quantity(limit):
            continue
        elif parse_quantity(request) > parse_quantity(limit):
            if name in requests and name in limits:
                raise RequestError(
                    f"--requests {name}={request} is more than --limits {name}={limit}: "
                    "a pod cannot be promised more than it may use"
                )
            wanted[name], allowed[name] = (request, request) if name in requests else (limit, limit)
    return wanted, {name: value for name, value in allowed.items() if parse_quantity(value)}


def _check_env(env: Mapping[str, str], port: int) -> None:
    for name in env:
        if not _ENV_NAME.fullmatch(name):
            raise RequestError(f"--env {name!r}: a name has letters, digits, '_', '-' and '.' only")
    if env.get("PORT", str(port)) != str(port):
        raise RequestError(
            f"--env PORT={env['PORT']} contradicts --port {port}: PORT tells the module where the "
            f"Service and the probes look for it; use --port {env['PORT']}"
        )


def _check_key(flag: str, key: str) -> None:
    prefix, slash, name = key.rpartition("/")
    if (slash and not _DNS_1123_SUBDOMAIN.fullmatch(prefix)) or not (
        name and _LABEL_VALUE.fullmatch(name)
    ):
        raise RequestError(f"{flag} {key!r} is not a valid key such as team or example.com/team")


def _check_label(key: str, value: str) -> None:
    if key in RESERVED_LABELS:
        raise RequestError(f"--labels {key}: kubectl wasmai finds its objects again by this label")
    _check_key("--labels", key)
    if not _LABEL_VALUE.fullmatch(value):
        raise RequestError(
            f"--labels {key}={value}: a value has at most {_MAX_NAME} letters, digits, '-', '_' "
            "and '.', and begins and ends with a letter or digit"
        )
