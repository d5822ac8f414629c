"""What passes as a whole image: every kind that is served, and no kind of damage."""

from __future__ import annotations

import io
import random

import pytest
from PIL import Image

from inat_crawler.api.images import MAX_PIXELS, Checked, check_image
from inat_crawler.errors import PhotoError


def image(kind: str, mode: str = "RGB", size: tuple[int, int] = (96, 64), **options: object) -> bytes:
    noise = random.Random(1).randbytes(size[0] * size[1] * 3)
    picture = Image.frombytes("RGB", size, noise).convert(mode)
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def frames(kind: str) -> bytes:
    first, second = (Image.new("RGB", (96, 64), color) for color in ("red", "blue"))
    out = io.BytesIO()
    first.save(out, kind, save_all=True, append_images=[second])
    return out.getvalue()


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return image("JPEG", exif=exif)


WHOLE = {
    "jpeg": (image("JPEG"), "jpg"),
    "progressive": (image("JPEG", progressive=True), "jpg"),
    "grayscale": (image("JPEG", "L"), "jpeg"),
    "cmyk": (image("JPEG", "CMYK"), "jpeg"),
    "exif": (with_exif(), "jpg"),
    "trailing bytes": (image("JPEG") + b"\0" * 40 + b"maker's notes", "jpg"),
    "motion photo": (image("JPEG") + random.Random(3).randbytes(3000) + b"\xff\xda\0\4xx", "jpg"),
    "mpo": (frames("MPO"), "jpg"),
    "png": (image("PNG"), "png"),
    "png palette": (image("PNG", "P"), "png"),
    "png alpha": (image("PNG", "RGBA"), "png"),
    "png 16 bit": (image("PNG", "I;16"), "png"),
    "gif": (image("GIF", "P"), "gif"),
    "gif animated": (frames("GIF"), "gif"),
    "webp": (image("WEBP"), "webp"),
    "tiff": (image("TIFF"), "tif"),
    "unknown extension": (image("JPEG"), "heic"),
    "no extension": (image("PNG"), ""),
}
FILE_EXTENSIONS = {"png": "png", "gif": "gif", "webp": "webp", "tif": "tiff", "": "png"}


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_images(kind: str) -> None:
    body, extension = WHOLE[kind]
    assert check_image(body, extension) == Checked(FILE_EXTENSIONS.get(extension, "jpg"), 96, 64)


@pytest.mark.parametrize(
    "kind", ["jpeg", "progressive", "cmyk", "exif", "mpo", "png", "png palette", "gif", "gif animated"]
)
def test_no_truncated_image_passes(kind: str) -> None:
    body, extension = WHOLE[kind]
    if kind == "mpo":  # the first picture is what counts: tools that make it smaller drop the second
        end_of_first = body.index(b"\xff\xd9") + 2
        assert check_image(body[:end_of_first], "jpg") == Checked("jpg", 96, 64)
        body = body[:end_of_first]
    cuts = some_cuts(body)
    for cut in sorted(cuts):
        with pytest.raises(PhotoError):
            check_image(body[:cut], extension)


def some_cuts(body: bytes) -> set[int]:
    return {*range(1, 40), *(len(body) * n // 50 for n in range(1, 50)), *range(len(body) - 40, len(body) - 2)}


def broken_checksum() -> bytes:
    body = bytearray(image("PNG"))
    body[len(body) // 2] ^= 0xFF
    return bytes(body)


def bomb(kind: str) -> bytes:
    """A small file that declares 30,000 x 30,000 pixels."""
    body = bytearray(image(kind, "P" if kind == "GIF" else "L", (8, 8)))
    side = 30_000
    if kind == "PNG":
        body[16:24] = side.to_bytes(4) * 2
        import zlib

        body[29:33] = zlib.crc32(body[12:29]).to_bytes(4)
    elif kind == "GIF":
        body[6:10] = side.to_bytes(2, "little") * 2
    else:
        start = body.index(b"\xff\xc0")
        body[start + 5 : start + 9] = side.to_bytes(2) * 2
    return bytes(body)


def scans(n: int) -> bytes:
    """A progressive JPEG that repeats its last scan, as decoders allow."""
    body = image("JPEG", progressive=True)
    last = body.rindex(b"\xff\xda")
    return body[:last] + body[last:-2] * n + b"\xff\xd9"


def many_frames(n: int) -> bytes:
    """A GIF of a few kB that decodes to n frames of 2000 x 2000 pixels."""
    out = io.BytesIO()
    pictures = [Image.new("L", (2000, 2000), shade % 256) for shade in range(n)]
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:])
    return out.getvalue()


BROKEN = [
    (b"", "jpg", "empty body"),
    (b"<html><body>Sorry</body></html>", "jpg", "not an image"),
    (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "png", "not an image"),
    (image("PNG"), "jpg", "PNG, not jpg"),
    (image("JPEG"), "gif", "JPEG, not gif"),
    (image("WEBP"), "jpeg", "WEBP, not jpeg"),
    (broken_checksum(), "png", "broken image: .*"),
    (bomb("PNG"), "png", "decompression bomb"),
    (bomb("GIF"), "gif", "decompression bomb"),
    (bomb("JPEG"), "jpg", "decompression bomb"),
    (scans(150), "jpg", "decompression bomb"),
    (many_frames(140), "gif", "decompression bomb"),
]


@pytest.mark.parametrize(("body", "extension", "reason"), BROKEN, ids=range(len(BROKEN)))
def test_broken_images(body: bytes, extension: str, reason: str) -> None:
    with pytest.raises(PhotoError, match=f"^{reason}$"):
        check_image(body, extension)


def test_random_damage_never_escapes_as_another_error() -> None:
    dice = random.Random(2)
    for body, extension in WHOLE.values():
        for _ in range(60):
            damaged = bytearray(body)
            for _ in range(dice.randrange(1, 30)):
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
            try:
                checked = check_image(bytes(damaged), extension)
            except PhotoError:
                continue
            assert checked.width * checked.height <= MAX_PIXELS
