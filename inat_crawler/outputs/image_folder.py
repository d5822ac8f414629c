"""`imagefolder/`: the photos as Hugging Face's `imagefolder` wants them, split for training by observer.

Below `train`, `validation` and `test` lies a folder for each taxon with links to the photos, and `metadata.jsonl`.
All that an observer has photographed is in one split: the next photo of the same animal is often nearly the same.
Source of the form: https://huggingface.co/docs/datasets/image_dataset.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from inat_crawler.api.coordinates import cell, is_obscured, point
from inat_crawler.api.licenses import credit, license_url
from inat_crawler.api.photos import SIZES
from inat_crawler.items import Observation, Photo, PhotoFile
from inat_crawler.store import Store

# Split -> share of the observers.
SPLITS: Mapping[str, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}
SIZE, SEED = "medium", 0

Chosen = tuple[Observation, Photo, PhotoFile]
# Key of metadata.jsonl -> its value; `file_name` comes before them.
KEYS: Mapping[str, Callable[[Observation, Photo, PhotoFile], Any]] = {
    "observation_id": lambda o, p, f: o.id,
    "photo_id": lambda o, p, f: p.id,
    "taxon_id": lambda o, p, f: o.taxon_id,
    "taxon_name": lambda o, p, f: o.taxon_name,
    "taxon_rank": lambda o, p, f: o.taxon_rank,
    "iconic_taxon_name": lambda o, p, f: o.iconic_taxon_name,
    "quality_grade": lambda o, p, f: o.quality_grade,
    "observed_on": lambda o, p, f: o.observed_on,
    "latitude": lambda o, p, f: (point(o) or (None, None))[0],
    "longitude": lambda o, p, f: (point(o) or (None, None))[1],
    "public_positional_accuracy": lambda o, p, f: o.public_positional_accuracy,
    "obscured": lambda o, p, f: is_obscured(o),
    "cell": lambda o, p, f: (around := cell(o)) and [around.west, around.south, around.east, around.north],
    "observer_id": lambda o, p, f: o.user_id,
    "license_code": lambda o, p, f: p.license_code,
    "license_url": lambda o, p, f: license_url(p.license_code) or None,
    "attribution": lambda o, p, f: credit(p.attribution, p.license_code, o.observer),
    "size": lambda o, p, f: f.size,
    "sha256": lambda o, p, f: f.sha256,
}


def write_image_folder(store: Store, path: Path, size: str = SIZE, seed: int = SEED) -> int:
    """Make the folder beside and rename it to `path`, which is two below the output. Returns how many photos.

    A photo is there once, in this size or the one that comes nearest; observations without a taxon are left out.
    """
    partial = path.with_name(f".partial.{path.name}")
    _remove(partial)
    try:
        count = _fill(partial, _chosen(store, size), splits_of(store.whole.observers(), seed))
        _swap(partial, path)
    finally:
        _remove(partial)
    return count


def _fill(folder: Path, chosen: Iterator[Chosen], splits: Mapping[int | None, str]) -> int:
    """Make links and metadata. A taxon that was renamed has one folder, under its name in the newest record."""
    count, images, folders = 0, _images(folder), dict[int | None, str]()
    with ExitStack() as stack:
        metadata = {split: stack.enter_context(_metadata(folder / split)) for split in SPLITS}
        for observation, photo, file in chosen:
            split = splits[observation.user_id]
            folders.setdefault(observation.taxon_id, taxon_folder(observation))
            name = f"{folders[observation.taxon_id]}/{file.path}"
            link = folder / split / name
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(images / str(file.path))
            values = {key: value(observation, photo, file) for key, value in KEYS.items()}
            metadata[split].write(orjson.dumps({"file_name": name, **values}) + b"\n")
            count += 1
    for split in SPLITS:  # an empty one is an error to whoever loads it
        if not (folder / split / "metadata.jsonl").stat().st_size:
            shutil.rmtree(folder / split)
    return count


def _images(folder: Path) -> Path:
    """Where the photos lie, seen from the folder of a taxon: the links stay right when the mirror moves."""
    output = folder.parent.parent
    return Path(os.path.relpath((output / "images").resolve(), folder.resolve() / "split" / "taxon"))


def _metadata(folder: Path) -> BinaryIO:
    folder.mkdir(parents=True)
    return (folder / "metadata.jsonl").open("wb")


def _chosen(store: Store, size: str) -> Iterator[Chosen]:
    """One file of each photo, once: what two observers both show must not be in two splits."""
    seen_twice, same_bytes = store.whole.seen_twice(), store.whole.same_bytes()
    for observation in store.whole.each():
        for photo in observation.photos:
            file = nearest(photo.files, size)
            if file is None or observation.taxon_id is None:
                continue
            others = [seen_twice.get(photo.id), *(same_bytes.get(str(each.sha256)) for each in photo.files)]
            if all(first in (None, observation.id) for first in others):
                yield observation, photo, file


def nearest(files: Sequence[PhotoFile], size: str) -> PhotoFile | None:
    """The file in this size, else the next larger, else the next smaller; None if there is none.

    >>> files = [PhotoFile(size, "", "downloaded") for size in ("square", "thumb", "original")]
    >>> [found.size for size in ("thumb", "medium") if (found := nearest(files, size))]
    ['thumb', 'original']
    """
    order = list(SIZES)
    wanted = order.index(size)
    by_size = {order.index(file.size): file for file in files}
    ranks = sorted(by_size, key=lambda rank: (rank < wanted, abs(rank - wanted)))
    return by_size[ranks[0]] if ranks else None


def splits_of(observers: Iterable[int | None], seed: int) -> dict[int | None, str]:
    """The split that all of an observer's photos are in, by the observer's id.

    It follows from id and seed alone, so that it stays while the mirror grows; but where three observers or more
    leave a split empty, whoever comes nearest to it fills it.

    >>> splits_of([1, 2, 3], 0)
    {1: 'validation', 2: 'train', 3: 'test'}
    """
    places = {observer: place(observer, seed) for observer in observers}
    splits = {observer: split_at(where) for observer, where in places.items()}
    empty = [split for split in SPLITS if split not in splits.values()]
    for split in empty if len(splits) >= len(SPLITS) else []:
        many = Counter(splits.values())
        spare = (observer for observer in splits if many[splits[observer]] > 1)
        splits[min(spare, key=lambda observer: abs(places[observer] - middle(split)))] = split
    return splits


def place(observer: int | None, seed: int) -> float:
    """A number from 0 to 1 that looks like chance."""
    digest = hashlib.sha256(f"{seed}/{observer}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def split_at(where: float) -> str:
    """The split at a place between 0 and 1.

    >>> [split_at(where) for where in (0.0, 0.79, 0.81, 0.91, 0.9999)]
    ['train', 'train', 'validation', 'test', 'test']
    """
    end = 0.0
    for split, share in SPLITS.items():
        end += share
        if where < end:
            return split
    return split


def middle(split: str) -> float:
    """The middle of a split's range between 0 and 1."""
    before = takewhile(lambda other: other != split, SPLITS)
    return sum(SPLITS[other] for other in before) + SPLITS[split] / 2


def taxon_folder(observation: Observation) -> str:
    """Name of the folder of its taxon: the id, and what of the name is safe in a path.

    >>> taxon_folder(Observation(1, taxon_id=47459, taxon_name="Octopus vulgaris/../x"))
    '47459_Octopus_vulgaris_x'
    """
    name = re.sub("[^A-Za-z0-9-]+", "_", observation.taxon_name or "").strip("_")[:80]
    return f"{observation.taxon_id}_{name}".rstrip("_")


def _swap(partial: Path, path: Path) -> None:
    """Give the new folder the name of the old one. A process killed in between leaves none: it is made again."""
    old = path.with_name(f".partial.old.{path.name}")
    _remove(old)
    if path.is_symlink() or path.exists():
        path.rename(old)
    partial.rename(path)
    _remove(old)


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
