"""Every error a person can meet, and the exit code it becomes.

::

    WasmaiError               exit 1: the tool could not do its work
    ├── KubeconfigError       no usable context, broken file, failed credential plugin
    ├── ClusterUnreachable    refused, timed out, name not found, bad TLS
    │   └── Interrupted       an answer began, and broke off or was damaged on the way
    ├── ApiError              the API server answered with an error status
    │   ├── Unauthorized      401
    │   ├── Forbidden         403
    │   ├── NotFound          404
    │   ├── Conflict          409
    │   ├── Gone              410, the resourceVersion or continue token is too old
    │   └── Invalid           422, and 400: the server refused what we sent
    ├── InputError            a file the user gave cannot be read or understood
    ├── RegistryError         an image registry refused, or gave no answer
    ├── MissingProgram        a program that does the work is not installed
    ├── NotVerified           exit 3: the image is not signed as it should be
    └── NotReady              exit 3: deployed, but not ready in time

Each carries what was tried and what happened (the message) and what to do next (the hint).
Wrong usage is click's ``UsageError`` (exit 2). Only ``cli.main`` turns errors into exit codes.
"""

from __future__ import annotations


class WasmaiError(Exception):
    """Base of all errors that are shown to a person: one message, one hint, no traceback."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class KubeconfigError(WasmaiError):
    """The kubeconfig names no usable cluster, or its credential plugin failed."""


class ClusterUnreachable(WasmaiError):
    """No HTTP answer came: refused, timed out, unknown host, or TLS failed."""


class Interrupted(ClusterUnreachable):
    """An answer broke off or was damaged on its way: what asked for it may ask again."""


class InputError(WasmaiError):
    """A file or argument the user gave cannot be read or understood."""


class RegistryError(WasmaiError):
    """An image registry refused what was asked, or gave no usable answer."""


class MissingProgram(WasmaiError):
    """A program or library that does the work is not installed."""


class NotVerified(WasmaiError):
    """An image is not signed, or not by whom it should be."""

    exit_code = 3


class NotReady(WasmaiError):
    """What was deployed did not become ready in time."""

    exit_code = 3


class ApiError(WasmaiError):
    """The API server answered with an error. Keeps the fields of its Status object."""

    def __init__(self, message: str, hint: str = "", *, status: int = 0, reason: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.reason = reason


class Unauthorized(ApiError):
    """401: the credentials were not accepted."""


class Forbidden(ApiError):
    """403: the credentials may not do this. ``verb``, ``resource`` and ``namespace`` say what."""

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        status: int = 403,
        reason: str = "Forbidden",
        verb: str = "",
        resource: str = "",
        namespace: str = "",
    ) -> None:
        super().__init__(message, hint, status=status, reason=reason)
        self.verb = verb
        self.resource = resource
        self.namespace = namespace


class NotFound(ApiError):
    """404: the object, or the kind itself, does not exist."""


class Conflict(ApiError):
    """409: somebody else owns a field, or the object exists already."""


class Gone(ApiError):
    """410: the resourceVersion or continue token has expired; list again."""


class Invalid(ApiError):
    """422 or 400: the server refused the object; its own words say which field."""
