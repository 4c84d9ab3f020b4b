"""Files are written whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import explained, replaced, written


def test_what_was_written_takes_the_place(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("old")
    with replaced(path) as part:
        part.write_text("new")
        assert (part.parent, part.suffix, path.read_text()) == (tmp_path, ".png", "old")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize("failing", ["writing", "os.fsync", "os.replace"])
def test_what_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.json"
    path.write_text("old")
    if failing != "writing":
        monkeypatch.setattr(failing, fail)

    def write() -> None:
        with replaced(path) as part:
            part.write_text("half")
            if failing == "writing":
                fail()

    with pytest.raises(OSError, match="No space"):
        write()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_the_umask_is_kept(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with replaced(tmp_path / "a") as part:
            part.write_text("new")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_what_a_user_asked_for_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.txt"
    with written(file) as part:
        part.write_text("one")
        assert not file.exists()
    assert file.read_text() == "one"

    def fail() -> None:
        with written(file) as part:
            part.write_text("two")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [(path.name, path.read_text()) for path in file.parent.iterdir()] == [("a.txt", "one")]
    with pytest.raises(GanzooError, match=r"b\.txt cannot be written \(.*\); choose another -o\.$"):
        written(file / "b.txt").__enter__()


@pytest.mark.parametrize("kind", [GanzooError, UsageError])
def test_what_cannot_be_written_is_said_in_one_sentence(kind: type[GanzooError]) -> None:
    with pytest.raises(kind) as error, explained("there", "make room", kind):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert type(error.value) is kind
    assert str(error.value) == "there cannot be written (No space left on device); make room."
