"""Whatever happens in whatever order, every acknowledged event is counted exactly once by every worker.

A state machine on a real SQLite store, real snapshots and real interest graphs: events and repeats, portions of replay, crashes,
snapshots (also such as are overtaken by a forgetting), trainings on what is stored, rollbacks, people forgotten. `make test` runs
100 examples; `make nightly` runs 2,000, other ones each time, and counts them.
"""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from models.interest_graph import InterestGraph, InterestGraphEvent, InterestGraphQuery
from serving.online import Replica, Snapshots, stored_events
from serving.registry import Version
from serving.store import NewEvent, Store

SLUG = "interest_graph"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
USERS = ["ada", "bob", "cyd"]
TOPICS = ["chess", "go", "jazz", "opera"]
BASE = [InterestGraphEvent(user_id=user, topic=topic, action="like", timestamp=NOON) for user in [*USERS, "dan"] for topic in TOPICS[:2]]

Numbers = st.lists(st.integers(0, 59), min_size=1, max_size=6)


@cache
def empty_store() -> Path:
    """Made once: the migrations take longer than an example."""
    path = Path(mkdtemp()) / "store.db"
    store = Store(f"sqlite:///{path}")
    store.newest(SLUG)
    store.close()
    return path


def event(number: int) -> InterestGraphEvent:
    """The event that a client calls by a number: always the same."""
    user, topic = USERS[number % 3], TOPICS[number % 4]
    return InterestGraphEvent(user_id=user, topic=topic, action="view", timestamp=NOON + timedelta(hours=number - 30))


class Workers(RuleBasedStateMachine):
    """Two workers, a store, a registry of versions; and a list of what was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(mkdtemp())
        shutil.copy(empty_store(), self.home / "store.db")
        self.snapshots = Snapshots(self.home, SLUG)
        self.stores = [self.connect(), self.connect()]
        self.crashed: list[Store] = []
        self.folders: dict[str, Path] = {}
        self.versions: list[Version] = []
        self.acknowledged: list[int] = []
        self.base = list(BASE)
        self.unfinished: Replica | None = None

    def connect(self) -> Store:
        return Store(f"sqlite:///{self.home / 'store.db'}")

    @initialize()
    def train_and_start(self) -> None:
        self.champion = self.register(InterestGraph().fit(self.base), {})
        self.replicas = [self.build(each) for each in (0, 1)]

    def register(self, model: InterestGraph, tags: dict[str, str]) -> Version:
        number = str(len(self.folders) + 1)
        folder = self.home / "versions" / number
        version = Version(slug=SLUG, version=number, manifest_sha256=model.save(folder), tags=tags)
        self.folders[number] = folder
        self.versions.append(version)
        return version

    def read(self, version: Version) -> Any:
        return InterestGraph.load(self.folders[version.version], manifest_sha256=version.manifest_sha256)

    def build(self, worker: int) -> Replica:
        return Replica.build(self.champion, self.read, self.stores[worker], self.snapshots)

    @rule(numbers=Numbers, worker=st.integers(0, 1))
    def events_arrive(self, numbers: list[int], worker: int) -> None:
        new = [NewEvent(f"e{number}", event(number).user_id, event(number).model_dump_json()) for number in numbers]
        told = self.stores[worker].append(SLUG, new)
        self.acknowledged += [number for number, kept in zip(numbers, told, strict=True) if kept]

    @rule(worker=st.integers(0, 1), portion=st.integers(1, 5))
    def a_portion_is_applied(self, worker: int, portion: int) -> None:
        if self.replicas[worker].epoch == self.stores[worker].epoch(SLUG):
            self.replicas[worker].follow(self.stores[worker], portion)

    @rule(worker=st.integers(0, 1))
    def a_worker_crashes_and_starts_again(self, worker: int) -> None:
        self.crashed.append(self.stores[worker])
        self.stores[worker] = self.connect()
        self.replicas[worker] = self.build(worker)

    @rule()
    def a_snapshot_is_begun(self) -> None:
        self.unfinished = self.build(0)
        self.unfinished.catch_up(self.stores[0])

    @precondition(lambda self: self.unfinished is not None)
    @rule()
    def a_snapshot_is_finished(self) -> None:
        replica, store = self.unfinished, self.stores[0]
        assert replica is not None
        with self.snapshots.alone() as lock:
            assert lock is not None
            self.snapshots.save(replica.snapshot(store), replica.model, lambda: store.epoch(SLUG) == replica.epoch)
        self.unfinished = None

    @rule()
    def a_version_is_trained_on_what_is_stored(self) -> None:
        history = stored_events(SLUG, self.stores[0])
        self.champion = self.register(InterestGraph().fit([*self.base, *history.rows]), dict(history.tags))

    @rule(back=st.integers(1, 3))
    def the_champion_is_rolled_back(self, back: int) -> None:
        self.champion = self.versions[max(len(self.versions) - back, 0)]

    @rule(worker=st.integers(0, 1))
    def a_worker_sees_the_champion(self, worker: int) -> None:
        if self.replicas[worker].version != self.champion:
            self.replicas[worker] = self.build(worker)

    @rule(user=st.sampled_from(USERS), with_a_late_snapshot=st.booleans())
    def somebody_is_forgotten(self, user: str, with_a_late_snapshot: bool) -> None:
        """In the order of the command: versions, store, snapshots."""
        known, self.versions = self.versions, []
        for version in known:
            scrubbed = self.register(self.read(version).forget(user), version.tags)
            self.champion = scrubbed if version == self.champion else self.champion
        if with_a_late_snapshot:
            self.a_snapshot_is_begun()
            self.a_snapshot_is_finished()
        self.stores[0].forget(user)
        self.snapshots.purge()
        self.base = [row for row in self.base if row.user_id != user]
        self.acknowledged = [number for number in self.acknowledged if event(number).user_id != user]

    @rule()
    def everybody_catches_up(self) -> None:
        for worker, store in enumerate(self.stores):
            replica = self.replicas[worker]
            if replica.version not in self.versions or replica.epoch != store.epoch(SLUG):
                replica = self.replicas[worker] = self.build(worker)
            replica.catch_up(store)
            expected = Counter(row.user_id for row in [*self.base, *map(event, self.acknowledged)])
            assert counted(replica.model) == expected
        one, two = self.replicas
        assert (one.version != two.version) or one.model.fingerprint() == two.model.fingerprint()

    def teardown(self) -> None:
        try:
            if hasattr(self, "replicas"):
                self.everybody_catches_up()
        finally:
            for store in [*self.stores, *self.crashed]:
                store.close()
            shutil.rmtree(self.home)


def counted(model: Any) -> Counter[str]:
    answers = model.predict([InterestGraphQuery(user_id=user) for user in [*USERS, "dan"]])
    actions = {each.user_id: sum(interest.actions for interest in [*each.interests, *each.rejected]) for each in answers}
    return +Counter(actions)


TestExactlyOnce = Workers.TestCase
TestExactlyOnce.settings = settings(stateful_step_count=15, suppress_health_check=list(HealthCheck))
