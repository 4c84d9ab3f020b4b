"""Folders, zip and tar files: named bytes, read in place. No archive member is ever written out under its own name."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import os
import posixpath
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from ganzoo.data.images import Unreadable
from ganzoo.data.kinds import HEAD, is_text_name
from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import home, make_folder, megabytes, replaced, write_json

MAX_FILE_BYTES = 1 << 29  # a larger single file is no training image
_SUSPECT_BYTES, _SUSPECT_RATIO = 1 << 24, 200  # a larger file of an archive that is packed so well is no picture
_BLOCK = 1 << 20  # bytes
_UTF8 = 0x800  # a flag of a member of a zip, whose name is in it
_MANY = 1000  # members whose list is worth keeping
# What Python's own readers raise on damaged archives, and on those that are made to look so.
DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError),
    *(NotImplementedError, OverflowError, MemoryError, IndexError, KeyError, AttributeError, TypeError, struct.error),
)


class Container:
    """Files by name ("/" between folders), sorted.

    Attributes:
        folders: those that are written down by themselves.
        lost: what has a name and is no file: a link to nothing or to itself, a folder that may not be looked into.
    """

    names: Sequence[str]
    folders: Sequence[str] = ()
    lost: dict[str, str]

    def read(self, name: str) -> bytes:
        """The file's bytes. Raises: Unreadable when it cannot be read."""
        try:
            if self._size(name) > MAX_FILE_BYTES:
                raise Unreadable("is larger than 512 MB")
            return self._bytes(name, None)
        except OSError as error:
            raise Unreadable(f"cannot be read ({error.strerror})") from error

    def head(self, name: str) -> bytes:
        """The file's first bytes, up to `HEAD`; none when it cannot be read."""
        try:
            return self._bytes(name, HEAD)
        except (OSError, Unreadable):
            return b""

    def signature(self) -> str:
        """Changes when the contents do, as far as sizes and times tell; found without reading the files."""
        raise NotImplementedError

    def _size(self, name: str) -> int:
        raise NotImplementedError

    def _bytes(self, name: str, most: int | None) -> bytes:
        """The first bytes of a file, or all."""
        raise NotImplementedError


def read_blocks(file: IO[bytes], count: int) -> bytearray:
    """At most `count` bytes; memory is taken as they come, whatever was claimed, and unpacked no further."""
    data = bytearray()
    while len(data) < count and (block := file.read(min(_BLOCK, count - len(data)))):
        data += block
    return data


def file_signature(*paths: Path) -> str:
    """Sizes and times of `paths`, hashed."""
    stats = [path.stat() for path in paths]
    text = "\n".join(f"{stat.st_size} {stat.st_mtime_ns}" for stat in stats)
    return hashlib.sha256(text.encode()).hexdigest()


