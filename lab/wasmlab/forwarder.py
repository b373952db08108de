"""Lets the host reach the API server, which listens in the lab's network namespace only.

A socket belongs to the namespace it was made in. So the lab makes the listening socket on the
host's loopback device and hands it to this process, which runs in the lab's network namespace
and connects from there. Run as `python3 -m wasmlab.forwarder FD HOST PORT HOLDER_PID`; ends
with the holder of the namespaces.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys

CHUNK = 64 * 1024


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(CHUNK):
            target.write(data)
            await target.drain()
        target.write_eof()


async def _serve(listener: socket.socket, host: str, port: int, holder: int) -> None:
    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_copy(reader, upstream_writer), _copy(upstream_reader, writer))
        finally:
            upstream_writer.close()
            writer.close()

    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(os.pidfd_open(holder), ended.set)
    async with await asyncio.start_server(forward, sock=listener):
        await ended.wait()


def main() -> None:
    """Forward until the lab ends."""
    descriptor, host, port, holder = sys.argv[1:]
    listener = socket.socket(fileno=int(descriptor))
    asyncio.run(_serve(listener, host, int(port), int(holder)))


if __name__ == "__main__":
    main()
