"""``kubectl wasmai rbac``"""

from __future__ import annotations

import click

from kubectl_wasmai.cli.options import KubectlCommand


@click.command(cls=KubectlCommand)
@click.option(
    "--feature",
    type=click.Choice(["doctor", "deploy", "all"]),
    default="doctor",
    show_default=True,
    help="What the rights are for.",
)
@click.option("-n", "--namespace", default="", metavar="NAME", help="Only in this namespace.")
@click.option("--user", "users", multiple=True, metavar="NAME", help="Also bind to this user.")
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Also bind to this group.")
@click.option(
    "--serviceaccount",
    "accounts",
    multiple=True,
    metavar="NAMESPACE:NAME",
    help="Also bind to this service account.",
)
@click.option(
    "-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", help="Output format."
)
def command(
    feature: str,
    namespace: str,
    users: tuple[str, ...],
    groups: tuple[str, ...],
    accounts: tuple[str, ...],
    output: str,
) -> None:
    """Print the least rights that a feature needs.

    For kubectl apply; asks no cluster. With -n, what lives in namespaces is granted in that one
    alone. Secrets and ConfigMaps are in no role.

    \b
    Examples:
      kubectl wasmai rbac
      kubectl wasmai rbac -n models --user jane | kubectl apply -f -
      kubectl wasmai rbac --feature deploy --serviceaccount ci:deployer
    """
    import json

    import yaml

    from kubectl_wasmai.rbac import Holder, roles

    holders = [Holder("User", name) for name in users]
    holders += [Holder("Group", name) for name in groups]
    for account in accounts:
        space, colon, name = account.partition(":")
        if not (space and colon and name):
            raise click.UsageError(f"--serviceaccount {account}: expected NAMESPACE:NAME")
        holders.append(Holder("ServiceAccount", name, space))
    documents = roles(feature, namespace, holders)
    if output == "json":
        whole = {"apiVersion": "v1", "kind": "List", "items": documents}
        click.echo(json.dumps(whole, indent=2))
    else:
        texts = [yaml.safe_dump(each, sort_keys=False) for each in documents]
        click.echo("---\n".join(texts), nl=False)
