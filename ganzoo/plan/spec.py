"""What an architecture is told of the data, and what is known of that before the data is packed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganzoo import data
from ganzoo.contract.data_spec import DataSpec
from ganzoo.data.source import size_in, trained_on

if TYPE_CHECKING:
    from ganzoo.plan.plan import Plan


def data_spec(dataset: data.Dataset, size: tuple[int, int] | None) -> DataSpec:
    """What an architecture is told of a data set; `size` is what remains after cropping."""
    shape = tuple(dataset.shape)
    if size is not None:
        shape = (shape[0], *size)
    shapes = {
        name: (each[0], *size_in(name, (shape[1], shape[2]), dataset.sizes)) for name, each in dataset.shapes.items()
    }
    modality = dataset.modality
    return DataSpec(
        shape, tuple(dataset.classes), dataset.domains, modality.name,
        modality.mean, modality.spread, modality.choices, dataset.label_kind, dataset.label_names, dataset.label_scale,
        shapes, dataset.paired, dataset.class_shares,
    )  # fmt: skip


def data_channels(plan: Plan) -> int | None:
    """The channels to prepare the data with; None for the data's own, which may differ from domain to domain."""
    if plan.settings.channels or not plan.data.channels or plan.model.abilities.channels:
        return plan.settings.channels
    return min(3, plan.data.channels)


def expected_spec(plan: Plan) -> DataSpec | None:
    """What `data_spec` will say, from what is known before the data is packed; None for vectors."""
    if plan.size is None or not plan.data.channels:
        return None
    channels = plan.settings.channels or min(3, plan.data.channels)
    domains = plan.domains or trained_on(plan.data.domains)
    mixed = plan.data.domain_channels if data_channels(plan) is None else {}
    shapes = {
        name: (min(mixed.get(name, channels), channels), *size_in(name, plan.size, plan.sizes))
        for name in domains
        if name in mixed or name in plan.sizes
    }
    return DataSpec(
        shapes[domains[0]] if shapes else (channels, *plan.size), () if domains else tuple(plan.data.classes), domains,
        label=plan.data.label_kind, label_names=plan.data.label_names, paired=plan.data.paired, shapes=shapes,
    )  # fmt: skip


def likely_spec(plan: Plan) -> DataSpec:
    """What `data_spec` will say, about, from what is known before the data is packed."""
    info = plan.data
    return expected_spec(plan) or DataSpec(info.shape or (2,), info.classes, tuple(info.domains), info.modality)
