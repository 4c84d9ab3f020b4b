"""What this machine has for training GANs, what is missing, and what to type about it."""

from __future__ import annotations

import importlib
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import ganzoo
from ganzoo.about import __version__

Status = Literal["ok", "absent", "warning", "broken"]
TIGHT = 2 * 2**30  # bytes of disk below which packs and checkpoints soon have no room


@dataclass(frozen=True)
class Finding:
    """One thing looked at. "absent" is optional, "warning" hinders, "broken" must be mended."""

    name: str
    found: str
    status: Status = "ok"
    advice: str = ""


def examine() -> list[Finding]:
    """Looks at everything. A look that fails becomes a finding."""
    looks = (_python, _torch, _devices, _precision, _cores, _memory, _disk, _terminal, _needed, _plugins, _extras)
    findings: list[Finding] = []
    for look in looks:
        try:
            findings += look()
        except Exception as error:
            findings.append(Finding(look.__name__.strip("_"), f"{type(error).__name__}: {error}", "broken"))
    return findings


def _python() -> Iterator[Finding]:
    yield Finding("ganzoo", f"{__version__} in {Path(ganzoo.__file__).parent}")
    version = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding("python", version)


def _torch() -> Iterator[Finding]:
    for name in ("torch", "torchvision"):
        try:
            module = importlib.import_module(name)
        except Exception as error:
            advice = "type: pip install --force-reinstall torch torchvision"
            yield Finding(name, f"cannot be imported: {_line(error)}", "broken", advice)
        else:
            yield Finding(name, str(module.__version__))


def _devices() -> Iterator[Finding]:
    import torch

    yield Finding("cpu", platform.processor() or platform.machine())
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            memory = torch.cuda.get_device_properties(index).total_memory
            yield Finding(f"cuda {index}", f"{torch.cuda.get_device_name(index)}, {memory / 2**30:.0f} GB")
    elif shutil.which("nvidia-smi"):
        built = torch.version.cuda
        why = f"torch is built for CUDA {built}, which the driver does not serve" if built else "torch is a CPU build"
        advice = "choose the build for your driver at https://pytorch.org/get-started/locally/ (nvidia-smi names it)"
        yield Finding("cuda", f"there is an NVIDIA GPU, but {why}", "warning", advice)
    else:
        yield Finding("cuda", "no NVIDIA GPU", "absent")
    if torch.backends.mps.is_available():
        yield Finding("mps", "Apple GPU")
    elif platform.system() == "Darwin":
        yield Finding("mps", "not available to this torch", "absent")


def _precision() -> Iterator[Finding]:
    from ganzoo.devices import has_native_bf16, pick_device

    device = pick_device("auto")
    native = has_native_bf16(device)
    text = "native: twice as fast where an architecture allows it" if native else "emulated, slower than fp32"
    yield Finding("bf16", f"{device.type}: {text}", "ok" if native else "absent")


def _cores() -> Iterator[Finding]:
    import torch

    from ganzoo.files import processors

    yield Finding("cores", f"{processors()} usable, torch computes with {torch.get_num_threads()}")


def _memory() -> Iterator[Finding]:
    from ganzoo.files import free_memory

    free = free_memory()
    yield Finding("memory", "the system does not say" if free is None else f"{free / 2**30:.1f} GB free")


def _disk() -> Iterator[Finding]:
    from ganzoo.files import home

    folder = home()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / 2**30:.1f} GB free for {folder}"
    if not os.access(there, os.W_OK):
        advice = "set GANZOO_HOME to a folder that can be written"
        yield Finding("disk", f"{folder} cannot be written", "broken", advice)
    elif free < TIGHT:
        yield Finding("disk", text, "warning", "free some space, or set GANZOO_HOME to a folder on another disk")
    else:
        yield Finding("disk", text)


def _terminal() -> Iterator[Finding]:
    size = shutil.get_terminal_size()
    kind = f"{size.columns}×{size.lines}" if sys.stdout.isatty() else "none, output goes to a file or pipe"
    colours = ", no colours (NO_COLOR)" if os.environ.get("NO_COLOR") else ""
    yield Finding("terminal", f"{kind}, {sys.stdout.encoding or 'unknown encoding'}{colours}")


def _needed() -> Iterator[Finding]:
    """The packages that ganzoo cannot do without, torch aside."""
    for name in _requirements().get("", []):
        if name not in ("torch", "torchvision"):
            yield _package(name, "broken")


def _extras() -> Iterator[Finding]:
    for extra, names in sorted(_requirements().items()):
        if extra:
            packages = [_package(name, "absent") for name in names if name != "ganzoo"]
            missing = [finding.name for finding in packages if finding.status != "ok"]
            text = ", ".join(f"{finding.name} {finding.found}" for finding in packages)
            advice = f"type: pip install 'ganzoo[{extra}]'" if missing else ""
            yield Finding(f"extra {extra}", text, "absent" if missing else "ok", advice)


def _plugins() -> Iterator[Finding]:
    from ganzoo.catalogue.catalogue import catalogue

    plugins = catalogue().plugins
    working = [plugin for plugin in plugins if not plugin.error]
    if working:
        yield Finding("plugins", f"{len(working)} working: {', '.join(plugin.name for plugin in working)}")
    else:
        advice = "install ganzoo again; is GANZOO_PLUGINS set?"
        yield Finding("plugins", "none works, so there is nothing to train", "broken", advice)
    for plugin in plugins:
        if plugin.error:
            advice = f"update {plugin.distribution}, or tell its author; ganzoo works without it"
            yield Finding(f"plugin {plugin.name}", plugin.error, "warning", advice)
        elif plugin.remarks:
            yield Finding(f"plugin {plugin.name}", "; ".join(plugin.remarks), "warning", "tell its author")


def _requirements() -> dict[str, list[str]]:
    """Distributions that ganzoo asks for, by extra; "" for those it always needs."""
    by_reason: dict[str, list[str]] = {}
    for line in metadata.requires("ganzoo") or ():
        name = re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", line)
        by_reason.setdefault(extra[1] if extra else "", []).append(name)
    return by_reason


def _package(name: str, without: Status) -> Finding:
    try:
        return Finding(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "not installed", without, f"type: pip install {name}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
