"""What a file is, by its name and its first bytes: a picture, text, or something that cannot be read."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image

HEAD = 512  # bytes that tell what a file is

SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".avifs", ".heic", ".heif", ".jxl", ".gif"),
    *(".jp2", ".j2k", ".jpc", ".jpf", ".jpx", ".bmp", ".dib", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    *(".tga", ".ico", ".icns", ".dds", ".pcx", ".sgi", ".rgb", ".bw", ".qoi", ".psd", ".xbm", ".xpm", ".ras", ".fits"),
)
DRAWINGS = (".svg", ".eps", ".ps", ".ai")  # pictures that nothing here reads, though they are text
_TEXTS = (".txt", ".json", ".jsonl", ".csv", ".tsv", ".xml", ".md", ".html", ".yaml", ".yml")

# What Pillow hands to other programs, or has a name for without reading it.
_NEVER = {"EPS", "WMF", "MPEG", "BUFR", "GRIB", "HDF5"}
_SYSTEMS = {"thumbs.db", "desktop.ini", "dataset.json"}  # made by systems and tools; nobody misses them
_SYSTEMS_FOLDERS = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_TRAIN = ("train", "training")
_HELD_OUT = ("test", "testing", "val", "valid", "validation")
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")  # that text begins with


@cache
def formats() -> tuple[str, ...]:
    """Pillow's names of what is read as a picture."""
    Image.init()
    return tuple(name for name in Image.ID if name not in _NEVER)


def extra_format(head: bytes) -> tuple[str, str] | None:
    """A format that Pillow reads with another package, which is imported when first needed: its name and the package.

    None when `head` begins no such file.
    """
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "HEIC", "pillow_heif"
    if head[:2] == b"\xff\x0a" or head[:12] == b"\0\0\0\x0cJXL \r\n\x87\n":
        return "JPEG XL", "pillow_jxl"
    return None


def prepare(head: bytes) -> str:
    """Makes Pillow ready for a file that begins with `head`; what is missing for it, or ""."""
    extra = extra_format(head)
    if extra is None:
        return ""
    name, package = extra
    try:
        module = importlib.import_module(package)
    except ImportError:
        return f"is {name}, which takes a package: pip install 'ganzoo[pictures]'"
    if hasattr(module, "register_heif_opener"):
        module.register_heif_opener()
    formats.cache_clear()
    return ""


def is_hidden(name: str) -> bool:
    """Whether a file is hidden, or what a system leaves behind."""
    parts = name.split("/")
    left = any((part.startswith(".") and part != "..") or part in _SYSTEMS_FOLDERS for part in parts)
    return left or parts[-1].lower() in _SYSTEMS


def has_suffix(name: str, suffixes: Sequence[str]) -> bool:
    """Whether a file that is not hidden has one of these endings."""
    return not is_hidden(name) and Path(name).suffix.lower() in suffixes


def is_image(name: str) -> bool:
    """Whether a file is named as a picture is."""
    return has_suffix(name, SUFFIXES)


def is_text_name(name: str) -> bool:
    """Whether a file is named as text is."""
    return name.lower().endswith(_TEXTS)


def looks_like_picture(head: bytes) -> bool:
    """Whether a file of any name begins as a picture does."""
    if is_text(head) or len(head) < 16:  # which Pillow's own tests may take for granted
        return False
    if extra_format(head) is not None:
        return True
    accepts = (Image.OPEN[name][1] for name in formats())
    return any(accept is not None and accept(head[:16]) for accept in accepts)


def is_text(head: bytes) -> bool:
    if head.startswith(_MARKS):
        return True
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not just a letter that is cut in two
            return False
    return b"\0" not in head


def kind_of(name: str) -> str:
    """A file's kind in words, by its ending."""
    return Path(name).suffix.lower() or "without suffix"


def part_of(name: str) -> str:
    """ "train", "test" or "", by a folder's name, or a table's word."""
    return "train" if name.lower() in _TRAIN else "test" if name.lower() in _HELD_OUT else ""
