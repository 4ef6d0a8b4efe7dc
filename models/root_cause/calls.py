"""Who calls whom, learned from traces."""

from __future__ import annotations

import numpy as np

from models.root_cause.window import Array, Window

CALL_SHARE = 0.2
"""A call is regular if it explains this share of the traces in which the callee speaks."""


def call_graph(window: Window, service_of: Array, n_services: int) -> Array:
    """Calls as counts of traces, shape (caller, callee).

    The caller of a service, within one trace, is the last to speak up before it among those that are silent while it works and speak
    again after it is done; where none does, whoever spoke right before its first line.
    """
    counts = np.zeros((n_services, n_services))
    keys = window.unit * n_services + service_of[window.symbol]
    spans, first = np.unique(keys, return_index=True)
    last = len(keys) - 1 - np.unique(keys[::-1], return_index=True)[1]
    unit = spans // n_services
    outer, inner = within_unit(unit)
    around = window.traced[unit[inner]] & (first[outer] < first[inner]) & (last[outer] > last[inner])
    outer, inner = outer[around], inner[around]
    n_lines = len(keys)
    places = np.sort(np.searchsorted(spans, keys) * n_lines + np.arange(n_lines))
    said = [np.searchsorted(places, outer * n_lines + end) for end in (first[inner], last[inner])]
    waits = said[0] == said[1]
    outer, inner = outer[waits], inner[waits]
    parent = np.full(len(spans), -1)
    np.maximum.at(parent, inner, first[outer])
    before = np.maximum(first - 1, 0)
    parent = np.where((parent < 0) & (first > 0) & (window.unit[before] == unit), before, parent)
    called = (parent >= 0) & window.traced[unit]
    np.add.at(counts, (service_of[window.symbol[parent[called]]], spans[called] % n_services), 1)
    return counts


def regular(counts: Array) -> Array:
    """Calls that are no accident, as booleans of shape (caller, callee)."""
    return np.asarray((counts > 1) & (counts >= CALL_SHARE * counts.sum(axis=0, keepdims=True)))


def within_unit(unit: Array) -> tuple[Array, Array]:
    """All ordered pairs of places that share a unit; `unit` is sorted."""
    _, start, size = np.unique(unit, return_index=True, return_counts=True)
    own_start, own_size = np.repeat(start, size), np.repeat(size, size)
    inner = np.repeat(np.arange(len(unit)), own_size)
    offset = np.arange(len(inner)) - np.repeat(np.cumsum(own_size) - own_size, own_size)
    return np.repeat(own_start, own_size) + offset, inner
