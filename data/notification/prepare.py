"""Write ``sample.csv``: two months of notifications of a made-up app, with a planted truth.

What a user clicks depends on the type, on the user's segment, on a taste of their own, on the hour of their own clock and on how many
pushes they got in the last day. Some turn a type off when they get too much of it. One notification in four was put into the digest,
by lot: the log says with which probability.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

LOG_ODDS = {"Social": -0.9, "News": -2.1, "Promo": -3.2, "Reminder": -1.6, "Receipt": -0.4}
"""Of a click, by type: of the average user, at an average hour, after a quiet day."""

SEGMENTS = {"casual": -0.5, "regular": 0.0, "devoted": 0.6}
PLATFORMS = ("ios", "android")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC")
TASTE = 0.9
"""Standard deviation of a user's own log-odds for a type."""

EVENING = (18, 22)
EVENING_GAIN = 0.7
FATIGUE = 0.25
"""Log-odds that each push of the last day costs."""

DISABLE = 0.004
"""Chance that a push makes a user turn its type off, doubled by each push of the last day."""

DIGEST_SHARE = 0.4
PUSH_PROPENSITY = 0.75
USERS, DAYS, PER_DAY = 120, 60, 1.3
START = datetime(2026, 1, 1, tzinfo=UTC)

COLUMNS = (
    *("user_id", "type", "sent_at", "clicked", "happened_at", "dismissed", "disabled"),
    *("decision", "propensity", "time_zone", "segment", "platform"),
)


class User(NamedTuple):
    """What a made-up user really likes: the planted truth.

    Parameters
    ----------
    taste
        Log-odds beyond those of the type and the segment, by type.
    """

    user_id: str
    segment: str
    platform: str
    time_zone: str
    taste: dict[str, float]

    def log_odds(self, kind: str, at: datetime, pushes_last_day: int) -> float:
        """Of a click on a push."""
        hour = at.astimezone(ZoneInfo(self.time_zone)).hour
        evening = EVENING_GAIN if EVENING[0] <= hour < EVENING[1] else 0.0
        return LOG_ODDS[kind] + SEGMENTS[self.segment] + self.taste[kind] + evening - FATIGUE * pushes_last_day


def users(seed: int) -> list[User]:
    """The users and what they like."""
    rng = np.random.default_rng([seed, 0])
    return [
        User(
            f"u{number:03}",
            str(rng.choice(list(SEGMENTS), p=[0.5, 0.35, 0.15])),
            str(rng.choice(PLATFORMS)),
            str(rng.choice(ZONES)),
            {kind: float(rng.normal(0, TASTE)) for kind in LOG_ODDS},
        )
        for number in range(USERS)
    ]


def generate(seed: int) -> list[dict[str, str]]:
    """All notifications, in the order of time."""
    rng = np.random.default_rng([seed, 1])
    rows = [row for user in users(seed) for row in _notifications(user, rng)]
    return sorted(rows, key=lambda row: (row["sent_at"], row["user_id"], row["type"]))


def _notifications(user: User, rng: np.random.Generator) -> Iterator[dict[str, str]]:
    pushed: list[datetime] = []
    turned_off: set[str] = set()
    minutes = np.sort(rng.integers(0, DAYS * 24 * 60, rng.poisson(DAYS * PER_DAY)))
    for minute in np.unique(minutes):
        at = START + timedelta(minutes=int(minute))
        kind = str(rng.choice(list(LOG_ODDS), p=[0.3, 0.25, 0.25, 0.12, 0.08]))
        push = bool(rng.random() < PUSH_PROPENSITY)
        load = sum(at - earlier <= timedelta(days=1) for earlier in pushed[-20:])
        probability = 1 / (1 + np.exp(-user.log_odds(kind, at, load))) * (1.0 if push else DIGEST_SHARE)
        clicked = bool(rng.random() < probability)
        dismissed = push and not clicked and bool(rng.random() < 0.3)
        disabled = push and not clicked and bool(rng.random() < DISABLE * 2**load)
        happened_at = at + timedelta(seconds=int(rng.exponential(600)) + 5)
        if kind in turned_off:
            continue
        if push:
            pushed.append(at)
        if disabled:
            turned_off.add(kind)
        yield {
            "user_id": user.user_id,
            "type": kind,
            "sent_at": _text(at),
            "clicked": "true" if clicked else "false",
            "happened_at": _text(happened_at) if clicked or dismissed else "",
            "dismissed": "true" if dismissed else "false",
            "disabled": "true" if disabled else "false",
            "decision": "push" if push else "digest",
            "propensity": f"{PUSH_PROPENSITY if push else 1 - PUSH_PROPENSITY:g}",
            "time_zone": user.time_zone,
            "segment": user.segment,
            "platform": user.platform,
        }


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def main(folder: Path = Path(__file__).parent) -> None:
    """Write the sample beside this file, or to another folder."""
    with (folder / "sample.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(generate(seed=0))


if __name__ == "__main__":
    main()
