"""Small copies of the quick-look pictures that are part of the page."""

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WIDTH: Final = 360
QUALITY: Final = 72
BUDGET: Final = 3_000_000  # bytes of all small copies together
LARGEST: Final = 60_000_000  # pixels of a picture that is opened


@dataclass(frozen=True)
class Thumbnail:
    """A small copy of a picture.

    Attributes
    ----------
    data : str
        A data: address, or nothing for a picture that is linked only.
    width, height : int
    picture : Path
    name, what : str
        Of the product, and what kind of product it is.
    """

    data: str
    width: int
    height: int
    picture: Path
    name: str
    what: str


def thumbnails_of(pictures: Iterable[tuple[Path, str, str]]) -> list[Thumbnail]:
    """Return small copies of pictures (path, name, what), the first ones until they are too many.

    What cannot be read as a picture is linked only.
    """
    left = BUDGET
    found = []
    for path, name, what in pictures:
        data, size = small(path) if left > 0 else (b"", (0, 0))
        left -= len(data) * 4 // 3
        address = f"data:image/webp;base64,{base64.b64encode(data).decode()}" if data else ""
        found.append(Thumbnail(address, *size, path, name, what))
    return found


def small(path: Path) -> tuple[bytes, tuple[int, int]]:
    """Return a small copy of a PNG file as WebP and its size; nothing if it is no picture."""
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as picture:
            if picture.width * picture.height > LARGEST:
                return b"", (0, 0)
            copy = picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return b"", (0, 0)
    height = max(1, round(copy.height * WIDTH / copy.width))
    copy = copy.resize((WIDTH, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    copy.save(buffer, format="webp", quality=QUALITY, method=4)
    return buffer.getvalue(), (WIDTH, height)


def order(
    pictures: Sequence[tuple[Path, str, str]], first: Sequence[str]
) -> list[tuple[Path, str, str]]:
    """Return pictures with those of some kinds first."""
    place = {what: number for number, what in enumerate(first)}
    return sorted(pictures, key=lambda item: (place.get(item[2], len(place)), item[0].name))
