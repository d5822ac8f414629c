"""`python -m standin`: binds the hosts, fills the world, prints the API's root as first line, serves."""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
from pathlib import Path

from standin.api import Api, RateLimit
from standin.catalog import DEFAULT_PLACE, Catalog
from standin.clock import Clock
from standin.control import Control, Switches
from standin.faults import Faults
from standin.generate import Generator
from standin.journal import Journal, Role
from standin.photos import Hosts, PhotoBook
from standin.records import Writer
from standin.search import Searcher
from standin.server import CountingServer, Hub, bind, root
from standin.world import World


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the API; 0 takes any free one (default)")
    parser.add_argument("--observations", type=int, help="that match the default query (default 500)")
    parser.add_argument("--records", type=Path, help="JSON Lines file of records to serve as well")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--place", type=int, default=DEFAULT_PLACE, help="where the observations lie")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--rate-limit", type=int, help="API requests a minute; above it 429")
    parser.add_argument("--original-pixels", type=int, default=2048, help="longer side of an original")
    parser.add_argument("--record-bytes", type=int, default=0, help="pad every record to about this size")
    parser.add_argument("--token", default="token", help="the one that is valid; another is answered 401")
    options = parser.parse_args()
    if options.observations is None:
        options.observations = 0 if options.records else 500
    return options


def build(options: argparse.Namespace, sockets: dict[Role, socket.socket]) -> Hub:
    clock, journal, catalog = Clock(), Journal(), Catalog(options.place)
    hosts = Hosts(root(sockets["open"]), root(sockets["static"]))
    photos = PhotoBook(hosts, options.original_pixels)
    world = World(catalog, photos, clock)
    writer = Writer(catalog, hosts, options.seed, options.original_pixels)
    generator = Generator(world, writer, options.record_bytes)
    if options.records:
        generator.load(options.records)
    generator.populate(options.observations)
    api = Api(world, Searcher(world, options.seed), generator, options.seed)
    faults, limit = Faults(options.seed), RateLimit(clock, options.rate_limit)
    switches = Switches(options.latency, options.token)
    control = Control(api, faults, journal, limit, switches, options.seed)
    return Hub(api, control, photos, faults, journal, limit, switches, clock, options.seed)


async def serve(hub: Hub, sockets: dict[Role, socket.socket]) -> None:
    """Until SIGTERM or SIGINT."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    handlers = {"api": hub.serve_api, "open": hub.serve_open, "static": hub.serve_static}
    servers = [
        await loop.create_server(CountingServer(handlers[role], hub.journal, role), sock=sock)
        for role, sock in sockets.items()
    ]
    print(root(sockets["api"]) + "/v1", flush=True)
    await stop.wait()
    for server in servers:
        server.close()


def main() -> None:
    options = arguments()
    sockets = bind(options.port)
    asyncio.run(serve(build(options, sockets), sockets))


if __name__ == "__main__":
    main()
