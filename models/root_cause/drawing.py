"""The picture of an answer as SVG: services as rows, what they wrote as bars, the onset of trouble, and who passed it on to whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from models.root_cause.alarm import Alert
from models.root_cause.chart import Arrow, Timeline, TimelineRow
from models.root_cause.types import RootCausePrediction, Suspect
from models.svg import Svg, clipped

WIDTH, LEFT, RIGHT = 1100.0, 190.0, 150.0
TOP, ROW, BAR, GAP = 84.0, 40.0, 28.0, 6.0
PLOT = WIDTH - LEFT - RIGHT
MOST_REASONS = 4
MOST_TICKS = 9

INK, SOFT, FAINT, BAND = "#1c2733", "#66727f", "#d9dfe5", "#f5f7f9"
QUIET, ODD, ERROR, CAUSE = "#b8c6d4", "#e39a2d", "#cf3f36", "#a3231c"
ALERT, MUTED = "#7a4fb5", "#cdbfe3"

_TICKS = (0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def draw_timeline(prediction: RootCausePrediction) -> str:
    """The timeline of an incident: services as rows, what was unusual in colour, who started it, and whom it reached how much later.

    An SVG document of its own, without scripts, fonts or other files; whatever was logged is only ever text in it.
    """
    chart = prediction.timeline
    if chart is None:
        svg = Svg(WIDTH, 90, "Nothing to draw: there were no lines")
        svg.text(24, 50, "Not enough evidence: there were no lines in the time searched", size=18, weight=600, fill=INK)
        return svg.document()
    reasons = _reasons(prediction)
    bottom = TOP + ROW * len(chart.rows)
    svg = Svg(WIDTH, bottom + 62 + 19 * (len(reasons) + 1) * bool(reasons), _headline(prediction))
    _heading(svg, prediction, chart)
    place = {row.service: TOP + ROW * number for number, row in enumerate(chart.rows)}
    _axis(svg, chart, bottom)
    suspects = {suspect.service: suspect for suspect in prediction.suspects}
    for row in chart.rows:
        _row(svg, row, place[row.service], prediction, suspects.get(row.service))
    for alert in sorted(prediction.alerts, key=lambda alert: alert.state != "muted"):
        if alert.service in place:
            _alert(svg, chart, alert, place[alert.service])
    onset = {row.service: _x(chart, row.onset_at) for row in chart.rows if row.onset_at is not None}
    for row in chart.rows:
        if row.service in onset:
            _onset(svg, onset[row.service], place[row.service], is_cause=row.service == prediction.root_cause)
    for arrow in chart.arrows:
        if arrow.cause in onset and arrow.effect in onset:
            _arrow(svg, arrow, onset, place)
    _legend(svg, bottom + 44, chart, prediction.alerts)
    for number, reason in enumerate(reasons):
        svg.text(24, bottom + 82 + 19 * number, reason, size=12.5, fill=INK)
    return svg.document()


def _headline(prediction: RootCausePrediction) -> str:
    if prediction.root_cause is not None:
        return f"{prediction.root_cause} started it, probability {_chance(prediction.suspects[0].probability)}"
    return f"Not enough evidence to name a cause (probability that there is none: {prediction.no_cause_probability:.2f})"


def _heading(svg: Svg, prediction: RootCausePrediction, chart: Timeline) -> None:
    end = chart.started_at + _span(chart)
    svg.text(24, 34, clipped(_headline(prediction), 92), size=20, weight=650, fill=CAUSE if prediction.root_cause is not None else INK)
    hidden = f" · {chart.other_services} further services not shown" if chart.other_services else ""
    span = (
        f"{chart.started_at:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S} UTC"
        if _span(chart) < timedelta(days=1)
        else (f"{chart.started_at:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC")
    )
    svg.text(24, 56, f"{span} · {prediction.lines:,} lines · {_length(chart.step_seconds)} a step{hidden}", size=12.5, fill=SOFT)
    svg.text(WIDTH - 14, 56, "height: square root of the count", size=11.5, fill=SOFT, anchor="end")


def _axis(svg: Svg, chart: Timeline, bottom: float) -> None:
    """Vertical lines at round times."""
    total = _span(chart).total_seconds()
    every = next((step for step in _TICKS if total / step <= MOST_TICKS), total)
    offset = -chart.started_at.timestamp() % every
    ticks = [offset + every * number for number in range(int((total - offset) / every) + 1)] if total >= offset else [0.0]
    for seconds in ticks:
        x = LEFT + PLOT * seconds / total
        svg.line(x, TOP - 4, x, bottom, stroke=FAINT)
        svg.text(x, bottom + 16, _clock(chart.started_at + timedelta(seconds=seconds), every), size=11, fill=SOFT, anchor="middle")


def _row(svg: Svg, row: TimelineRow, top: float, prediction: RootCausePrediction, suspect: Suspect | None) -> None:
    is_cause = row.service == prediction.root_cause
    if is_cause:
        svg.rectangle(8, top + 1, WIDTH - 16, ROW - 2, fill="#fdf0ee", radius=6)
    middle = top + ROW / 2
    svg.line(LEFT, top + ROW - GAP, LEFT + PLOT, top + ROW - GAP, stroke=FAINT)
    svg.text(
        LEFT - 14,
        middle + 5,
        clipped(row.service, 22),
        size=14,
        weight=650 if suspect else 400,
        fill=CAUSE if is_cause else INK,
        anchor="end",
    )
    most = max(row.lines)
    width = PLOT / len(row.lines)
    for step, (lines, errors, unusual) in enumerate(zip(row.lines, row.errors, row.unusual, strict=True)):
        odd = max(unusual, errors)
        for count, colour in ((lines, QUIET), (odd, ODD), (errors, ERROR)):
            if count:
                height = max(2.5, BAR * (count / most) ** 0.5)
                svg.rectangle(LEFT + width * step + 0.5, top + ROW - GAP - height, max(width - 1, 0.8), height, fill=colour)
    if is_cause:
        svg.rectangle(LEFT + PLOT + 14, middle - 10, 102, 20, fill=CAUSE, radius=10)
        svg.text(LEFT + PLOT + 65, middle + 4.5, "started it", size=12, weight=600, fill="#ffffff", anchor="middle")
    elif suspect is not None or row.service in (*prediction.carriers, *prediction.impact):
        word = "suffered" if row.service in prediction.impact else "passed it on" if row.service in prediction.carriers else "suspect"
        chance = f" · {_chance(suspect.probability)}" if suspect is not None else ""
        svg.text(LEFT + PLOT + 14, middle + 4.5, word + chance, size=12, fill=SOFT)


def _onset(svg: Svg, x: float, top: float, *, is_cause: bool) -> None:
    colour = CAUSE if is_cause else INK
    svg.line(x, top + 4, x, top + ROW - GAP, stroke=colour, width=2)
    svg.circle(x, top + 5, 4.5 if is_cause else 3.5, fill=colour)


def _alert(svg: Svg, chart: Timeline, alert: Alert, top: float) -> None:
    """A band below the bars for as long as there was reason to be alarmed; pale if people have muted it."""
    start, end = _x(chart, alert.since), _x(chart, alert.until)
    colour = MUTED if alert.state == "muted" else ALERT
    svg.rectangle(start, top + ROW - GAP + 0.5, max(end - start, 2.0), 4, fill=colour, radius=2)


def _arrow(svg: Svg, arrow: Arrow, onset: dict[str, float], place: dict[str, float]) -> None:
    """A curve from the cause's onset to the effect's, with the lag before its head: several causes may share curves, no effect has two."""
    x1, x2 = onset[arrow.cause], onset[arrow.effect]
    y1, y2 = place[arrow.cause] + 5, place[arrow.effect] + 5
    bulge = min(x1, x2) - 26 - 0.10 * abs(y2 - y1)
    svg.curve((x1 - 6, y1), (bulge, y1), (bulge, y2), (x2 - 7, y2), stroke=SOFT)
    svg.label(x2 - 16, y2 + 15, _lag(arrow.lag_seconds), size=11, fill=INK)


def _legend(svg: Svg, y: float, chart: Timeline, alerts: Sequence[Alert]) -> None:
    entries = [("lines", QUIET), ("unusual lines", ODD), ("errors", ERROR)]
    muted = {alert.state == "muted" for alert in alerts}
    entries += [(word, colour) for word, colour, is_muted in (("alert", ALERT, False), ("muted alert", MUTED, True)) if is_muted in muted]
    x = LEFT
    for word, colour in entries:
        svg.rectangle(x, y - 9, 10, 10, fill=colour, radius=2)
        svg.text(x + 16, y, word, size=11.5, fill=SOFT)
        x += 34 + 6.2 * len(word)
    svg.circle(x + 5, y - 4, 3.5, fill=INK)
    svg.text(x + 16, y, "began to behave unusually", size=11.5, fill=SOFT)
    if chart.arrows:
        svg.text(x + 188, y, "→  passed on, that much later", size=11.5, fill=SOFT)


def _reasons(prediction: RootCausePrediction) -> list[str]:
    """What speaks against the cause; where none is named, what would help."""
    if prediction.root_cause is None:
        return list(_spoken("What would help:", prediction.what_would_help))
    return list(_spoken(f"Against {prediction.root_cause}:", [evidence.words for evidence in prediction.suspects[0].evidence]))


def _spoken(introduction: str, sentences: Sequence[str]) -> Iterator[str]:
    if sentences:
        yield clipped(introduction, 120)
        yield from (f"•  {clipped(' '.join(sentence.split()), 150)}" for sentence in sentences[: MOST_REASONS - 1])


def _span(chart: Timeline) -> timedelta:
    """From the first step to the last; within the calendar."""
    whole = timedelta(seconds=chart.step_seconds * len(chart.rows[0].lines))
    return min(whole, datetime.max.replace(tzinfo=UTC) - chart.started_at)


def _x(chart: Timeline, at: datetime) -> float:
    share = (at - chart.started_at) / _span(chart)
    return LEFT + PLOT * min(max(share, 0.0), 1.0)


def _clock(at: datetime, every: float) -> str:
    if every >= 86400:
        return f"{at:%Y-%m-%d}"
    if every >= 60:
        return f"{at:%H:%M}"
    return f"{at:%H:%M:%S}" if every >= 1 else f"{at:%S}.{at.microsecond // 1000:03d}"


def _chance(probability: float) -> str:
    return f"{probability:.2f}" if 0.005 <= probability < 0.995 else "> 0.99" if probability > 0.5 else "< 0.01"


def _lag(seconds: float) -> str:
    return f"{seconds:+.1f} s" if abs(seconds) >= 1 else f"{1000 * seconds:+.0f} ms"


def _length(seconds: float) -> str:
    for size, word in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{seconds / size:g} {word}"
    return f"{seconds * 1000:g} ms"
