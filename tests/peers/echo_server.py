# SPDX-License-Identifier: MIT
"""An echo server of Python's websockets, for tests/interop, as echo-server.mjs is one of npm's ws.

EVERWIRE_DEFLATE: "true" or "false". "close CODE REASON" closes, "drop" ends the TCP connection.
"""

import asyncio
import os
import sys

import websockets


async def serve(connection):
    try:
        async for message in connection:
            words = message.split(" ", 2) if isinstance(message, str) else []
            if words[:1] == ["close"]:
                await connection.close(int(words[1]), words[2])
            elif message == "drop":
                connection.transport.abort()
            else:
                await connection.send(message)
    except websockets.ConnectionClosed:
        pass
    print(f"closed {connection.close_code} {connection.close_reason}", flush=True)


async def main():
    deflate = os.environ.get("EVERWIRE_DEFLATE") == "true"
    async with websockets.serve(
        serve,
        "127.0.0.1",
        0,
        compression="deflate" if deflate else None,
        max_size=4 * 1024 * 1024,
    ) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"listening on ws://127.0.0.1:{port}", flush=True)
        # Whoever started this server holds its standard input; when that closes, nobody is left to serve.
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
