"""Options spelled and read as kubectl's are: connection flags, durations, booleans.

Imported for every ``--help`` and completion: click and one dataclass, nothing else.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import click

from kubectl_wasmai.cluster.connection import ConnectionOptions

Function = TypeVar("Function", bound=Callable[..., Any])

# As Go's strconv.ParseBool.
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})

_UNITS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),  # U+00B5, the micro sign
    "\u03bcs": Decimal("1e-6"),  # the Greek letter
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_PIECE = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|\u03bcs|ms|s|m|h)", re.ASCII)
_LONGEST = Decimal(2**63 - 1) * Decimal("1e-9")  # Go counts int64 nanoseconds

CONNECTION_PREFIX = "connection_"


def parse_duration(text: str) -> float:
    """Seconds of a Go duration (``1h30m``, ``500ms``, ``-1s``) or of a plain number of seconds.

    Raises ValueError.
    """
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if re.fullmatch(r"[0-9]+", digits, re.ASCII):
        seconds = Decimal(digits)
    else:
        pieces = _PIECE.findall(digits)
        if not pieces or "".join(number + unit for number, unit in pieces) != digits:
            raise ValueError(f"{text!r} is no duration")
        seconds = sum((Decimal(number) * _UNITS[unit] for number, unit in pieces), Decimal(0))
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is longer than 292 years")
    return float(sign * seconds)


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only in newer clicks
    """A Go duration; the value is in seconds. ``negative`` allows less than zero."""

    name = "duration"

    def __init__(self, *, negative: bool = False) -> None:
        self.negative = negative

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, (int, float)):
            return float(value)
        try:
            seconds = parse_duration(str(value).strip())
        except ValueError as error:
            self.fail(f"{error}; write 30s, 5m or 1h30m.", param, ctx)
        if seconds < 0 and not self.negative:
            self.fail(f"{value!r} is negative.", param, ctx)
        return seconds


class KubeBool(click.ParamType):  # type: ignore[type-arg]  # as above
    """``true`` and ``false`` in the spellings Go accepts."""

    name = "boolean"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        if isinstance(value, bool):
            return value
        if value not in _TRUE | _FALSE:
            self.fail(f"{value!r} is neither true nor false.", param, ctx)
        return value in _TRUE


class KubeBoolOption(click.Option):
    """``--wait``, ``--wait=true``, ``--wait=false``; needs ``KubectlCommand`` for the bare form."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        return record and (record[0].replace(" [=", "[="), record[1])


def kube_bool(*names: str, **settings: Any) -> Callable[[Function], Function]:
    """A boolean option as kubectl's: never takes the next word as its value."""
    settings = {"default": False, "metavar": "[=true|false]", **settings}
    return click.option(*names, cls=KubeBoolOption, type=KubeBool(), **settings)


class KubectlCommand(click.Command):
    """Reads argv as kubectl's pflag does, and gives the connection flags a help section.

    ``--wait`` before a word does not swallow it, and ``-o=json`` means ``-o json``.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        context = {
            "help_option_names": ["-h", "--help"],
            **(settings.get("context_settings") or {}),
        }
        super().__init__(*args, **{**settings, "context_settings": context})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self.as_click_reads(args))

    def as_click_reads(self, args: list[str]) -> list[str]:
        """``args`` with bare booleans completed and ``-o=json`` split, up to ``--``."""
        options = {
            name: param
            for param in self.params
            if isinstance(param, click.Option)
            for name in (*param.opts, *param.secondary_opts)
        }
        read: list[str] = []
        words = iter(args)
        for word in words:
            if word == "--":
                return [*read, word, *words]
            name, equals, value = word.partition("=")
            option = options.get(name)
            if isinstance(option, KubeBoolOption):
                read.append(f"{name}={value if equals else 'true'}")
            elif equals and option is not None and not name.startswith("--"):
                read += [name, value]
            elif option is not None and not equals and not (option.is_flag or option.count):
                read += [word, *(value for value in [next(words, None)] if value is not None)]
            else:
                read.append(word)
        return read

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own: list[tuple[str, str]] = []
        connection: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                ours = (param.name or "").startswith(CONNECTION_PREFIX)
                (connection if ours else own).append(record)
        for title, records in (("Options", own), ("Connection options", connection)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _connection(*names: str, field: str = "", metavar: str = "", **settings: Any) -> Any:
    """One connection flag; ``field`` is the ConnectionOptions field when it is not the flag's."""
    field = field or names[-1].removeprefix("--").replace("-", "_")
    return click.option(*names, CONNECTION_PREFIX + field, metavar=metavar or None, **settings)


# kubectl's flags in its words (cli-runtime, config_flags.go); the order is that of the help.
_FLAGS = (
    _connection("-n", "--namespace", metavar="NAME", help="The namespace of this request."),
    _connection("--context", metavar="NAME", help="The kubeconfig context to use."),
    _connection("--cluster", metavar="NAME", help="The kubeconfig cluster to use."),
    _connection("--user", metavar="NAME", help="The kubeconfig user to use."),
    _connection("--kubeconfig", metavar="FILE", help="The kubeconfig file to use."),
    _connection(
        "-s", "--server", metavar="URL", help="The address and port of the Kubernetes API server."
    ),
    _connection("--token", help="Bearer token for authentication to the API server."),
    _connection(
        "--tls-server-name",
        metavar="NAME",
        help="Server name to check the server's certificate against, if not its hostname.",
    ),
    kube_bool(
        "--insecure-skip-tls-verify",
        CONNECTION_PREFIX + "insecure_skip_tls_verify",
        help="Do not check the server's certificate. This makes the connection insecure.",
    ),
    _connection(
        "--certificate-authority",
        metavar="FILE",
        help="Path to a cert file for the certificate authority.",
    ),
    _connection(
        "--client-certificate", metavar="FILE", help="Path to a client certificate file for TLS."
    ),
    _connection("--client-key", metavar="FILE", help="Path to a client key file for TLS."),
    _connection(
        "--as",
        field="as_user",
        metavar="USER",
        help="Username to impersonate: a regular user or a service account in a namespace.",
    ),
    _connection(
        "--as-group",
        field="as_groups",
        metavar="GROUP",
        multiple=True,
        help="Group to impersonate; can be repeated for several groups.",
    ),
    _connection("--as-uid", metavar="UID", help="UID to impersonate."),
    _connection(
        "--request-timeout",
        type=Duration(),
        metavar="DURATION",
        help="How long to wait for a single request (1s, 2m, 3h); 0 waits for ever.",
    ),
)


def cluster_options(function: Function) -> Function:
    """Add the connection flags; the command gets them as one argument, ``connection``."""

    @functools.wraps(function)
    def command(*args: Any, **values: Any) -> Any:
        given = {
            name.removeprefix(CONNECTION_PREFIX): values.pop(name)
            for name in list(values)
            if name.startswith(CONNECTION_PREFIX)
        }
        return function(*args, connection=ConnectionOptions(**given), **values)

    wrapped: Any = command
    for flag in reversed(_FLAGS):
        wrapped = flag(wrapped)
    result: Function = wrapped
    return result
