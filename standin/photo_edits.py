"""The edits of photos that sites make: a record in, the changed `photos` and `observation_photos` out."""

from __future__ import annotations

import random
from collections.abc import Callable

from standin.catalog import Record
from standin.photos import Hosts
from standin.records import Writer


def swap(record: Record) -> Record:
    """The photos in reverse order."""
    items = [{**item, "position": i} for i, item in enumerate(reversed(record["observation_photos"]))]
    return {"photos": record["photos"][::-1], "observation_photos": items}


def replace(record: Record, index: int, writer: Writer) -> Record:
    """A new photo, with a new id, in place of one."""
    rng = random.Random(f"{record['id']}/{writer.next_photo}")
    old = record["photos"][index]
    fresh = {**writer.new_photo(old["license_code"], rng), "attribution": old["attribution"]}
    return change(record, old["id"], lambda photo: fresh)


def bump_query(record: Record, index: int, now: float) -> Record:
    """The same photo with a new `?NUMBER`, as after a rotation: its bytes change with it."""
    photo = record["photos"][index]
    base, _, version = photo["url"].partition("?")
    number = max(int(now), int(version or 0) + 1)
    return change(record, photo["id"], lambda old: {**old, "url": f"{base}?{number}"})


def move(record: Record, photo_id: int, license_code: str | None, hosts: Hosts) -> Record:
    """The same photo on the other host, under another license."""

    def moved(photo: Record) -> Record:
        here, there = hosts.open + "/", hosts.static + "/"
        if not photo["url"].startswith(here):
            here, there = there, here
        return {**photo, "url": photo["url"].replace(here, there, 1), "license_code": license_code}

    return change(record, photo_id, moved)


def change(record: Record, photo_id: int, edit: Callable[[Record], Record]) -> Record:
    """Apply an edit to one photo in both places where a record shows it."""
    photos = [edit(photo) if photo["id"] == photo_id else photo for photo in record["photos"]]
    items = [
        {**item, "photo": edit(item["photo"])} if item["photo"]["id"] == photo_id else item
        for item in record["observation_photos"]
    ]
    return {"photos": photos, "observation_photos": items}
