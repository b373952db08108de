"""``auth-provider: oidc``, which kubectl still serves; the client library refreshes its token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubernetes.client import Configuration
from kubernetes.config import load_kube_config_from_dict

from kubectl_wasmai.errors import KubeconfigError

if TYPE_CHECKING:
    from kubectl_wasmai.cluster.target import Target


def load(target: Target) -> Any:
    """A ``kubernetes`` Configuration that holds the id token.

    Raises KubeconfigError for other providers and for tokens that cannot be had.
    """
    assert target.auth_provider is not None  # noqa: S101 - the caller looked
    name, settings = target.auth_provider
    if name != "oidc":
        raise KubeconfigError(
            f"the auth-provider {name!r} is not supported",
            "kubectl removed it too: use your provider's exec credential plugin.",
        )

    configuration = Configuration()
    user = {"auth-provider": {"name": name, "config": settings}}
    try:
        load_kube_config_from_dict(  # type: ignore[no-untyped-call]  # the library leaves it so
            {
                "current-context": "one",
                "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
                "clusters": [{"name": "one", "cluster": {"server": target.server}}],
                "users": [{"name": "one", "user": user}],
            },
            client_configuration=configuration,
            persist_config=False,
        )
    except Exception as error:  # whatever a refresh raises, the login failed
        raise _failed(str(error) or type(error).__name__) from error
    if not configuration.get_api_key_with_prefix("BearerToken"):
        raise _failed("its id-token is missing, expired or no JWT")
    return configuration


def _failed(why: str) -> KubeconfigError:
    return KubeconfigError(
        f"the auth-provider 'oidc' gave no token: {why}", "Log in again with your provider's tool."
    )
