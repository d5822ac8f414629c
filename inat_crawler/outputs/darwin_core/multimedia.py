"""The extension of the archive: a row for each photo that an observation shows, whatever sizes of it are had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inat_crawler.api.licenses import credit
from inat_crawler.api.pages import photo_page
from inat_crawler.api.photos import Wanted
from inat_crawler.items import Observation, Photo
from inat_crawler.outputs.darwin_core.columns import Column, always, license_text
from inat_crawler.outputs.darwin_core.occurrence import event_date

# Extension -> media type, as IANA lists them.
MEDIA_TYPES: Mapping[str, str] = {
    "gif": "image/gif",
    "heic": "image/heic",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
}


@dataclass(frozen=True)
class Picture:
    """A photo with the observation that shows it."""

    observation: Observation
    photo: Photo


def pictures(observation: Observation) -> list[Picture]:
    """Its photos in their order, but those that moderators have hidden, and those with no address on the web.

    >>> shown, hidden, nowhere = (Photo(n, n, url="https://host/photos/1/square.jpg") for n in range(3))
    >>> hidden.hidden, nowhere.url = True, None
    >>> [picture.photo.id for picture in pictures(Observation(7, photos=[shown, hidden, nowhere]))]
    [0]
    """
    shown = (photo for photo in observation.photos if not photo.hidden)
    return [Picture(observation, photo) for photo in shown if _original(observation, photo).host]


def _original(observation: Observation, photo: Photo) -> Wanted:
    return Wanted(observation.id, photo, "original")


def identifier(picture: Picture) -> str:
    return _original(picture.observation, picture.photo).url


def media_type(picture: Picture) -> str | None:
    return MEDIA_TYPES.get(picture.photo.extension or "")


def page(picture: Picture) -> str:
    return photo_page(picture.photo.id)


def created(picture: Picture) -> str | None:
    return event_date(picture.observation)


def creator(picture: Picture) -> str | None:
    return picture.observation.observer


def license_of(picture: Picture) -> str:
    return license_text(picture.photo.license_code)


def rights(picture: Picture) -> str:
    return credit(picture.photo.attribution, picture.photo.license_code, creator(picture))


MULTIMEDIA: tuple[Column[Picture], ...] = (
    Column("dcterms:type", "`StillImage`.", always("StillImage")),
    Column("dcterms:format", "Media type, by the extension; empty when that is not known.", media_type),
    Column("dcterms:identifier", "Address of the original size.", identifier),
    Column("dcterms:references", "Page of the photo.", page),
    Column("dcterms:created", "As eventDate of the observation.", created),
    Column("dcterms:creator", "Observer's name, else the login.", creator),
    Column("dcterms:publisher", "`iNaturalist`.", always("iNaturalist")),
    Column(
        "dcterms:license", "Address of the license of this photo; without one `all rights reserved`.", license_of
    ),
    Column("dcterms:rightsHolder", "As creator.", creator),
    Column("dcterms:rights", "Credit as a ready sentence.", rights),
)