class Folder(Container):
    """Links to folders are followed, but not in circles."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stats: dict[str, str] = {}
        self.lost: dict[str, str] = {}
        self.folders: list[str] = []
        self._walk()
        self.names = sorted(self._stats)

    def _walk(self) -> None:
        pending, seen = [""], {os.path.realpath(self._path)}
        while pending:
            folder = pending.pop()
            try:
                entries = list(os.scandir(self._path / folder))
            except OSError as error:
                if not folder:
                    raise GanzooError(f"Cannot read the folder {self._path}: {error.strerror}.") from error
                self.lost[folder] = f"cannot be looked into ({error.strerror})"
                continue
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                try:
                    if entry.is_dir():
                        real = os.path.realpath(entry.path) if entry.is_symlink() else ""
                        above = f"{real.rstrip(os.sep)}{os.sep}"
                        if real and any(f"{known}{os.sep}".startswith(above) for known in seen):
                            continue  # a link to where we are already, or above it, would never end
                        seen.update([real] if real else [])
                        pending.append(name)
                        self.folders.append(name)
                        continue
                    stat = entry.stat()
                except OSError as error:
                    self.lost[name] = f"leads nowhere ({error.strerror})"
                    continue
                if entry.is_file():
                    self._stats[name] = f"{stat.st_size} {stat.st_mtime_ns}"
                else:
                    self.lost[name] = "is neither a file nor a folder"

    def _size(self, name: str) -> int:
        return (self._path / name).stat().st_size

    def _bytes(self, name: str, most: int | None) -> bytes:
        with (self._path / name).open("rb") as file:
            return file.read(most)

    def signature(self) -> str:
        digest = hashlib.sha256()
        for name in self.names:
            digest.update(f"{name}\0{self._stats[name]}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()


class Zip(Container):
    """A zip file.

    Args:
        encoding: of names that do not say theirs; "" for UTF-8 where all could be that, else the format's own.

    Attributes:
        unsure: one of the names that are read by the format's own encoding, in which few programs write; "" of none.
    """

    def __init__(self, path: Path, encoding: str = "") -> None:
        self._path = path
        self.lost: dict[str, str] = {}
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, *DAMAGE) as error:
            raise GanzooError(f"Cannot open {path} as a zip file ({error}); it may be damaged or cut short.") from error
        self.unsure = self._decode_names(encoding)
        windows = not any("/" in member.filename for member in self._zip.infolist())
        for member in self._zip.infolist():  # some programs of Windows write their own mark between folders
            name = member.filename.replace("\\", "/") if windows else member.filename
            member.filename = _plain(name) + "/" * name.endswith("/")
        files = [member for member in self._zip.infolist() if not member.is_dir()]
        self._members = {member.filename: member for member in files}
        self.names = sorted(self._members)
        twins = [(each, self._members[each.filename]) for each in files]  # with the last of its name
        same = ((one.filename, (one.CRC, one.file_size) == (last.CRC, last.file_size)) for one, last in twins)
        self.lost |= _overwritten(same)
        self.folders = [member.filename.rstrip("/") for member in self._zip.infolist() if member.is_dir()]

    def _decode_names(self, encoding: str) -> str:
        silent = [each for each in self._zip.infolist() if not each.flag_bits & _UTF8 and not each.filename.isascii()]
        try:
            for member, name in [(each, each.filename.encode("cp437").decode(encoding or "utf-8")) for each in silent]:
                member.filename = name
        except UnicodeDecodeError as error:
            if encoding:
                raise UsageError(f"The names in {self._path} are not in {encoding} ({error.reason}).") from error
            return silent[0].filename
        return ""

    def _size(self, name: str) -> int:
        member = self._members[name]
        large = _SUSPECT_BYTES < member.file_size <= MAX_FILE_BYTES
        if large and member.file_size > _SUSPECT_RATIO * member.compress_size:
            raise Unreadable(f"unpacks to {megabytes(member.file_size)}, too much for its size to be a picture")
        if member.flag_bits & 1:
            raise Unreadable("is encrypted")
        return member.file_size

    def _bytes(self, name: str, most: int | None) -> bytes:
        member = self._members[name]
        try:
            with self._zip.open(member) as file:
                data = read_blocks(file, min(most or member.file_size, member.file_size))
                if most is None:
                    file.read(1)  # which compares the checksum, and finds what is beyond the stated size
                return bytes(data)
        except (OSError, *DAMAGE) as error:
            raise Unreadable(f"cannot be read from the zip file ({error})") from error

    def signature(self) -> str:
        return file_signature(self._path)


class Members(Container):
    """Files that lie whole within others: name -> where, from which byte on, and how many."""

    _places: Mapping[str, tuple[Path, int, int]]

    def _size(self, name: str) -> int:
        return self._places[name][2]

    def _bytes(self, name: str, most: int | None) -> bytes:
        path, offset, size = self._places[name]
        wanted = size if most is None else min(size, most)
        with path.open("rb") as file:  # opened for each: there may be more shards than files that may be open
            file.seek(offset)
            data = file.read(wanted)
        if len(data) < wanted:
            raise Unreadable("is cut short")
        return data


class Tar(Members):
    """A tar file; a compressed one is first copied, uncompressed but whole, into ganzoo's downloads.

    Args:
        most: bytes that the copy may have.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._path = path
        plain, places, self.folders, self.lost = tar_members(path, most)
        self._places = {name: (plain, *place) for name, place in places.items()}
        self.names = sorted(places)

    def signature(self) -> str:
        return file_signature(self._path)


def _plain(name: str) -> str:
    """A member's name without what some programs write between and before folders: /a//b and ./a/b."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _same_place(file: IO[bytes], one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two pieces of a file, (offset, size), hold the same bytes."""
    if one == other or one[1] != other[1] or one[1] > MAX_FILE_BYTES:
        return one == other
    file.seek(one[0])
    data = file.read(one[1])
    file.seek(other[0])
    return data == file.read(other[1])


