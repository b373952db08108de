"""``kubectl wasmai completion``"""

from __future__ import annotations

import shutil

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
def command(shell: str) -> None:
    """Say how to switch on shell completion.

    Completion of plugins is kubectl's own: it calls kubectl_complete-wasmai, which is installed
    beside this command.

    \b
    Example:
      kubectl wasmai completion bash
    """
    helper = shutil.which("kubectl_complete-wasmai")
    where = f"found: {helper}" if helper else "NOT on your PATH: add the folder it is in"
    click.echo(f"kubectl_complete-wasmai is {where}")
    click.echo(f"Then switch on kubectl's own completion for {shell}:")
    click.echo(f"  {_SWITCH_ON[shell]}")


_SWITCH_ON = {
    "bash": "source <(kubectl completion bash)",
    "zsh": "source <(kubectl completion zsh)",
    "fish": "kubectl completion fish | source",
    "powershell": "kubectl completion powershell | Out-String | Invoke-Expression",
}
