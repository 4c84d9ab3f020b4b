"""What every test gets: a home of its own for ganzoo, one thread, and the plugin in `tests/tinyzoo` installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from support.install import write_distribution

HERE = Path(__file__).parent
_scratch = TemporaryDirectory(prefix="ganzoo-tests-", ignore_cleanup_errors=True)
SITE = Path(_scratch.name) / "site"  # where the plugin's metadata is, as pip would write it

# The same examples each time, without a folder of them; the first import of torch may take long.
settings.register_profile(
    "ganzoo",
    deadline=None,
    max_examples=60,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("ganzoo")


def pytest_configure(config: pytest.Config) -> None:
    os.environ["GANZOO_HOME"] = str(Path(_scratch.name) / "home")
    os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it when imported; small sums are quickest so
    os.environ.pop("GANZOO_PLUGINS", None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background, where shells turn Ctrl-C off
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):  # started under nohup
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    write_distribution(SITE, "ganzoo-tiny", {"tiny": "tinyzoo"})
    sys.path[:0] = [str(SITE), str(HERE)]


def pytest_unconfigure(config: pytest.Config) -> None:
    _scratch.cleanup()


@pytest.fixture(autouse=True)
def names_of_data() -> Iterator[None]:
    """Names that a test gives to data sets go with it: the home, with what is packed there, is one for a process."""
    records = Path(os.environ["GANZOO_HOME"]) / "data"
    before = set(records.glob("*.json"))
    yield
    for path in set(records.glob("*.json")) - before:
        path.unlink()


@pytest.fixture(autouse=True)
def strangers_alone_hear(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of the catalogue tell listeners of runs that there are not, which ganzoo's own listener cannot open."""
    if request.path.parent.name == "catalogue":
        from ganzoo.catalogue import entry_points

        points = entry_points.points
        strangers = lambda: [point for point in points() if point.value != "ganzoo_warnings"]  # noqa: E731
        monkeypatch.setattr(entry_points, "points", strangers)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Installs a plugin of one module with this source, as pip would; gives the folder it was installed into."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(source: str, name: str = "stranger", distribution: str | None = None, version: str = "2.5") -> Path:
        module = f"{(distribution or name).replace('-', '_')}_module"
        (site / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)
        write_distribution(site, distribution or f"ganzoo-{name}", {name: module}, version)
        return site

    return install


@pytest.fixture
def own_catalogue() -> Iterator[None]:
    """Whatever the test installs is in the catalogue of the process, for as long as the test lasts."""
    from ganzoo.catalogue.catalogue import catalogue

    catalogue.cache_clear()
    yield
    catalogue.cache_clear()


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs code in a new interpreter, which has the plugin of the tests too."""

    def run(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(SITE), str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": path, **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=600,
        )

    return run


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`ganzoo.train` of TinyGAN for 4 steps, silently, into a folder of the test's; options as `ganzoo.train`'s."""
    import ganzoo
    from ganzoo.loop.display import Display

    monkeypatch.chdir(tmp_path)

    def train(out: str | None = "run", architecture: str | None = "tinygan", data: str | None = "tiny", **given: Any):
        options = {"samples": 4, "device": "cpu", "display": Display(), **given}
        if not {"epochs", "images", "steps", "recipe"} & set(options):
            options["steps"] = 4
        return ganzoo.train(architecture, data, out=out, **options)

    return train


@pytest.fixture
def make_trainer() -> Callable[..., Any]:
    """A `Trainer` of an architecture on a few items in memory, seeded as a run is; see `Items`."""
    return build_trainer


def build_trainer(cls: type | None = None, *, items: Any = None, flip: bool = False, **options: Any) -> Any:
    """A `Trainer` of `cls` (TinyGAN), its options given as the trainer's or as its Config's."""
    import dataclasses

    import torch
    from tinyzoo.model import TinyGAN

    from ganzoo.contract.data_spec import DataSpec
    from ganzoo.contract.randomness import seed_everything
    from ganzoo.data.loader import Loader
    from ganzoo.loop.trainer import Extent, Trainer

    cls = cls or TinyGAN
    if items is None:
        items = torch.rand(24, 3, 8, 8, generator=torch.Generator().manual_seed(9)) * 2 - 1
    config_fields = {field.name for field in dataclasses.fields(cls.Config)} - {"batch_size"}
    config = cls.Config(**{name: options.pop(name) for name in list(options) if name in config_fields})
    seed = options.setdefault("seed", 0)
    seed_everything(seed, "weights")
    model = cls(config, DataSpec(tuple(items.shape[1:])))
    options = {"batch_size": 8, "half_life": 64, "extent": Extent(0, 1000), **options}
    return Trainer(model, Loader(Items(items), seed, flip=flip), **options)


@pytest.fixture
def make_pair_trainer() -> Callable[..., Any]:
    """A `Trainer` of a translating architecture on domains A and B of 6 and 4 images in memory."""
    return build_pair_trainer


def build_pair_trainer(cls: type, *, shape: tuple[int, int, int] = (3, 16, 16), **options: Any) -> Any:
    """Options are the trainer's or those of the Config of `cls`."""
    import dataclasses

    import torch

    from ganzoo.contract.data_spec import DataSpec
    from ganzoo.contract.randomness import seed_everything
    from ganzoo.data.loader import Loader
    from ganzoo.loop.trainer import Extent, Trainer

    random = torch.Generator().manual_seed(5)
    data = Items(torch.zeros(0))
    data.parts = {name: Items(torch.rand(n, *shape, generator=random) * 2 - 1) for name, n in (("A", 6), ("B", 4))}
    config_fields = {field.name for field in dataclasses.fields(cls.Config)} - {"batch_size"}
    config = cls.Config(**{name: options.pop(name) for name in list(options) if name in config_fields})
    seed_everything(0, "weights")
    model = cls(config, DataSpec(shape, domains=("A", "B")))
    return Trainer(model, Loader(data, 0), **{"half_life": 0, "extent": Extent(0, 400), **options})


class Items:
    """What a `Loader` needs of a data set, and of its only part: items [N, …] and labels [N], in memory."""

    def __init__(self, items: Any, labels: Any = None) -> None:
        self.items, self.labels = items, labels
        self.parts, self.sizes = {"train": self}, {}

    def __len__(self) -> int:
        return len(self.items)

    def gather(self, indices: Any) -> Any:
        return self.items[indices]

    def prefetch(self, indices: Any) -> None:
        pass


@pytest.fixture
def finished_copy(finished: Any, tmp_path: Path) -> Path:
    """A copy of that run's folder, which a test may change."""
    return Path(shutil.copytree(finished.path, tmp_path / "finished"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A finished run of TinyGAN, two epochs of three steps; not to be changed."""
    import ganzoo
    from ganzoo.loop.display import Display

    folder = tmp_path_factory.mktemp("finished") / "run"
    return ganzoo.train("tinygan", "tiny", out=folder, epochs=2, samples=4, device="cpu", display=Display())
