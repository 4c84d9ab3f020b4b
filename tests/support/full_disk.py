"""Every command that writes, on a file system that is full or fills while it runs: `PYTHONPATH=tests python -m
support.full_disk [COMMAND…]`, as root on Linux, where it mounts a small tmpfs of its own.

Each must end with one sentence that names the cause, and do its work once there is room. docs/reliability.md has what
was seen.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from support.command_line import cli

SIZE = "160m"
ROOM = (0, 4_096, 40_000, 400_000)  # bytes that are left


@contextlib.contextmanager
def disk() -> Iterator[Path]:
    """A file system of `SIZE`."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path, room: int) -> Path:
    """A file that leaves so many bytes."""
    filling = folder / "filling"
    state = os.statvfs(folder)
    with filling.open("wb") as file:
        file.write(bytes(max(0, state.f_bavail * state.f_frsize - room)))
    return filling


def pictures(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    draw = np.random.default_rng(0)
    for number in range(80):
        Image.fromarray(draw.integers(0, 256, (32, 32, 3), np.uint8)).save(folder / f"{number}.png")


COMMANDS = {
    "train": ("train", "gan", "pics", "--steps", "12", "--checkpoint-every", "4", "--samples", "16", "--out", "D/run",
              "--continue", "--device", "cpu", "--evaluate-every", "256", "--evaluate", "swd", "--log", "tensorboard"),
    "data add and pack": ("train", "gan", "H/pics2", "--steps", "2", "--out", "E/other", "--device", "cpu",
                          "--continue"),
    "sample a sheet": ("sample", "E/run", "-o", "D/sheet.png"),
    "sample a folder": ("sample", "E/run", "-n", "200", "-o", "D/many/"),
    "evaluate": ("evaluate", "D/kept", "--metric", "swd"),
    "extend": ("extend", "D/kept", "--steps", "4"),
    "interpolate": ("interpolate", "E/run", "-o", "D/walk.gif"),
    "export": ("export", "E/run", "-o", "D/model.pt2"),
    "compare --plot": ("compare", "E/run", "--plot", "D/plot.png"),
    "project": ("project", "E/run", "E/pics/0.png", "--steps", "2", "-o", "D/near.png"),
}  # fmt: skip


def main() -> int:
    wrong = 0
    with tempfile.TemporaryDirectory() as elsewhere:
        there = Path(elsewhere)
        os.environ["GANZOO_HOME"] = str(there / "home")
        pictures(there / "pics")
        assert cli("data", "add", "pics", there / "pics").exit_code == 0
        train = ("train", "gan", "pics", "--steps", "4", "--samples", "16", "--device", "cpu", "--out")
        assert cli(*train, there / "run").exit_code == 0
        for name, words in ((name, words) for name, words in COMMANDS.items() if name in (sys.argv[1:] or COMMANDS)):
            for room in ROOM:
                shutil.rmtree(there / "other", ignore_errors=True)
                with disk() as full:
                    assert cli("runs", there).exit_code == 0
                    if "D/kept" in words:
                        assert cli(*train, full / "kept").exit_code == 0
                    if "H/pics2" in words:  # the home itself is on the disk
                        os.environ["GANZOO_HOME"] = str(full / "home")
                        assert cli("data", "add", "pics2", there / "pics").exit_code == 0
                    filling = fill(full, room)
                    places = {"D": full, "E": there}
                    typed = [
                        "pics2" if word == "H/pics2"
                        else str(places[word[0]] / word[2:]) if word[:2] in ("D/", "E/") else word
                        for word in words
                    ]  # fmt: skip
                    first = cli(*typed)
                    said = (first.stderr.strip().splitlines() or [""])[-1]
                    filling.unlink()
                    again = cli(*typed)
                    good = again.exit_code == 0 and (
                        first.exit_code == 0
                        or (said.startswith("Error:") and any(why in said for why in ("full", "No space", "of disk")))
                    )
                    wrong += not good
                    shown = said.replace(str(full), "DISK").replace(elsewhere, "HERE")[:230]
                    after = "" if again.exit_code == 0 else f"; then {again.exit_code} {again.stderr.strip()[-200:]}"
                    print(f"{'ok' if good else 'WRONG'}: {name}, {room:,} bytes: {first.exit_code} {shown}{after}",
                          flush=True)  # fmt: skip
                    os.environ["GANZOO_HOME"] = str(there / "home")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
