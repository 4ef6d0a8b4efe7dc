"""All that is known about a window, before it is put into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.root_cause.change import Change, Tally
from models.root_cause.window import Array, Symbols, Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_DAY = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Findings:
    """All that is known about a window.

    Parameters
    ----------
    line
        Number of each line of the window in the query, from 1.
    surprise
        Nats, shape (kind, service).
    left, blamed
        Total nats of each service after its callees explained their part; the callee that did, or -1.
    flagged
        Per line of the window, whether it is unusual in itself.
    onset
        Microseconds since 1970, NaN for none.
    probabilities
        Of each service to be the cause, then of no cause.
    mentions
        Which symbols name which other service, as booleans of shape (symbol, service).
    kind, kind_names
        Cluster of each symbol; name of each cluster.
    """

    symbols: Symbols
    window: Window
    line: Array
    normal: Tally
    counted: Tally
    change: Change
    surprise: Array
    left: Array
    blamed: Array
    flagged: Array
    onset: Array
    probabilities: Array
    threshold: float
    mentions: Array
    kind: Array
    kind_names: Mapping[int, str]


def moment(at: float) -> datetime:
    """An instant from microseconds since 1970; those beyond the calendar are its last day."""
    return EPOCH + timedelta(microseconds=int(min(at, _LAST_DAY)))
