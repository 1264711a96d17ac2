"""File servers on free ports: HTTP, and as much FTP as an upload or download needs."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def http_files(
    files: dict[str, bytes], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve ``files`` by path, take uploads into it; give the URL without a slash at its end."""

    async def get(request: web.Request) -> web.Response:
        data = files.get(request.path)
        return web.Response(body=data) if data is not None else web.Response(status=404)

    async def put(request: web.Request) -> web.Response:
        files[request.path] = await request.read()
        return web.Response(status=201)

    site = web.Application()
    site.add_routes([web.get("/{name:.*}", get), web.put("/{name:.*}", put)])
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def ftp_files(files: dict[str, bytes], password: str) -> AsyncIterator[str]:
    """The same over FTP in passive mode, for one user."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(text: str) -> None:
            writer.write(f"{text}\r\n".encode())
            await writer.drain()

        transfers: asyncio.Queue = asyncio.Queue()
        data_server = None
        await say("220 here")
        while line := (await reader.readline()).decode().strip():
            verb, _, rest = line.partition(" ")
            if verb == "USER":
                await say("331 password?")
            elif verb == "PASS":
                await say("230 in" if rest == password else "530 no")
            elif verb in ("EPSV", "PASV"):
                data_server = await asyncio.start_server(
                    lambda *pair: transfers.put_nowait(pair), "127.0.0.1", 0
                )
                port = data_server.sockets[0].getsockname()[1]
                await say(
                    f"227 on (127,0,0,1,{port // 256},{port % 256})"
                    if verb == "PASV"
                    else f"229 on (|||{port}|)"
                )
            elif verb in ("STOR", "RETR"):
                data_in, data_out = await transfers.get()
                if verb == "RETR" and rest not in files:
                    data_out.close()
                    await say("550 none")
                    continue
                await say("150 go")
                if verb == "STOR":
                    files[rest] = await data_in.read()
                else:
                    data_out.write(files[rest])
                data_out.close()
                await data_out.wait_closed()
                await say("226 done")
            elif verb == "QUIT":
                await say("221 bye")
                break
            else:
                await say("200 ok")
        if data_server is not None:
            data_server.close()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"ftp://user:{password}@127.0.0.1:{server.sockets[0].getsockname()[1]}"