def _overwritten(files: Iterable[tuple[str, bool]]) -> dict[str, str]:
    """Files that unpacking would overwrite with a later one of the same name, as `Container.lost` has them.

    Args:
        files: name, and whether it has the bytes of the last one of that name.
    """
    earlier = Counter(name for name, same in files if not same and not is_text_name(name))
    return {
        f"{name} ({number})": "has the name of a later file in the archive, which is read in its place"
        for name, count in earlier.items() for number in range(1, count + 1)
    }  # fmt: skip


def unpacker(start: bytes) -> Callable[[Path], IO[bytes]] | None:
    """What opens a compressed file that begins so; None where it is not compressed."""
    openers: Mapping[bytes, Any] = {
        b"\x1f\x8b": gzip.GzipFile, b"BZh": bz2.BZ2File, b"\xfd7zXZ\0": lzma.LZMAFile
    }  # fmt: skip
    return next((opener for mark, opener in openers.items() if start.startswith(mark)), None)


def tar_members(path: Path, most: int) -> tuple[Path, dict[str, tuple[int, int]], list[str], dict[str, str]]:
    """What a tar holds, read once and kept among the downloads. A link in it is the file that it leads to.

    Returns: the uncompressed file, name -> (offset, size) of each file in it, its folders, and what is lost.
    Raises: GanzooError for what is no tar; UsageError when it unpacks to more than `most` bytes.
    """
    try:
        plain = _uncompressed(path, most)
        kept = members_file(path)
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            listing = json.loads(kept.read_bytes())
            return (
                plain,
                {name: (int(offset), int(size)) for name, (offset, size) in listing["files"].items()},
                listing["folders"],
                listing["lost"],
            )
        with tarfile.open(plain, "r:") as tar:
            every = tar.getmembers()
        names = [_plain(member.name) for member in every]
        files = [
            (name, (member.offset_data, member.size))
            for name, member in zip(names, every, strict=True)
            if member.isreg() and not member.issparse()
        ]
        places = dict(files)
        with plain.open("rb") as bytes_of:
            lost = _overwritten((name, _same_place(bytes_of, place, places[name])) for name, place in files)
    except (OSError, *DAMAGE) as error:
        raise GanzooError(f"Cannot open {path} as a tar file ({error}); it may be damaged or cut short.") from error
    for name, member in zip(names, every, strict=True):
        if (member.islnk() or member.issym()) and name not in places:
            target = member.linkname if member.islnk() else posixpath.join(posixpath.dirname(name), member.linkname)
            target = posixpath.normpath(target)
            if _plain(target) in places:
                places[name] = places[_plain(target)]
            elif not target.startswith(("/", "..")):  # those are somebody's try to have other files read
                lost[name] = "is a link to nothing in the archive"
        elif member.issparse():
            lost[name] = "is stored with holes, which is not read"
    folders = [name for name, member in zip(names, every, strict=True) if member.isdir()]
    if len(every) >= _MANY:
        write_json(kept, {"files": places, "folders": folders, "lost": lost})
    return plain, places, folders, lost


def members_file(path: Path) -> Path:
    """Where the list of a tar's members is kept, or would be."""
    return plain_copy(path).with_suffix(".members.json")


def plain_copy(path: Path) -> Path:
    """Where the uncompressed copy of a compressed tar is, or would be."""
    key = hashlib.sha256(f"{path}\0{file_signature(path)}".encode()).hexdigest()[:16]
    return home() / "downloads" / f"{key}.tar"


def _uncompressed(path: Path, most: int) -> Path:
    """`path` itself when it is a plain tar, else an uncompressed copy of it, made when there is none.

    Raises:
        UsageError: it would have more than `most` bytes; nothing of it is left then.
    """
    with path.open("rb") as file:
        compressed = unpacker(file.read(6))
    if compressed is None:
        return path
    plain = plain_copy(path)
    make_folder(plain.parent)
    if not plain.exists():
        with replaced(plain, flush=False) as part, compressed(path) as packed, part.open("wb") as copy:
            while block := packed.read(_BLOCK):
                copy.write(block)
                if copy.tell() > most:
                    raise UsageError(
                        f"{path} unpacks to more than {megabytes(most)}, far more than its own "
                        f"{megabytes(path.stat().st_size)}; if that is meant, type --max-unpacked {10 * most}."
                    )
    return plain
