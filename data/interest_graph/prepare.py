"""Write ``sample.csv``: half a year of actions in a made-up media app, with a planted truth.

Sixty-four topics form eight communities. A user cares about one community, and about some of its topics more than about others; half of
the users drift to another community at some time, and some hide a topic that they were shown. One action in ten is on any topic.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

COMMUNITIES = {
    "outdoors": ("hiking", "camping", "climbing", "trail running", "photography", "kayaking", "birdwatching", "maps"),
    "kitchen": ("baking", "coffee", "vegan cooking", "fermentation", "wine", "knives", "street food", "tea"),
    "games": ("chess", "board games", "strategy games", "speedrunning", "game design", "role-playing", "puzzles", "pixel art"),
    "science": ("astronomy", "physics", "biology", "mathematics", "climate", "chemistry", "geology", "neuroscience"),
    "music": ("jazz", "synthesizers", "vinyl", "songwriting", "opera", "guitar", "choirs", "festivals"),
    "home": ("gardening", "woodworking", "interior design", "plants", "renovation", "ceramics", "sewing", "beekeeping"),
    "sport": ("cycling", "football", "tennis", "swimming", "marathon", "yoga", "skiing", "sailing"),
    "technology": ("robotics", "programming", "electronics", "open source", "security", "3d printing", "drones", "databases"),
}
TASTE = (0.28, 0.19, 0.14, 0.11, 0.09, 0.08, 0.06, 0.05)
"""How a user's actions fall on the topics of the community, the favourite first; every user has another order."""

USERS = 260
DAYS = 180
START = datetime(2026, 1, 1, tzinfo=UTC)
DRIFT_DAYS = (60, 150)
ACTIONS = {"view": 0.55, "click": 0.25, "like": 0.1, "comment": 0.03, "share": 0.04, "follow": 0.03}
NOISE = 0.1
HIDE_SHARE = 0.2


class User(NamedTuple):
    """What a made-up user really cares about: the planted truth.

    Parameters
    ----------
    before, after
        Communities before and after `drift_at`; the same for those who do not drift.
    actions
        How many they do.
    hidden
        A topic that they hide, if they do.
    """

    user_id: str
    before: str
    after: str
    drift_at: datetime
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
    drift_at = START + timedelta(days=int(rng.integers(*DRIFT_DAYS)))
    return User(user_id, before, after, drift_at, int(np.clip(rng.lognormal(3.4, 0.7), 12, 250)), hidden)


def _actions(user: User, rng: np.random.Generator) -> Iterator[Row]:
    favourites = {name: rng.permutation(COMMUNITIES[name]) for name in dict.fromkeys((user.before, user.after))}
    everything = [topic for topics in COMMUNITIES.values() for topic in topics if topic != user.hidden]
    for _ in range(user.actions):
        at = START + timedelta(seconds=int(rng.integers(DAYS * 86_400)))
        mine = favourites[user.before if at < user.drift_at else user.after]
        topic = rng.choice(everything) if rng.random() < NOISE else rng.choice(mine, p=TASTE)
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
