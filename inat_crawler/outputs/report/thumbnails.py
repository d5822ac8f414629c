"""Photos as addresses that hold the photo itself, so that a page mailed alone still shows them."""

from __future__ import annotations

import io
from base64 import b64encode
from pathlib import Path

from PIL import Image, ImageOps

from inat_crawler.api.images import check_image
from inat_crawler.errors import PhotoError

MOST_BYTES = 20_000
PIXELS = 150  # twice what the page shows, for fine screens
# Extension that fits the bytes -> media type, of those that every browser shows.
_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}


def thumbnail(path: Path) -> str | None:
    """A `data:` address of the photo in this file: the bytes as they are if they are few, else a small JPEG.

    None when there is no such file, or no whole image in it.
    """
    try:
        body = path.read_bytes()
        media_type = _TYPES.get(check_image(body, "").extension)
        if media_type is None or len(body) > MOST_BYTES:
            media_type, body = "image/jpeg", small_jpeg(body)
    except (OSError, ValueError, PhotoError):
        return None
    return f"data:{media_type};base64,{b64encode(body).decode()}"


def small_jpeg(body: bytes) -> bytes:
    """A square JPEG of an image, its middle; without the metadata of the file."""
    with Image.open(io.BytesIO(body)) as image:
        image.draft("RGB", (2 * PIXELS, 2 * PIXELS))
        upright = ImageOps.exif_transpose(image).convert("RGB")
    target = io.BytesIO()
    ImageOps.fit(upright, (PIXELS, PIXELS)).save(target, "JPEG", quality=80)
    return target.getvalue()
