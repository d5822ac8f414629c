"""The three hosts: sockets, connections, and the way of a request through log, limits, faults and answer."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate

import orjson
from aiohttp import web

from standin.api import Api, RateLimit, error_page
from standin.clock import Clock
from standin.control import Control, Switches
from standin.entries import Page
from standin.faults import INSTEAD, Fault, Faults, bomb, other_format
from standin.filters import Params
from standin.images import mime_of, photo_bytes
from standin.journal import Journal, Request, Role
from standin.photos import Host, PhotoBook
from standin.search import ApiError

JSON = "application/json; charset=utf-8"
MAINTENANCE = b"<!DOCTYPE html><html><body><h1>iNaturalist will be back shortly</h1></body></html>"
DENIED = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message>"
    b"<RequestId>7QX3WZ0Y</RequestId><HostId>8rJ2</HostId></Error>"
)
MISSING = DENIED.replace(b"AccessDenied", b"NoSuchKey").replace(b"Access Denied", b"The key does not exist.")
PHOTO_ADDRESSES: dict[Role, str] = {"open": "127.0.0.2", "static": "127.0.0.3"}

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class CountingServer(web.Server):
    """Tells the journal when a connection ends; the journal itself learns of it from its first request."""

    def __init__(self, handler: Answer, journal: Journal, role: Role) -> None:
        super().__init__(handler, access_log=None)
        self._journal = journal
        self._role: Role = role

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        self._journal.closed(self._role, handler)
        super().connection_lost(handler, exc)


@dataclass
class Hub:
    """Everything that the hosts share."""

    api: Api
    control: Control
    photos: PhotoBook
    faults: Faults
    journal: Journal
    limit: RateLimit
    switches: Switches
    clock: Clock
    seed: int

    async def serve_api(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/control/"):
            return await self._serve_control(request)
        return await self._serve("api", request, self._answer_api)

    async def serve_open(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._serve("open", request, lambda r: self._answer_photo("open", r))

    async def serve_static(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._serve("static", request, lambda r: self._answer_photo("static", r))

    async def _serve(
        self, role: Role, request: web.BaseRequest, answer: Callable[[web.BaseRequest], web.Response]
    ) -> web.StreamResponse:
        entry = self.journal.arrived(role, request, self.clock.now())
        if self.switches.latency:
            await asyncio.sleep(self.switches.latency)
        fault = self.faults.pick(role, request.path_qs)
        if fault and fault.kind in INSTEAD:
            return self._instead(fault, request, entry)
        response = answer(request)
        response.headers["Date"] = formatdate(self.clock.now(), usegmt=True)  # of this world, like its updated_at
        entry.status = response.status
        return await spoil(fault, request, response) if fault else response

    def _instead(self, fault: Fault, request: web.BaseRequest, entry: Request) -> web.Response:
        if fault.kind == "reset":
            return reset(request)
        extension = request.path.rpartition(".")[2]
        entry.status = fault.status if fault.kind in ("status", "echo") else 200
        match fault.kind:
            case "status":
                body, kind = orjson.dumps({"error": "Error", "status": fault.status}), JSON
            case "echo":
                plain = orjson.dumps({"error": "Error", "headers": entry.headers})
                # As some servers write it: the signs of a token may come as escapes.
                escaped = plain.replace(b"-", rb"\u002d").replace(b".", rb"\u002e").replace(b"/", rb"\/")
                body, kind = b'{"plain": %b, "escaped": %b}' % (plain, escaped), JSON
            case "html200":
                body, kind = MAINTENANCE, "text/html; charset=utf-8"
            case "bomb":
                body, kind = bomb(extension), "image/png" if extension.lower() == "png" else "image/jpeg"
            case _:
                body, kind = b"", JSON if entry.role == "api" else "image/jpeg"
        now = self.clock.now()
        headers = {"Content-Type": kind, "Date": formatdate(now, usegmt=True), **fault.headers(now)}
        return web.Response(status=entry.status, body=body, headers=headers)

    def _answer_api(self, request: web.BaseRequest) -> web.Response:
        if self.limit.exceeded():
            retry = {"Retry-After": self.limit.retry_after} if self.limit.retry_after else {}
            page = error_page(ApiError(429, "Too Many Requests"))
            return json_response(request, page, 429, "normal_throttling", retry)
        token = request.headers.get("Authorization")
        try:
            if token not in (None, self.switches.token):
                raise ApiError(401, "Unauthorized")
            page = self.api.answer(request.path, request.path_qs, parameters(request), token is not None)
        except ApiError as error:
            return json_response(request, error_page(error), error.status)
        return json_response(request, page)

    def _answer_photo(self, host: Host, request: web.BaseRequest) -> web.Response:
        found = self.photos.at(host, request.path)
        if not found:
            status, body = (403, DENIED) if host == "open" else (404, MISSING)
            return web.Response(status=status, body=body, content_type="application/xml")
        photo, size = found
        content = photo_bytes(photo, size, self.seed)
        return web.Response(body=content, content_type=mime_of(photo, size))

    async def _serve_control(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        arguments = orjson.loads(body) if body else dict(request.query)
        try:
            result = self.control.call(request.path.removeprefix("/control/"), arguments)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            return web.Response(status=400, text=f"{type(error).__name__}: {error}")
        if isinstance(result, bytes):
            return web.Response(body=result)
        return web.Response(body=orjson.dumps(result), headers={"Content-Type": JSON})


def parameters(request: web.BaseRequest) -> Params:
    """Repeated names and `name[]` become comma-separated lists."""
    params: Params = {}
    for name, value in request.query.items():
        name = name.removesuffix("[]")
        params[name] = f"{params[name]},{value}" if name in params else value
    return params


def json_response(
    request: web.BaseRequest,
    page: Page,
    status: int = 200,
    reason: str | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    headers = {"Content-Type": JSON, "Vary": "Accept-Encoding", **(headers or {})}
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return web.Response(status=status, reason=reason, body=page.plain, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return web.Response(status=status, reason=reason, body=page.gzipped, headers=headers)


def reset(request: web.BaseRequest) -> web.Response:
    """Drop the connection without an answer, in the way that the peer sees as a reset."""
    if request.transport:
        link = request.transport.get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


async def spoil(fault: Fault, request: web.BaseRequest, response: web.Response) -> web.StreamResponse:
    """The real answer, late or damaged; an answer without a body has nothing to damage."""
    body = response.body if isinstance(response.body, bytes) else b""
    half = body[: len(body) // 2]
    match fault.kind:
        case "slow":
            await asyncio.sleep(fault.seconds)
        case "truncate":
            return await truncate(request, response, half, len(body))
        case "short":
            response.body = half
        case "invalid_json":
            plain = gzip.decompress(body) if response.headers.pop("Content-Encoding", "") == "gzip" else body
            response.body = plain[: len(plain) // 2]
        case "wrong_format":
            response.body = other_format(request.path.rpartition(".")[2])
    return response


async def truncate(
    request: web.BaseRequest, response: web.Response, part: bytes, declared: int
) -> web.StreamResponse:
    """Promise the whole length, send a part of it, close the connection."""
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    stream.content_length = declared
    stream.force_close()
    await stream.prepare(request)
    await stream.write(part)
    return stream


def bind(port: int) -> dict[Role, socket.socket]:
    """One port on three addresses if possible: a restart on the same port keeps every photo's address."""
    sockets: dict[Role, socket.socket] = {"api": listen("127.0.0.1", port)}
    chosen = sockets["api"].getsockname()[1]
    for number, (role, address) in enumerate(PHOTO_ADDRESSES.items(), 1):
        spare = [(address, 0), ("127.0.0.1", chosen + number), ("127.0.0.1", 0)]
        sockets[role] = listen_somewhere([(address, chosen), *spare])
    return sockets


def listen_somewhere(places: list[tuple[str, int]]) -> socket.socket:
    for address, port in places[:-1]:
        try:
            return listen(address, port)
        except (OSError, OverflowError):  # some systems give 127.0.0.1 only
            continue
    return listen(*places[-1])


def listen(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((address, port))
        sock.listen(512)
    except BaseException:
        sock.close()
        raise
    return sock


def root(sock: socket.socket) -> str:
    address, port = sock.getsockname()
    return f"http://{address}:{port}"
