"""Modalities: what is encoded can be decoded, its state is JSON, and there is a sheet and a file of every item."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganzoo.catalogue.catalogue import Entry, entries
from ganzoo.contract.modality import Modality
from ganzoo.contract.options import build, options
from ganzoo.data.source import Source, modality_of, traits_of
from ganzoo.testing.check import Check, NotChecked, require
from ganzoo.testing.kinds.cards import check_card
from ganzoo.testing.probes.offline import offline

COUNT = 12  # items that are encoded


def modality_checks(entry: Entry, name: str) -> Iterator[Check]:
    """Every check of a modality, with a data set of such items; skipped where no installed plugin has one."""
    for promise, check in PROMISES.items():
        yield Check(promise, name, "modality", partial(_offline, partial(check, entry)), "modality")
    yield Check("card", name, "modality", partial(check_card, entry), "modality")


def _offline(check: Callable[[], None]) -> None:
    with offline("what is fetched cannot be checked before it is there"):
        check()


def _fitted(entry: Entry) -> tuple[Modality, Tensor]:
    """The modality, fitted on rows [N, ...], and these."""
    cls = entry.load()
    require(isinstance(cls, type) and issubclass(cls, Modality), "It is no subclass of Modality.")
    options(cls.Options)  # says so where they cannot be read
    source = _source(entry)
    rows = _rows(source)
    state = cls.fit(rows.numpy(), traits_of(source).details)
    try:
        again = json.loads(json.dumps(state))
    except (TypeError, ValueError) as error:
        raise NotChecked(f"Its state is no JSON ({error}); see the check 'state'") from error
    made = cls(again)
    made.name, made.items = entry.name, entry.card.items
    return made, rows


def _source(entry: Entry) -> Source:
    """Few items of a data set of this modality, the plugin's own first."""
    near = sorted(entries("dataset"), key=lambda each: (each.plugin != entry.plugin, each.name))
    for each in near:
        cls = each.load()
        if entry.name not in ("image", "point") and getattr(cls, "modality", "") != entry.name:
            continue
        fields = options(cls)
        source: Source = build(cls, {"images": COUNT} if "images" in fields else {}, f"the data set {each.name}")
        if modality_of(source) == entry.name:
            return source
    raise NotChecked(f"No installed plugin has a data set of {entry.card.items} to try it with.")


def _rows(source: Source) -> Tensor:
    items = [np.asarray(source.read(index)) for index in range(min(COUNT, len(source)))]
    rows = torch.from_numpy(np.stack(items))
    return rows[..., None] if rows.dtype == torch.uint8 and rows.dim() == 3 else rows


def check_state(entry: Entry) -> None:
    """What `fit` gives is plain JSON, the same for the same rows."""
    source = _source(entry)
    rows = _rows(source).numpy()
    cls = entry.load()
    first, second = cls.fit(rows, traits_of(source).details), cls.fit(rows.copy(), traits_of(source).details)
    try:
        texts = [json.dumps(state, sort_keys=True) for state in (first, second)]
    except (TypeError, ValueError) as error:
        require(False, f"Its state is no JSON ({error}); keep to numbers, texts, lists and mappings.")
    require(texts[0] == texts[1], "Two fits on the same rows differ; draw nothing, or by a seed of its own.")


def check_round_trip(entry: Entry) -> None:
    """Encoded items are finite float32, decoding and encoding again changes nothing, and `clean` leaves them alone."""
    modality, rows = _fitted(entry)
    items = modality.encode(rows)
    require(items.dtype == torch.float32, f"Encoded items are {items.dtype}; give float32.")
    require(bool(items.isfinite().all()), "Encoded items are not finite; give what is missing a number of its own.")
    require(len(items) == len(rows), f"{len(rows)} rows become {len(items)} items.")
    require(torch.allclose(modality.clean(items), items, atol=1e-6), "`clean` changes real items.")
    again = modality.encode(modality.decode(items).to(rows.dtype))
    require(torch.allclose(again, items, atol=1e-2), "Encoding what was decoded gives other items.")
    for what, values in (("mean", modality.mean), ("spread", modality.spread)):
        right = not values or len(values) == items.shape[1]
        require(right, f"Its {what} has {len(values)} numbers, and items have {items.shape[1]} columns.")
    for start, end in modality.choices:
        chosen = items[:, start:end]
        require(bool((chosen.sum(1) == 1).all()), f"Columns {start} to {end - 1} are not one 1 among 0s.")


def check_drawn(entry: Entry) -> None:
    """There is a sheet of made and of real items, and every file that it says it writes."""
    modality, rows = _fitted(entry)
    items = modality.encode(rows)
    for picture in (modality.sheet(items), modality.sheet(items, real=items), modality.sheet_of_real(items)):
        require(isinstance(picture, Image.Image), f"A sheet is a {type(picture).__name__}; give a PIL image.")
    with TemporaryDirectory() as folder:
        for ending in modality.writes:
            if ending == ".parquet":
                continue  # by an extra, which may not be here
            _written(modality, items, Path(folder) / f"all{ending}")
        if modality.each:
            _written(modality, items[:1], Path(folder) / f"one{modality.each}")


def _written(modality: Modality, items: Any, file: Path) -> None:
    modality.save(items, file)
    require(file.exists() and file.stat().st_size > 0, f"save wrote nothing into a {file.suffix} file.")


PROMISES: dict[str, Callable[[Entry], None]] = {
    "state": check_state,
    "round trip": check_round_trip,
    "drawn": check_drawn,
}
