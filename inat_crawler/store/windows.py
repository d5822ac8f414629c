"""How far a mirror was read: windows of ids, each with its cursor, and the sweep for edits."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from inat_crawler.items import Page, Window
from inat_crawler.store.database import Database
from inat_crawler.store.schema import mirrors, windows


class Windows:
    """The windows of one mirror."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def all(self) -> list[Window]:
        """The windows in which the mirror is read, those with the highest ids first; sweeps are not among them."""
        found = [w for w in self._select() if w.updated_since is None]
        return sorted(found, key=lambda w: w.id_above, reverse=True)

    def finished(self) -> bool:
        """Are all read to their end?"""
        every = self.all()
        return bool(every) and all(w.done for w in every)

    def unread(self) -> int:
        """How many observations were known to be there and not read yet."""
        return sum(max(0, (w.total or 0) - w.read) for w in self.all() if not w.done)

    def sweep(self) -> Window | None:
        """The sweep that is not done yet, if there is one."""
        return next((w for w in self._select() if w.updated_since is not None), None)

    def top(self) -> int | None:
        """Highest id that was read; None if none was."""
        return max((w.top for w in self.all() if w.top is not None), default=None)

    def open(
        self, id_above: int, id_below: int | None, updated_since: str | None = None, begun_at: str | None = None
    ) -> Window:
        """Begin a window between two exclusive bounds; with the two times it is a sweep."""
        with self.database.writing() as db:
            last = self.database.scalar(db, sa.func.max(windows.c.window_id), windows) or 0
            window = Window(int(last) + 1, id_above, id_below, updated_since=updated_since, begun_at=begun_at)
            db.execute(sa.insert(windows).values(mirror_id=self.database.mirror_id, **asdict(window)))
        return window

    def merge(self) -> None:
        """Make one window of those that are read to their end: a mirror in step would gather one each run."""
        done = self.all()
        if len(done) < 2 or not all(w.done for w in done):
            return
        one = {"id_above": done[-1].id_above, "top": self.top(), "total": sum(w.total or 0 for w in done)}
        mine = windows.c.mirror_id == self.database.mirror_id
        with self.database.writing() as db:
            others = windows.c.window_id.in_([w.window_id for w in done[:-1]])
            db.execute(sa.delete(windows).where(mine, others))
            db.execute(sa.update(windows).where(mine, windows.c.window_id == done[-1].window_id).values(**one))

    def finish_sweep(self, sweep: Window) -> None:
        """The mirror is in step up to the moment at which the sweep was begun."""
        with self.database.writing() as db:
            mine = windows.c.mirror_id == self.database.mirror_id
            db.execute(sa.delete(windows).where(mine, windows.c.window_id == sweep.window_id))
            at = mirrors.c.mirror_id == self.database.mirror_id
            db.execute(sa.update(mirrors).where(at).values(synced_at=sweep.begun_at))

    def advance(self, db: sa.Connection, page: Page) -> None:
        """Move the window's cursor over a page that is stored.

        It moves only from where the page began: a page before this one that was not stored keeps it there.
        """
        before, after = page.window, page.after
        if before is None or after is None:
            return
        at = windows.c.cursor.is_(None) if before.cursor is None else windows.c.cursor == before.cursor
        mine = windows.c.mirror_id == self.database.mirror_id
        db.execute(
            sa.update(windows)
            .where(mine, windows.c.window_id == before.window_id, at)
            .values(cursor=after.cursor, top=after.top, total=after.total, read=after.read, done=after.done)
        )

    def _select(self) -> list[Window]:
        columns = [windows.c[name] for name in Window.__dataclass_fields__]
        with self.database.engine.connect() as db:
            rows = db.execute(self.database.mine(sa.select(*columns), windows)).mappings()
            return [Window(**row) for row in rows]
