"""How far a mirror was read: windows of ids, each with its cursor, and the records that could not be read."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from inat_crawler.items import Page, Window
from inat_crawler.store.database import Database, Row
from inat_crawler.store.schema import malformed, windows


class Windows:
    """The windows of one mirror."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def all(self) -> list[Window]:
        """All windows, those with the highest ids first."""
        columns = [windows.c[name] for name in Window.__dataclass_fields__]
        with self.database.engine.connect() as db:
            rows = db.execute(self.database.mine(sa.select(*columns), windows)).mappings()
            return sorted((Window(**row) for row in rows), key=lambda w: w.id_above, reverse=True)

    def open(self, id_above: int, id_below: int | None) -> Window:
        """Begin a window between two exclusive bounds."""
        with self.database.writing() as db:
            last = self.database.scalar(db, sa.func.max(windows.c.window_id), windows) or 0
            window = Window(int(last) + 1, id_above, id_below)
            db.execute(sa.insert(windows).values(mirror_id=self.database.mirror_id, **asdict(window)))
        return window

    def clear(self) -> None:
        """Forget how far the mirror was read, so that it is read anew; what is stored stays."""
        with self.database.writing() as db:
            for table in (windows, malformed):
                db.execute(sa.delete(table).where(table.c.mirror_id == self.database.mirror_id))

    def malformed(self) -> list[tuple[int | None, str]]:
        """Records that could not be read, as (observation id or None, reason)."""
        with self.database.engine.connect() as db:
            rows = db.execute(self.database.mine(sa.select(malformed), malformed))
            return [(row.observation_id, row.reason) for row in rows]

    def advance(self, db: sa.Connection, page: Page) -> None:
        """Move the window's cursor over a page that is stored, and note what could not be read on it.

        It moves only from where the page began: a page before this one that was not stored keeps it there.
        """
        before, after = page.window, page.after
        self._note_malformed(db, page)
        at = windows.c.cursor.is_(None) if before.cursor is None else windows.c.cursor == before.cursor
        mine = windows.c.mirror_id == self.database.mirror_id
        db.execute(
            sa.update(windows)
            .where(mine, windows.c.window_id == before.window_id, at)
            .values(cursor=after.cursor, top=after.top, total=after.total, read=after.read, done=after.done)
        )

    def _note_malformed(self, db: sa.Connection, page: Page) -> None:
        key = {
            "mirror_id": self.database.mirror_id,
            "window_id": page.window.window_id,
            "page_begin": page.window.cursor or 0,
        }
        db.execute(sa.delete(malformed).where(*(malformed.c[n] == v for n, v in key.items())))
        rows: list[Row] = [
            {**key, "number": number, "observation_id": observation_id, "reason": reason}
            for number, (observation_id, reason) in enumerate(page.malformed)
        ]
        if rows:
            db.execute(sa.insert(malformed), rows)
