"""A shop's logs with planted incidents: the causes are known, and the loudest service is seldom one of them.

Requests cross frontend, checkout, cart, payment, inventory, auth and database, with trace ids. Beside them a noisy neighbour,
recommendation, complains in bursts that mean nothing. In an incident one service is slow, throws, is down, runs short of memory, was
misconfigured or is flooded by a client of its own; its callers fail or time out, and the frontend shouts loudest. Some incidents have no
cause in the logs at all. Logs may be imperfect: a clock may be wrong, lines may get lost, a bystander's log may be missing.

``python data/root_cause/prepare.py`` writes ``sample.csv.gz``.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
COLUMNS = ("timestamp", "service", "message", "level", "instance", "trace_id", "incident", "root_service")
FAULTS = ("slow", "exception", "crash", "memory", "config", "traffic")
CONDITIONS = ("clean", "clock skew", "lost lines", "missing log")
NORMAL_SECONDS = 600.0
INCIDENT_SECONDS = 120.0
SAMPLE_INCIDENTS = (
    ("slow", "database"),
    ("exception", "payment"),
    ("crash", "inventory"),
    ("config", "checkout"),
    ("memory", "cart"),
    ("exception", "database"),
    ("crash", "auth"),
    ("none", ""),
    ("slow", "payment"),
    ("memory", "database"),
    ("traffic", "inventory"),
)
REQUESTS_PER_SECOND = 1.5
FLOOD_PER_SECOND = 6.0
MOST_SKEW_SECONDS = 2.0
LOST_SHARE = 0.2

Row = dict[str, str]

Line = tuple[float, str, str, str, str]
"""Seconds, service, message, level, trace id."""


class Span(NamedTuple):
    """A piece of work of one service, and the calls it makes."""

    service: str
    work: str
    calls: tuple[Span, ...] = ()


def _query(table: str) -> Span:
    return Span("database", f"select from {table}")


REQUESTS: tuple[tuple[float, Span], ...] = (
    (0.5, Span("frontend", "GET /catalog", (Span("inventory", "list items", (_query("items"),)),))),
    (
        0.3,
        Span(
            "frontend",
            "POST /checkout",
            (
                Span(
                    "checkout",
                    "place order",
                    (
                        Span("cart", "load cart", (_query("carts"),)),
                        Span("inventory", "reserve items", (_query("stock"),)),
                        Span("payment", "charge card", (_query("payments"),)),
                    ),
                ),
            ),
        ),
    ),
    (0.2, Span("frontend", "POST /login", (Span("auth", "verify password", (_query("users"),)),))),
)
SERVICES = ("frontend", "checkout", "cart", "inventory", "payment", "auth", "database")
RELEASES = ("release 4.{n}", "connection pool resized to {n}", "feature flag {n} switched on", "certificate renewed")

TROUBLE = {
    "exception": "java.lang.IllegalStateException: {work} failed in {service} worker {n}",
    "memory": "GC pause of {n} ms, heap {n} percent used",
    "config": "unknown value for setting {service}.mode, falling back to legacy path for order {n}",
}


class Fault(NamedTuple):
    """What is wrong with one service, from `at` seconds on; ``none`` for nothing."""

    kind: str
    service: str
    at: float


class FailedError(Exception):
    """A piece of work that did not succeed."""


class Request:
    """One request as it happens: a clock, and the lines written so far."""

    def __init__(self, rng: np.random.Generator, fault: Fault, clock: float, trace_id: str) -> None:
        self.rng = rng
        self.fault = fault
        self.clock = clock
        self.trace_id = trace_id
        self.lines: list[Line] = []

    def log(self, service: str, level: str, message: str) -> None:
        """Write a line."""
        self.lines.append((self.clock, service, message, level, self.trace_id))

    def spend(self, milliseconds: float) -> None:
        """Let time pass, more or less."""
        self.clock += milliseconds / 1000 * float(self.rng.lognormal(0, 0.4))

    def hit(self, service: str, kind: str) -> bool:
        """Whether the fault is of this kind, and strikes this service now."""
        return self.fault.kind == kind and self.fault.service == service and self.clock >= self.fault.at

    def run(self, span: Span) -> None:
        """Do a piece of work."""
        number = int(self.rng.integers(1000, 99999))
        service, work = span.service, span.work
        if self.hit(service, "crash"):
            self.spend(5)
            raise FailedError(f"connection refused by {service}:{8000 + number % 5}")
        self.log(service, "INFO", f"{work} started for user {number}")
        self._work(span, number)
        for call in span.calls:
            self._call(span, call)
        self.spend(3)
        self.log(service, "INFO", f"{work} done, {number % 40} rows")

    def _work(self, span: Span, number: int) -> None:
        service = span.service
        self.spend(8)
        if self.hit(service, "slow"):
            self.spend(900)
        if self.hit(service, "traffic"):
            self.spend(60)
        for kind in ("exception", "memory", "config"):
            if self.hit(service, kind) and self.rng.random() < 0.5:
                level = "ERROR" if kind == "exception" else "WARN"
                self.spend(400 if kind == "memory" else 2)
                self.log(service, level, TROUBLE[kind].format(work=span.work, service=service, n=number))
                if kind != "memory":
                    raise FailedError(f"{service} answered 500")

    def _call(self, caller: Span, callee: Span) -> None:
        before = self.clock
        self.spend(2)
        try:
            self.run(callee)
        except FailedError as error:
            self.spend(2)
            self.log(caller.service, "ERROR", f"{caller.work} failed: {error}")
            if caller.service == "frontend":
                self.log("frontend", "ERROR", f"rendering error page for {caller.work}: upstream failure")
                self.log("frontend", "ERROR", "HTTP 500 sent to customer")
            raise FailedError(f"{caller.service} answered 500") from error
        self.spend(2)
        if self.clock - before > 0.8:
            self.log(caller.service, "WARN", f"slow call to {callee.service}: {1000 * (self.clock - before):.0f} ms")


def lines_of(rng: np.random.Generator, start: datetime, seconds: float, fault: Fault, load: float = 1.0) -> list[Row]:
    """All lines of a stretch of time, in order.

    Parameters
    ----------
    load
        Requests, as a multiple of the usual.
    """
    lines = [*_requests(rng, seconds, fault, load), *_neighbour(rng, seconds, noisy=fault.kind != "quiet")]
    if fault.kind == "traffic":
        lines += _flood(rng, seconds, fault)
    return [
        {
            "timestamp": (start + timedelta(seconds=at)).isoformat(timespec="microseconds"),
            "service": service,
            "message": message,
            "level": level,
            "instance": f"{service}-0",
            "trace_id": trace,
        }
        for at, service, message, level, trace in sorted(lines)
    ]


def _requests(rng: np.random.Generator, seconds: float, fault: Fault, load: float) -> Iterator[Line]:
    shares, plans = [share for share, _ in REQUESTS], [plan for _, plan in REQUESTS]
    for at in np.sort(rng.uniform(0, seconds, rng.poisson(REQUESTS_PER_SECOND * load * seconds))):
        request = Request(rng, fault, float(at), f"{rng.integers(16**8):08x}")
        try:
            request.run(plans[int(rng.choice(len(plans), p=shares))])
        except FailedError:
            request.spend(1)
        yield from request.lines


def _flood(rng: np.random.Generator, seconds: float, fault: Fault) -> Iterator[Line]:
    """A client that calls one service directly, far more often than all customers together."""
    (span,) = [found for _, plan in REQUESTS for found in _spans(plan) if found.service == fault.service][:1]
    for at in np.sort(rng.uniform(fault.at, seconds, rng.poisson(FLOOD_PER_SECOND * (seconds - fault.at)))):
        request = Request(rng, fault, float(at), f"{rng.integers(16**8):08x}")
        request.run(span)
        yield from request.lines


def _spans(span: Span) -> Iterator[Span]:
    yield span
    for call in span.calls:
        yield from _spans(call)


def _neighbour(rng: np.random.Generator, seconds: float, *, noisy: bool) -> Iterator[Line]:
    """Recommendation refreshes its cache, and sometimes complains for a while."""
    for at in np.arange(0.5, seconds, 2.0):
        yield float(at), "recommendation", f"refreshed {rng.integers(50, 90)} models", "INFO", ""
    for burst in np.sort(rng.uniform(0, seconds, rng.poisson(seconds / 60) + noisy)):
        for at in burst + np.sort(rng.uniform(0, 3, 25)):
            yield float(at), "recommendation", f"cache miss storm on shard {rng.integers(16)}", "WARN", ""


def normal(rng: np.random.Generator, start: datetime, seconds: float) -> list[Row]:
    """Lines of a stretch in which nothing is wrong."""
    return lines_of(rng, start, seconds, Fault("quiet", "", 0))


def incident(rng: np.random.Generator, start: datetime, kind: str, service: str) -> list[Row]:
    """Lines of an incident of two minutes; the fault begins after some 30 to 50 seconds.

    With the kind ``none`` nothing is wrong but the neighbour's noise and somewhat more or less traffic than usual.
    """
    return lines_of(rng, start, INCIDENT_SECONDS, Fault(kind, service, float(rng.uniform(30, 50))), _load(rng, kind))


def _load(rng: np.random.Generator, kind: str) -> float:
    return float(rng.uniform(0.7, 1.5)) if kind == "none" else 1.0


class Told(NamedTuple):
    """An incident as it is told: its lines, and what was changed shortly before."""

    rows: list[Row]
    changes: list[Row]


def told(rng: np.random.Generator, start: datetime, kind: str, service: str, condition: str) -> Told:
    """An incident whose logs are as imperfect as the condition says, with deploys that have nothing to do with it.

    A wrong configuration was changed seconds before; in every other incident somebody else was deployed in the hour before.
    """
    fault = Fault(kind, service, float(rng.uniform(30, 50)))
    rows = spoiled(rng, lines_of(rng, start, INCIDENT_SECONDS, fault, _load(rng, kind)), service, condition)
    changes = [_change(rng, service, start, fault.at - 2)] if kind == "config" else []
    if rng.random() < 0.5:
        others = [other for other in SERVICES if other != service]
        changes.append(_change(rng, str(rng.choice(others)), start, -float(rng.uniform(60, 3000))))
    return Told(rows, changes)


def _change(rng: np.random.Generator, service: str, start: datetime, at: float) -> Row:
    what = str(rng.choice(RELEASES)).format(n=rng.integers(2, 90))
    return {"service": service, "at": (start + timedelta(seconds=at)).isoformat(), "what": what}


def spoiled(rng: np.random.Generator, rows: list[Row], service: str, condition: str) -> list[Row]:
    """Rows as an imperfect collector would deliver them.

    ``clock skew``: one host's clock is up to two seconds off; ``lost lines``: every fifth line is missing; ``missing log``: a service that
    is not at fault, and is neither the frontend nor the database, delivers nothing.
    """
    if condition == "lost lines":
        return [row for row in rows if rng.random() >= LOST_SHARE]
    if condition == "missing log":
        absent = str(rng.choice([other for other in SERVICES[1:-1] if other != service]))
        return [row for row in rows if row["service"] != absent]
    if condition == "clock skew":
        wrong = str(rng.choice(SERVICES))
        off = timedelta(seconds=float(rng.uniform(-MOST_SKEW_SECONDS, MOST_SKEW_SECONDS)))
        moved = [row | {"timestamp": _later(row["timestamp"], off)} if row["service"] == wrong else row for row in rows]
        return sorted(moved, key=lambda row: row["timestamp"])
    return rows


def _later(timestamp: str, by: timedelta) -> str:
    return (datetime.fromisoformat(timestamp) + by).isoformat(timespec="microseconds")


def generate(seed: int) -> list[Row]:
    """Normal time, then incidents a quarter of an hour apart, labelled with who caused them."""
    rng = np.random.default_rng(seed)
    rows = [row | {"incident": "", "root_service": ""} for row in normal(rng, START, NORMAL_SECONDS)]
    for number, (kind, service) in enumerate(SAMPLE_INCIDENTS, start=1):
        start = START + timedelta(minutes=15 * number)
        label = {"incident": f"incident-{number}", "root_service": service}
        rows += [row | label for row in incident(rng, start, kind, service)]
    return rows


def main() -> None:
    """Write the sample; the same bytes every time."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(generate(seed=0))
    (Path(__file__).parent / "sample.csv.gz").write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


if __name__ == "__main__":
    main()
