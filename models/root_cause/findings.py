"""All that is known about a window, before it is put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.root_cause.change import Change
from models.root_cause.locations import location
from models.root_cause.parameter import Parameter
from models.root_cause.parameters import parameters
from models.root_cause.tally import Tally
from models.root_cause.types import ClockSkew, LogLine, Traffic
from models.root_cause.window import Array, Symbols, Window, encodable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_DAY = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Findings:
    """All that is known about a window.

    Parameters
    ----------
    asked
        The lines of the query.
    line
        Number of each line of the window in the query, from 1.
    after
        By line, whether it is of the time in which the window differs.
    normal, reference
        Counts of normal time; with what precedes that time added.
    whole, counted
        Counts of all lines searched, and of that time.
    usual_lines
        By symbol, the lines that normal time lets expect in all lines searched.
    lines
        How many lines were searched.
    nats
        Evidence, shape (kind, service).
    left, blamed
        Total nats of each service after its callees explained their part; the callee that did, or -1.
    flagged
        Per line of the window, whether it is unusual in itself.
    onset
        Microseconds since 1970, NaN for none.
    clocks, unsure_seconds
        Which were wrong, while the window has the right times; by line, how far its time may be wrong still.
    expected_of_service
        By service, the lines that normal time lets expect in as long a window.
    traffic
        Services that write far more than the hour lets expect.
    calls
        Who calls whom, complaints included, as booleans of shape (caller, callee).
    probabilities
        Of each service to be the cause, then of no cause.
    mentions
        Which symbols name which other service, as booleans of shape (symbol, service).
    kind, kind_names
        Cluster of each symbol; name of each cluster.
    """

    symbols: Symbols
    window: Window
    asked: Sequence[LogLine]
    line: Array
    after: Array
    normal: Tally
    reference: Tally
    whole: Tally
    counted: Tally
    usual_lines: Array
    lines: int
    change: Change
    nats: Array
    left: Array
    blamed: Array
    flagged: Array
    onset: Array
    clocks: tuple[ClockSkew, ...]
    unsure_seconds: Array
    expected_of_service: Array
    traffic: tuple[Traffic, ...]
    calls: Array
    probabilities: Array
    threshold: float
    mentions: Array
    kind: Array
    kind_names: Mapping[int, str]

    def parameters(self, template: str, places: Array) -> tuple[Parameter, ...]:
        """What the parameters of a template are in the lines at some places of the window, the earliest of which count."""
        lines = [self.asked[number - 1] for number in self.line[places].tolist()]
        in_order = sorted(lines, key=lambda line: (line.timestamp, line.message))
        where = location(in_order[0].logger) if in_order else ""
        return parameters(template.removeprefix(where).strip(), (encodable(line.message) for line in in_order))


def moment(at: float) -> datetime:
    """An instant from microseconds since 1970; those beyond the calendar are its last day."""
    return EPOCH + timedelta(microseconds=int(min(at, _LAST_DAY)))
