"""What is crawled: observations, their photos, the files of those photos, and the page they came on.

One declaration per column: its name, type, documentation and Darwin Core term stand here and nowhere else;
the store, the feed and the documentation are made from them. Text is kept as the API serves it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal

Change = Literal["new", "changed", "unchanged"]
FileStatus = Literal["downloaded", "copied", "failed", "lost", "skipped"]
# Status of a file that is there.
HAD: tuple[FileStatus, ...] = ("downloaded", "copied")

# The table of the original script: column of an observation -> its name there.
TABLE_COLUMNS = {
    "id": "id",
    "taxon_name": "taxon.name",
    "quality_grade": "quality_grade",
    "time_observed_at": "time_observed_at",
    "species_guess": "species_guess",
    "license_code": "license_code",
    "observed_on": "observed_on",
    "community_taxon_id": "community_taxon_id",
    "longitude": "Longitude",
    "latitude": "Latitude",
}


def _column(doc: str, term: str = "") -> Any:
    """Declare a column that may be null; `term` is where a Darwin Core Archive has it."""
    return field(default=None, metadata={"doc": doc, "term": term})


def _private(doc: str) -> Any:
    """Declare a column of the store alone: no feed, log or digest has it."""
    return field(default=None, repr=False, metadata={"doc": doc, "private": True})


@dataclass
class PhotoFile:
    """One size of one photo as a file: had, or why not. Its identity is (photo id, size)."""

    size: str = field(metadata={"doc": "Size: square, thumb, small, medium, large or original."})
    url: str = field(metadata={"doc": "Address it was fetched from."})
    status: FileStatus = field(
        metadata={
            "doc": "`downloaded`; `copied` from another observation that shows the same photo; `failed`; `lost`, "
            "when it was had once and is no longer on the disk as it was; `skipped`, when the crawl was ended."
        }
    )
    path: str | None = _column("File name below `images/`; empty when it could not be had.")
    reason: str | None = _column("Why it could not be had, in one or two words.")
    bytes: int | None = _column("Size of the file in bytes.")
    sha256: str | None = _column("SHA-256 of the bytes as served, in hex.")
    width: int | None = _column("Width in pixels, as decoded.")
    height: int | None = _column("Height in pixels, as decoded.")
    mtime_ns: int | None = _column(
        "Modification time of the file in ns: a file unchanged since is not read again."
    )
    fetched_at: str | None = _column("When it was fetched, UTC, ISO 8601.")


@dataclass
class Photo:
    """A photo of an observation, in the order its owner gave."""

    id: int = field(metadata={"doc": "iNaturalist's id of the photo."})
    position: int = field(metadata={"doc": "Place among the observation's photos, from 0."})
    url: str | None = _column("Address of the square size; the other sizes differ in the last word.")
    extension: str | None = _column("Extension in the address, in lower case; empty when it has none.")
    license_code: str | None = _column("License of this photo; null or empty: all rights reserved.")
    attribution: str | None = _column("Credit as a ready sentence.")
    width: int | None = _column("Width of the original upload in pixels, as the record says.")
    height: int | None = _column("Height of the original upload in pixels, as the record says.")
    hidden: bool | None = _column("Hidden by moderators.")
    files: list[PhotoFile] = field(
        default_factory=list, metadata={"doc": "Its files, as this run left them.", "nested": True}
    )


@dataclass(frozen=True)
class Wants:
    """Which files a crawl is for: of the `first` photo of an observation, of `all` or of `none`, in these sizes.

    `licenses` are the codes that a photo may have; None: whichever it has, or none.
    """

    images: str
    sizes: tuple[str, ...]
    licenses: tuple[str, ...] | None = None

    def allows(self, photo: Photo) -> bool:
        """May a file of this photo be kept, whichever photos are wanted?"""
        return self.licenses is None or (photo.license_code or "").lower() in self.licenses

    def takes(self, photo: Photo) -> bool:
        """Is a file of this photo wanted?

        >>> wants = Wants("first", ("square",), ("cc0",))
        >>> wants.takes(Photo(1, 0, license_code="CC0")), wants.takes(Photo(2, 1, license_code="cc0"))
        (True, False)
        """
        shown = self.images == "all" or (self.images == "first" and photo.position == 0)
        return shown and self.allows(photo)


@dataclass(frozen=True)
class Move:
    """A file on its way to another name below `images/`, or to `aside` when it has none any more.

    `aside` is the folder beside `images/`: `gone`, or `withdrawn` when its license does not allow to keep it.

    It is stored with the change that calls for it, before anything is renamed, and forgotten when it is done:
    so that a process killed in between leaves no photo under another's name.
    """

    observation_id: int
    photo_id: int
    size: str
    path: str
    target: str | None
    set_out: bool = False
    aside: str = "gone"


@dataclass(frozen=True)
class Window:
    """A span of observation ids that is read from the top down, page by page; both bounds are exclusive.

    `cursor` is the lowest id that was read and stored so far, `top` the highest: what is above `top` belongs
    to another window. `total` is what the API counted in the window when it was begun, `read` how many were read.

    A sweep is a window that shows only what was updated since a moment; `begun_at` is the moment up to which
    the mirror is in step once the sweep is done. Both by the server's clock, UTC, ISO 8601.
    """

    window_id: int
    id_above: int
    id_below: int | None = None
    cursor: int | None = None
    top: int | None = None
    total: int | None = None
    read: int = 0
    done: bool = False
    updated_since: str | None = None
    begun_at: str | None = None


@dataclass
class Page:
    """One page of results in its window: `window` as it was before, `after` as it is once all is stored.

    Observations that were asked for by their ids come on a page of no window. `served_at` is the server's time.
    `malformed` lists the records that could not be read, as (id or None, reason). `private`: it was asked for with
    a token, and shows the private coordinates that there are.
    """

    window: Window | None
    after: Window | None
    observations: list[Observation] = field(default_factory=list)
    malformed: list[tuple[int | None, str]] = field(default_factory=list)
    served_at: str | None = None
    private: bool = False
    stored: bool = False


@dataclass(frozen=True)
class Standing:
    """How far a mirror is in step with the API; times by the server's clock, UTC, ISO 8601.

    `synced_at`: all edits before it are in the mirror. `updated_to`: the latest `updated_at` that was seen, for
    the clock that answers may be ahead of the one that stamps records. `audited_at`: all ids were compared then.
    `asked`: how many observations the API counted at the last comparison. `reconciled`: the mirror was found to
    hold just those. `private_from`: what is stored with this id or a higher one was read with a token, and by no
    run without one since; 0: everything was, null: nothing.
    """

    synced_at: str | None = None
    updated_to: str | None = None
    audited_at: str | None = None
    asked: int | None = None
    reconciled: bool = False
    private_from: int | None = None


@dataclass
class Observation:
    """One observation: the flat columns of its record, its photos, and what this run made of it."""

    id: int = field(metadata={"doc": "iNaturalist's id of the observation.", "term": "dwc:catalogNumber"})
    uuid: str | None = _column("Its UUID.", "dwc:otherCatalogNumbers")
    uri: str | None = _column("Its page.", "dwc:occurrenceID")
    quality_grade: str | None = _column(
        "`casual`, `needs_id` or `research`.", "dwc:identificationVerificationStatus"
    )
    taxon_id: int | None = _column("Taxon that it stands under.", "dwc:taxonID")
    taxon_name: str | None = _column("Scientific name of the taxon.", "dwc:scientificName")
    taxon_rank: str | None = _column("Rank of the taxon.", "dwc:taxonRank")
    taxon_common_name: str | None = _column("Common name of the taxon, in English.", "dwc:vernacularName")
    iconic_taxon_name: str | None = _column("The big group it belongs to: Aves, Mollusca, ...", "dwc:kingdom")
    community_taxon_id: int | None = _column("Taxon that the identifiers agree on.")
    species_guess: str | None = _column(
        "Name as the observer wrote it. User-written text.", "dwc:verbatimIdentification"
    )
    observed_on: str | None = _column("Date of the observation, in its own time zone.", "dwc:eventDate")
    time_observed_at: str | None = _column(
        "Date and time of the observation with its offset, ISO 8601.", "dwc:eventDate"
    )
    created_at: str | None = _column("When it was uploaded, with its offset, ISO 8601.")
    updated_at: str | None = _column("When it was last edited, with its offset, ISO 8601.", "dcterms:modified")
    latitude: str | None = _column("Degrees north (WGS 84), digit for digit as served.", "dwc:decimalLatitude")
    longitude: str | None = _column("Degrees east (WGS 84), digit for digit as served.", "dwc:decimalLongitude")
    private_latitude: str | None = _private(
        "True degrees north, with `private=true` and where you may see them; never to be handed on."
    )
    private_longitude: str | None = _private("True degrees east, likewise.")
    positional_accuracy: int | None = _column("Accuracy that the observer gave, in meters.")
    public_positional_accuracy: int | None = _column(
        "Uncertainty of the served coordinates in meters, obscuration included.",
        "dwc:coordinateUncertaintyInMeters",
    )
    obscured: bool | None = _column(
        "True: the coordinates are a random point in a 0.2 x 0.2 degree cell.", "dwc:dataGeneralizations"
    )
    geoprivacy: str | None = _column(
        "Owner's choice: null, `open`, `obscured` or `private`.", "dwc:informationWithheld"
    )
    taxon_geoprivacy: str | None = _column("Same, set for threatened taxa.", "dwc:informationWithheld")
    place_guess: str | None = _column("Place as written. User-written text.", "dwc:verbatimLocality")
    captive: bool | None = _column("Captive or cultivated.", "dwc:degreeOfEstablishment")
    license_code: str | None = _column(
        "License of the observation; null or empty: all rights reserved.", "dcterms:license"
    )
    description: str | None = _column("Notes of the observer. User-written text.", "dwc:occurrenceRemarks")
    user_id: int | None = _column("Observer's id.", "dwc:recordedByID")
    user_login: str | None = _column("Observer's login.", "foaf:nick")
    user_name: str | None = _column("Observer's name, if given. User-written text.", "dwc:recordedBy")
    photos: list[Photo] = field(
        default_factory=list, metadata={"doc": "Its photos, first one first.", "nested": True}
    )
    change: Change | None = field(
        default=None,
        metadata={"doc": "Against the store before this run: `new`, `changed` or `unchanged`.", "nested": True},
    )
    record: bytes | None = field(default=None, repr=False, metadata={"internal": True})
    page: Page | None = field(default=None, repr=False, metadata={"internal": True})
    # Its photos wait for their turn however long that takes; others' leave that to the end of the crawl.
    patient: bool = field(default=False, repr=False, metadata={"internal": True})

    @property
    def observer(self) -> str | None:
        """The observer's name, else the login.

        >>> Observation(7, user_login="ana", user_name=" ").observer, Observation(7).observer
        ('ana', None)
        """
        return self.user_name if self.user_name and self.user_name.strip() else self.user_login

    def digest(self) -> str:
        """Digest of its public columns and its photos': it differs when one of them does."""
        values: list[Any] = [getattr(self, n) for n in public_names(Observation)]
        values += [[getattr(p, n) for n in column_names(Photo)] for p in self.photos]
        return hashlib.blake2b(json.dumps(values).encode(), digest_size=16).hexdigest()


@cache
def column_names(item_class: type) -> list[str]:
    """Names of the columns that the store keeps, in order.

    >>> column_names(Photo)[:3]
    ['id', 'position', 'url']
    """
    return [f.name for f in fields(item_class) if not f.metadata.keys() & {"nested", "internal"}]


@cache
def private_names(item_class: type) -> list[str]:
    """Names of the columns that only a token shows.

    >>> private_names(Observation)
    ['private_latitude', 'private_longitude']
    """
    return [f.name for f in fields(item_class) if "private" in f.metadata]


@cache
def public_names(item_class: type) -> list[str]:
    """Names of the other columns, in order."""
    return [name for name in column_names(item_class) if name not in private_names(item_class)]


def field_names(item_class: type) -> list[str]:
    """Names of the fields that feeds show, in order: the public columns and what is nested in the item.

    >>> field_names(Observation)[-2:]
    ['photos', 'change']
    """
    return [f.name for f in fields(item_class) if not f.metadata.keys() & {"internal", "private"}]
