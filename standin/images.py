"""The bytes of every photo: real JPEG, PNG and GIF files, each unlike every other, at the price of a few.

A handful of base images per dimensions and format is encoded once; a comment inside the file then makes each
photo, size and version unique without encoding it again.
"""

from __future__ import annotations

import io
import random
import struct
import zlib
from functools import lru_cache
from typing import Literal

from PIL import Image

from standin.photos import SIZES, Photo, fit

Format = Literal["JPEG", "PNG", "GIF", "MPO"]

VARIANTS = 2
# Share of noise in a JPEG: a medium file then has about 55 kB, an original 0.8 MB.
GRAIN = 0.14
MIME = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "GIF": "image/gif"}
# The bytes after an end marker that some cameras leave, for the photo of kind "trailing".
TRAILER = b"\x00" * 61 + b"SEFT trailing camera data"


def photo_bytes(photo: Photo, size: str, seed: int) -> bytes:
    """The whole file of one size; the same arguments give the same bytes in every process."""
    base = base_image(*dimensions(photo, size), format_of(photo, size), photo.id % VARIANTS)
    note = f"photo {photo.id} {size} {seed} {photo.version or 0}".encode()
    content = MARKERS[format_of(photo, size)](base, note)
    return content + TRAILER if photo.kind == "trailing" else content


def dimensions(photo: Photo, size: str) -> tuple[int, int]:
    if size == "square":
        return SIZES[size], SIZES[size]
    return fit(photo.width, photo.height, SIZES[size] or max(photo.width, photo.height))


def format_of(photo: Photo, size: str) -> Format:
    """By extension; an empty one is a JPEG, as at the real host."""
    extension = photo.extension.lower()
    if extension in ("png", "gif"):
        return "PNG" if extension == "png" else "GIF"
    return "MPO" if photo.kind == "mpo" and size == "original" else "JPEG"


def mime_of(photo: Photo, size: str) -> str:
    return MIME[format_of(photo, size)]


@lru_cache(maxsize=256)
def base_image(width: int, height: int, kind: Format, variant: int) -> bytes:
    grain = 0.0 if kind in ("PNG", "GIF") else GRAIN
    picture = _picture(width, height, variant, grain)
    out = io.BytesIO()
    if kind == "MPO":
        second = _picture(width // 2 or 1, height // 2 or 1, variant, grain)
        picture.save(out, "MPO", quality=85, save_all=True, append_images=[second])
    elif kind == "GIF":
        picture.quantize(64).save(out, "GIF")
    else:
        picture.save(out, kind, quality=85 if max(width, height) <= SIZES["large"] else 78)
    return out.getvalue()


def _picture(width: int, height: int, variant: int, grain: float) -> Image.Image:
    """Soft color fields, with noise over them: noise is what gives a JPEG the size of a real photo."""
    ramp = Image.linear_gradient("L").resize((width, height))
    ring = Image.radial_gradient("L").resize((width, height))
    turned = ramp.transpose(Image.Transpose.ROTATE_180)
    picture = Image.merge("RGB", (ramp, ring, turned) if variant else (ring, turned, ramp))
    if not grain:
        return picture
    static = random.Random(f"{width}x{height}/{variant}").randbytes(width * height)
    noise = Image.frombytes("L", (width, height), static)
    return Image.blend(picture, Image.merge("RGB", (noise, noise, noise)), grain)


def mark_jpeg(content: bytes, note: bytes) -> bytes:
    """A comment segment right after the start marker."""
    return content[:2] + b"\xff\xfe" + struct.pack(">H", len(note) + 2) + note + content[2:]


def mark_png(content: bytes, note: bytes) -> bytes:
    """A text chunk right after the header chunk, which always ends at byte 33."""
    chunk = b"tEXt" + b"Comment\0" + note
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return content[:33] + framed + content[33:]


def mark_gif(content: bytes, note: bytes) -> bytes:
    """A comment extension after the global color table, if there is one; it needs version 89a."""
    flags = content[10]
    table = 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
    comment = b"!\xfe" + bytes([len(note)]) + note + b"\0"
    return b"GIF89a" + content[6 : 13 + table] + comment + content[13 + table :]


MARKERS = {"JPEG": mark_jpeg, "MPO": mark_jpeg, "PNG": mark_png, "GIF": mark_gif}
