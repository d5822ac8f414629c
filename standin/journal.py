"""What tests look at afterwards: every request with headers and status, and the connections to a host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

Role = Literal["api", "open", "static"]
ROLES: tuple[Role, ...] = ("api", "open", "static")


@dataclass
class Request:
    """`connections` counts those open to this host, this one among them; status 0 means none was sent."""

    time: float
    role: Role
    method: str
    path: str
    headers: dict[str, str]
    connections: int
    status: int = 0


@dataclass
class Journal:
    """The log, and the most connections that each host has had open at once."""

    requests: list[Request] = field(default_factory=list)
    most: dict[Role, int] = field(default_factory=lambda: dict.fromkeys(ROLES, 0))
    open: dict[Role, set[object]] = field(default_factory=lambda: {role: set() for role in ROLES})

    def arrived(self, role: Role, request: web.BaseRequest, now: float) -> Request:
        """Note a request. A connection counts from its first request on, so that control calls never do."""
        connections = self.open[role]
        connections.add(request.protocol)
        self.most[role] = max(self.most[role], len(connections))
        headers = {str(name): value for name, value in request.headers.items()}
        entry = Request(now, role, request.method, request.path_qs, headers, len(connections))
        self.requests.append(entry)
        return entry

    def closed(self, role: Role, connection: object) -> None:
        self.open[role].discard(connection)

    def listed(self, role: Role | None = None) -> list[dict[str, Any]]:
        return [vars(entry) for entry in self.requests if role in (None, entry.role)]

    def reset(self) -> None:
        """Forget requests and maxima; connections that are open stay counted."""
        self.requests.clear()
        self.most = {role: len(connections) for role, connections in self.open.items()}
