"""The ledger from within an event loop: its transactions run in a thread, so that nothing here ever blocks.

What has ended is given back with the next reservation, or after a moment, in one transaction.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from inat_crawler.budget.ledger import LEASE, LONGEST_LOCK, Ask, Ended, Ledger, Reservation, Wait, ledger_file
from inat_crawler.budget.limits import DAY
from inat_crawler.errors import BudgetError, BusyError

logger = logging.getLogger(__name__)
T = TypeVar("T")
BEAT = LEASE / 4  # seconds between signs of life while something is under way
FLUSH = 0.1  # seconds after which something that has ended is given back
NO_FILE = [None, None]
LOOK = 0.05  # seconds between two looks at a ledger that others write


class Meter:
    """Takes and gives back reservations for this process; `periods` are those in which they count, in seconds."""

    def __init__(self, url: str, periods: Sequence[float], limited: bool) -> None:
        """A ledger that will be needed is opened now. Raises BudgetError."""
        self.url = url
        self.periods = tuple(periods)
        self.thread = ThreadPoolExecutor(1, "budget")
        self.ledger = Ledger(url) if limited else None
        self.under_way: set[str] = set()
        self.ended: list[Ended] = []
        self.beating: asyncio.Task[None] | None = None
        self.flushing: asyncio.TimerHandle | None = None
        self.tasks: set[asyncio.Task[Any]] = set()
        self.file = ledger_file(url)
        self.seen: object = NO_FILE
        self.looked_at = 0.0
        self.reading: asyncio.Task[None] | None = None
        self.pauses: dict[str, tuple[float, str]] = {}  # by host: until when (monotonic), and why

    # -- reservations -----------------------------------------------------------------------------------------

    async def take(self, ask: Ask) -> Reservation | Wait:
        """A reservation, or when to look again. Raises BudgetError when the ledger cannot be used."""
        reservation = Reservation(ask.key, self.periods)
        ended, self.ended = self.ended, []
        try:
            wait = await self.run(Ledger.take, ask, reservation, ended)
        except BudgetError:
            self.ended = ended + self.ended
            raise
        if wait is not None:
            return wait
        self.under_way.add(reservation.id)
        if self.beating is None:
            self.beating = asyncio.create_task(self.beat())
        return reservation

    def hold(self, reservation: Reservation, amount: float) -> None:
        """This transfer turns out to be of so much."""

        async def tell() -> None:
            try:
                await self.run_at_last(Ledger.hold, reservation, amount)
            except BudgetError as error:
                logger.warning("%s", error)

        self.start(tell())

    def give_back(self, reservation: Reservation, amount: float) -> None:
        """This transfer has ended and used so much."""
        self.under_way.discard(reservation.id)
        self.ended.append((reservation, amount))
        if self.flushing is None:
            self.flushing = asyncio.get_running_loop().call_later(FLUSH, self.start_flush)

    def start_flush(self) -> None:
        self.flushing = None
        self.start(self.flush())

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def flush(self) -> None:
        """Give back what has ended. What cannot be given back stays reserved: that errs on the safe side."""
        ended, self.ended = self.ended, []
        if not ended:
            return
        try:
            await self.run(Ledger.give_back, ended)
        except BudgetError as error:
            if not isinstance(error, BusyError):
                logger.warning("%s", error)
            self.ended = ended + self.ended

    async def beat(self) -> None:
        """Let the ledger know that this process is alive as long as something is under way."""
        while True:
            await asyncio.sleep(BEAT)
            if self.under_way:
                try:
                    await self.run(Ledger.beat)
                except BusyError:
                    continue
                except BudgetError as error:
                    logger.warning("%s", error)

    # -- pauses -----------------------------------------------------------------------------------------------

    async def pause(self, host: str, seconds: float, why: str) -> None:
        """Have no process send anything to this host for so long; `why` in a word."""
        seconds = min(seconds, DAY)  # no host can ask for more
        self.note(host, Wait(seconds, why=why))
        try:
            await self.run_at_last(Ledger.pause, host, seconds, why)
        except BudgetError as error:  # a host without limits does without the ledger
            logger.warning("the pause is not known to other processes: %s", error)

    async def paused(self, host: str) -> Wait | None:
        """Is the host paused, as far as is known? Nobody waits for the ledger here."""
        if (self.reading is None or self.reading.done()) and self.is_news():
            self.reading = asyncio.create_task(self.read_pauses())
            await asyncio.wait([self.reading], timeout=LOOK)
        until, why = self.pauses.get(host, (0.0, ""))
        left = until - time.monotonic()
        return Wait(left, why=why) if left > 0 else None

    async def read_pauses(self) -> None:
        """See what other processes know. The ledger is read only when it was written since it was last read."""
        try:
            for name, wait in (await self.run(Ledger.pauses)).items():
                self.note(name, wait)
        except BudgetError as error:
            self.seen = None  # so it is looked at again
            logger.debug("%s", error)

    def note(self, host: str, wait: Wait) -> None:
        new = (time.monotonic() + wait.seconds, wait.why)
        self.pauses[host] = max(self.pauses.get(host, new), new)

    def is_news(self) -> bool:
        now, state = time.monotonic(), self.state()
        if now - self.looked_at < LOOK or state == self.seen:
            return False
        self.looked_at, self.seen = now, state
        return True

    def state(self) -> object:
        """What differs when the ledger was written; of a server nothing tells, so each second."""
        if self.file is None:
            return int(time.monotonic())
        return [modified(Path(f"{self.file}{end}")) for end in ("", "-wal")]

    # -- the thread -------------------------------------------------------------------------------------------

    async def run(self, method: Callable[..., T], *arguments: Any) -> T:
        def call() -> T:
            self.ledger = self.ledger or Ledger(self.url, patience=0.0)
            return method(self.ledger, *arguments)

        return await asyncio.get_running_loop().run_in_executor(self.thread, call)

    async def run_at_last(self, method: Callable[..., T], *arguments: Any) -> T:
        """The same, as soon as others let go of the ledger."""
        until = time.monotonic() + LONGEST_LOCK
        while True:
            try:
                return await self.run(method, *arguments)
            except BusyError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(LOOK)

    async def close(self) -> None:
        """Give back what has ended, and end."""
        if self.flushing is not None:
            self.flushing.cancel()
        if self.beating is not None:
            self.beating.cancel()
        await self.flush()
        if self.ledger is not None:
            self.ledger.close()
        self.thread.shutdown()


def modified(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
