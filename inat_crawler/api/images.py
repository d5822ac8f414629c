"""Is this body a whole image of the format that its address promises? Values in, values out.

`Image.open` and `verify` accept a truncated JPEG (measured), so every image is decoded, and the end of a JPEG
is looked for as well: a decoder may fill in what is missing at the very end.
"""

from __future__ import annotations

import io
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
# The service's originals are 2048 pixels on the longer side; twenty times that many is no photo but a bomb.
MAX_PIXELS = 20 * 2048 * 2048
Image.init()  # loads the plugins of all formats; `Image.open(formats=...)` needs them
_FORMATS = [name for name in EXTENSIONS if name in Image.OPEN]
_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"


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
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError("decompression bomb") from None
    except UnidentifiedImageError:
        raise PhotoError("not an image") from None
    # Pillow's decoders raise many kinds of errors on broken data, also these (see Pillow's fuzzers).
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError) as error:
        raise PhotoError(f"broken image: {error}"[:100]) from None


def _decode(image: Image.Image, body: bytes) -> None:
    if image.format in ("JPEG", "MPO"):
        # The last scan of the file must be closed; what camera makers append behind it does no harm.
        if body.rfind(_END_OF_IMAGE) < body.rfind(_START_OF_SCAN):
            raise PhotoError("truncated image")
        image.draft(image.mode, (1, 1))
        image.load()
        return
    if image.format == "PNG":
        with Image.open(io.BytesIO(body)) as again:
            again.verify()  # reads all chunks with their checksums, up to the last; load() stops at the pixels
    for frame in ImageSequence.Iterator(image):
        frame.load()
