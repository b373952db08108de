"""The program's entry. Before it has begun anything, Ctrl-C ends it as it ends any program."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> None:
    """Never returns."""
    from kubectl_wasmai.cli.main import main as begin

    begin()


if __name__ == "__main__":
    main()
