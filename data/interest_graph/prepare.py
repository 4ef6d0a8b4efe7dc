"""Write ``sample.csv``: half a year of actions in a made-up media app, with a planted truth.

Forty topics form eight communities. A user cares about two or three topics of one community; half of the users drift to another
community in the middle of the time, and some hide a topic that they are shown too often. One action in eight is on any topic.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

COMMUNITIES = {
    "outdoors": ("hiking", "camping", "climbing", "trail running", "photography"),
    "kitchen": ("baking", "coffee", "vegan cooking", "fermentation", "wine"),
    "games": ("chess", "board games", "strategy games", "speedrunning", "game design"),
    "science": ("astronomy", "physics", "biology", "mathematics", "climate"),
    "music": ("jazz", "synthesizers", "vinyl", "songwriting", "opera"),
    "home": ("gardening", "woodworking", "interior design", "plants", "renovation"),
    "sport": ("cycling", "football", "tennis", "swimming", "marathon"),
    "technology": ("robotics", "programming", "electronics", "open source", "security"),
}
USERS = 240
DAYS = 180
START = datetime(2026, 1, 1, tzinfo=UTC)
DRIFT_AT = START + timedelta(days=DAYS / 2)
ACTIONS = {"view": 0.55, "click": 0.25, "like": 0.1, "comment": 0.03, "share": 0.04, "follow": 0.03}
NOISE = 0.125
HIDE_SHARE = 0.2


@dataclass(frozen=True)
class User:
    """What a made-up user really cares about: the planted truth.

    Parameters
    ----------
    before, after
        Communities before and after `DRIFT_AT`; the same for those who do not drift.
    actions
        How many they do.
    hidden
        A topic that they hide, if they do.
    """

    user_id: str
    before: str
    after: str
    actions: int
    hidden: str | None


Row = tuple[str, str, str, str]
"""``user_id, topic, action, timestamp``."""


def users(seed: int) -> list[User]:
    """The users and what they care about."""
    rng = np.random.default_rng([seed, 0])
    return [_user(f"u{number:03}", rng) for number in range(USERS)]


def generate(seed: int) -> list[Row]:
    """All actions, in the order of time."""
    rng = np.random.default_rng([seed, 1])
    rows = [row for user in users(seed) for row in _actions(user, rng)]
    return sorted(rows, key=lambda row: (row[3], row[0], row[1], row[2]))


def _user(user_id: str, rng: np.random.Generator) -> User:
    names = list(COMMUNITIES)
    before, other, third = (names[place] for place in rng.permutation(len(names))[:3])
    after = other if rng.random() < 0.5 else before
    hidden = str(rng.choice(COMMUNITIES[third])) if rng.random() < HIDE_SHARE else None
    return User(user_id, before, after, int(np.clip(rng.lognormal(3.4, 0.7), 12, 250)), hidden)


def _actions(user: User, rng: np.random.Generator) -> Iterator[Row]:
    favourites = {name: rng.permutation(COMMUNITIES[name]) for name in dict.fromkeys((user.before, user.after))}
    everything = [topic for topics in COMMUNITIES.values() for topic in topics if topic != user.hidden]
    for _ in range(user.actions):
        at = START + timedelta(seconds=int(rng.integers(DAYS * 86_400)))
        mine = favourites[user.before if at < DRIFT_AT else user.after]
        topic = rng.choice(everything) if rng.random() < NOISE else rng.choice(mine, p=(0.45, 0.25, 0.15, 0.1, 0.05))
        yield user.user_id, str(topic), str(rng.choice(list(ACTIONS), p=list(ACTIONS.values()))), _text(at)
    if user.hidden is not None:
        at = START + timedelta(seconds=int(rng.integers(DAYS * 86_400)))
        yield user.user_id, user.hidden, "view", _text(at)
        yield user.user_id, user.hidden, "hide", _text(at + timedelta(minutes=1))


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def main(folder: Path = Path(__file__).parent) -> None:
    """Write the sample beside this file, or to another folder."""
    with (folder / "sample.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("user_id", "topic", "action", "timestamp"))
        writer.writerows(generate(seed=0))


if __name__ == "__main__":
    main()
