"""A TLS door to the queue, for workers on other hosts: takes `rediss://` connections and passes them on to Redis.

Certificate and key are `tls.crt` and `tls.key` of the shared folder. The password is asked by Redis itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import ssl
import sys
from pathlib import Path

FOLDER = Path("/run/ocrfleet")
PIECE_BYTES = 256 * 1024
HANDSHAKE_S = 10.0


async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Pass everything on until one side ends; a slow reader slows the writer down."""
    with contextlib.suppress(OSError):
        while data := await source.read(PIECE_BYTES):
            sink.write(data)
            await sink.drain()


async def serve(listen_port: int, host: str, port: int, context: ssl.SSLContext) -> asyncio.Server:
    """Open the door."""

    async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside: asyncio.StreamWriter | None = None
        try:
            behind, inside = await asyncio.open_connection(host, port)
            ways = [asyncio.create_task(pour(reader, inside)), asyncio.create_task(pour(behind, writer))]
            # Redis's protocol knows no half-closed connection: the end of one way is the end of both.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        except OSError as error:
            print(f"tls door: Redis does not answer: {error}", file=sys.stderr, flush=True)
        finally:
            for end in (writer, inside):
                if end is not None:
                    end.close()

    return await asyncio.start_server(enter, None, listen_port, ssl=context, ssl_handshake_timeout=HANDSHAKE_S)


async def main() -> None:
    """Serve until SIGTERM."""
    certificate, key = FOLDER / "tls.crt", FOLDER / "tls.key"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        sys.exit(f"{certificate} and {key} are needed, readable by user {os.getuid()}: {error}")
    server = await serve(6380, os.environ.get("REDIS_HOST", "redis"), 6379, context)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with server:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
