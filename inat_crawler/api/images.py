"""Is this body a whole image of the format that its address promises? Values in, values out.

`Image.open` and `verify` accept a truncated JPEG (measured), so every image is decoded, and the mark that ends the
file is looked for as well: a decoder may fill in what is missing at the very end.
"""

from __future__ import annotations

import io
import re
from typing import NamedTuple

from PIL import Image, ImageSequence, UnidentifiedImageError

from inat_crawler.errors import PhotoError

# Format found -> extension of the file. MPO is a JPEG with further pictures inside, as many phones write it.
EXTENSIONS = {
    "JPEG": "jpg",
    "MPO": "jpg",
    "PNG": "png",
    "GIF": "gif",
    "WEBP": "webp",
    "BMP": "bmp",
    "TIFF": "tiff",
}
_EXPECTED = {
    "jpg": {"JPEG", "MPO"},
    "jpeg": {"JPEG", "MPO"},
    "png": {"PNG"},
    "gif": {"GIF"},
    "webp": {"WEBP"},
    "bmp": {"BMP"},
    "tif": {"TIFF"},
    "tiff": {"TIFF"},
}
# The service's originals are at most 2048 pixels on the longer side. What has many times as many, or decodes for
# minutes, is no photo but a bomb; real progressive JPEGs have about ten scans.
MAX_PIXELS = 16 * 2048 * 2048
MAX_PIXELS_OF_ALL_FRAMES = 8 * MAX_PIXELS
MAX_SCANS = 100

Image.init()  # loads the plugins of all formats; `Image.open(formats=...)` needs them
_FORMATS = [name for name in EXTENSIONS if name in Image.OPEN]
# JPEG: a marker that begins a segment or ends the image; in a scan's data 0xFF is followed by 0 or a restart.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_LAST_CHUNK = b"\0\0\0\0IEND\xaeB`\x82"  # PNG
_EXTENSION, _TRAILER = 0x21, 0x3B  # GIF


class Checked(NamedTuple):
    """A whole image: its extension as a file, and its size in pixels."""

    extension: str
    width: int
    height: int


def check_image(body: bytes, extension: str) -> Checked:
    """Check that `body` is a whole image of the format that `extension` promises (any, if it is empty).

    Raises PhotoError with the reason in a few words.
    """
    if not body:
        raise PhotoError("empty body")
    try:
        with Image.open(io.BytesIO(body), formats=_FORMATS) as image:
            found = image.format or ""
            if found not in _EXPECTED.get(extension, EXTENSIONS):
                raise PhotoError(f"{found}, not {extension}")
            if image.width * image.height > MAX_PIXELS:
                raise PhotoError("decompression bomb")
            checked = Checked(EXTENSIONS[found], image.width, image.height)
            _decode(image, body)  # may change the image's size: it is drafted small
            return checked
    except PhotoError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError("decompression bomb") from None
    except UnidentifiedImageError:
        raise PhotoError("not an image") from None
    except Exception as error:  # broken data makes Pillow's decoders raise errors of any kind
        raise PhotoError(f"broken image: {error}"[:100]) from None


def _decode(image: Image.Image, body: bytes) -> None:
    """Decode all of it: pixels, checksums, every frame, and the mark that ends the file."""
    if image.format in ("JPEG", "MPO"):
        _require(_jpeg_is_closed(body))
        image.draft(image.mode, (1, 1))
        image.load()
        return
    if image.format == "PNG":
        _require(_LAST_CHUNK in body)
        with Image.open(io.BytesIO(body)) as again:
            again.verify()  # reads all chunks with their checksums; load() stops at the pixels
    elif image.format == "GIF":
        _require(_gif_is_closed(body))
    for number, frame in enumerate(ImageSequence.Iterator(image), 1):
        if number * frame.width * frame.height > MAX_PIXELS_OF_ALL_FRAMES:
            raise PhotoError("decompression bomb")
        frame.load()


def _require(whole: bool) -> None:
    if not whole:
        raise PhotoError("truncated image")


def _jpeg_is_closed(body: bytes) -> bool:
    """Do the segments of a JPEG lead to its end-of-image marker? What stands behind it does no harm.

    That is the end of the first picture: tools that make an MPO smaller drop the others, not their directory.
    Source: ITU-T T.81, B.1.
    """
    position, scans = 2, 0
    while match := _JPEG_MARKER.search(body, position):
        marker, position = body[match.end() - 1], match.end()
        if marker == _END_OF_IMAGE:
            return True
        scans += marker == _START_OF_SCAN
        if scans > MAX_SCANS:
            raise PhotoError("decompression bomb")
        position += int.from_bytes(body[position : position + 2])
    return False


def _gif_is_closed(body: bytes) -> bool:
    """Do the blocks of a GIF lead to its trailer? Decoders take the end of the file for the end of the frames.

    Source: GIF89a specification; sizes in bytes.
    """
    position = 13 + _color_table(body[10])
    while position < len(body) and body[position] != _TRAILER:
        if body[position] == _EXTENSION:
            position += 2
        else:  # an image descriptor, its color table, and the code size
            position += 11 + (_color_table(body[position + 9]) if position + 9 < len(body) else 0)
        while position < len(body) and body[position]:
            position += 1 + body[position]
        position += 1
    return position < len(body)


def _color_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
