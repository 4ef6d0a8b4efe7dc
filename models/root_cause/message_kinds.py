"""What kinds of messages a window holds, which are new, which burst, which vanished: what a log alone can tell, without any suspect.

Services that normal time knows are compared with it. Those that it does not know are compared with themselves: what of theirs begins
only late in the window is new, and what is far more frequent for a while than otherwise bursts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.root_cause.findings import Findings, moment
from models.root_cause.parameter import Parameter
from models.root_cause.types import MessageKind
from models.root_cause.window import Array

MOST_KINDS = 20
BURST = 3.0
"""A kind of message bursts when it is this many times as frequent as expected."""
STEPS = 24
"""Of a window that is compared with itself."""
LATE_SHARE = 0.25
"""What is first seen after this share of such a window is new in it."""
LEAST_LINES = 5
READ_LINES = 50


def message_kinds(findings: Findings) -> tuple[MessageKind, ...]:
    """Clusters of messages in the window; a template that is in none stands for itself."""
    members: dict[tuple[int, str], list[int]] = {}
    gone = findings.change.changed & ~findings.change.more & (findings.counted.lines_of_symbol == 0)
    for symbol in np.flatnonzero((findings.whole.lines_of_symbol > 0) | gone):
        label = int(findings.kind[symbol])
        members.setdefault((label, findings.symbols.pairs[symbol][1] if label < 0 else ""), []).append(int(symbol))
    kinds = [_kind(findings, label, own) for (label, _), own in members.items()]
    return tuple(sorted(kinds, key=lambda kind: (not kind.new, not kind.bursts, not kind.vanished, -kind.lines, kind.name))[:MOST_KINDS])


def _kind(findings: Findings, label: int, own: Sequence[int]) -> MessageKind:
    """One kind, compared with normal time if any of its services is known there."""
    pairs = [findings.symbols.pairs[symbol] for symbol in own]
    lines = findings.whole.lines_of_symbol[own]
    count = int(lines.sum())
    at = findings.window.at[np.isin(findings.window.symbol, own)]
    example = own[int(np.argmax(lines))]
    is_known = bool(findings.normal.units_of_service[findings.normal.service_of[own]].any())
    if is_known:
        usual = float(findings.usual_lines[own].sum())
        new = not findings.normal.units_of_symbol[own].any()
        bursts = not new and count > BURST * max(usual, 1.0)
    else:
        usual, new, bursts = _within(at, findings.window.at)
    return MessageKind(
        name=findings.kind_names[label] if label >= 0 else pairs[0][1],
        example=findings.symbols.pairs[example][1],
        services=tuple(sorted({service for service, _ in pairs})),
        templates=len({template for _, template in pairs}),
        lines=count,
        expected=usual,
        new=new,
        bursts=bursts,
        vanished=is_known and not findings.counted.lines_of_symbol[own].any(),
        compared_with="normal time" if is_known else "this window",
        first_seen_at=moment(at.min()) if len(at) else None,
        parameters=_parameters(findings, example),
    )


def _parameters(findings: Findings, symbol: int) -> tuple[Parameter, ...]:
    """Of a template, as its first lines have them."""
    places = np.flatnonzero(findings.window.symbol == symbol)
    first = places[np.lexsort((findings.line[places], findings.window.at[places]))][:READ_LINES]
    return findings.parameters(findings.symbols.pairs[symbol][1], first)


def _within(at: Array, window: Array) -> tuple[float, bool, bool]:
    """Of a kind of message, by its own course: lines to be expected, whether it begins late, whether it bursts.

    Expected is what the median step would give; a burst is a step that holds three times as many as the others do on average.
    """
    start, span = int(window.min()), int(window.max()) - int(window.min())
    if span == 0:
        return float(len(at)), False, False
    counts = np.bincount(((at - start) * STEPS // (span + 1)).astype(np.int64), minlength=STEPS)
    others = (counts.sum() - counts.max()) / (STEPS - 1)
    late = int(at.min()) - start > LATE_SHARE * span
    return float(np.median(counts)) * STEPS, late, bool(counts.max() >= max(LEAST_LINES, BURST * max(others, 1.0)))
