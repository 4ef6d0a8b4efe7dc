"""Who clicks what, and what a policy is worth, on real logs; speed; and the same stream learned by river and Vowpal Wabbit.

Tables are found by their columns in whatever folder is given, and all are read with one configuration. A randomised mailing has the
columns `segment`, `visit` and others (Hillstrom); 3 folds. A log of Open Bandit has `item_id`, `position`, `click` and
`propensity_score`; 5 folds. Where one folder has a log of a random and one of a Bernoulli-Thompson policy of the same campaign, the
value of the second is estimated from the first alone and compared with what its own log shows. Of the men's logs, with 46 and 69
clicks, that cannot be known to 5%: the standard error of the doubly robust value is 24% of it, and of the policy's own value 12%, so an
estimator without any bias would come that near once in seven logs. Shrinking weights or rewards makes the interval narrower and the
estimate worse (18 to 34% too low): with so few clicks it draws the policy towards the log.

The stream is the log of ten days of `notification_simulator`, followed by ten more days that are decided by lot: each system predicts
a day's pushes and then learns from them. So nobody knows of the pushes earlier that day, and who counts pushes of the last day expects
too many clicks; asked and told hour by hour, as a server is, Foretell does not. river and Vowpal Wabbit are not dependencies; where they
are not installed, a row says so.
"""

from __future__ import annotations

import csv
import importlib.util
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import OneHotEncoder

from models.notification import Notification, NotificationConfig, NotificationExample, NotificationQuery
from models.off_policy import Trials, compare, refusal, value
from tests.benchmarks import _notification_world as simulated
from tests.benchmarks.notification_simulator import Foretell
from training.metrics import binary_metrics

START = datetime(2026, 1, 1, tzinfo=UTC)
SEED = 0
STREAM_USERS, STREAM_DAYS = 1_000, 20
_TIMED = 5_000

Row = dict[str, object]
Floats = NDArray[np.float64]
Examples = list[NotificationExample]
Table = list[dict[str, str]]


def run(data: Path) -> list[Row]:
    """All of it."""
    return [*_tables(data), *_speed(), *_stream()]


def _tables(data: Path) -> Iterator[Row]:
    for path in sorted(data.rglob("*.csv")):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            columns = set(next(csv.reader(file), ()))
            if {"segment", "visit"} <= columns:
                yield from _mailing(path.name, list(csv.DictReader(path.open(encoding="utf-8-sig", newline=""))))
            elif {"item_id", "position", "click", "propensity_score"} <= columns:
                yield from _bandit(path)


def _mailing(name: str, table: Table) -> Iterator[Row]:
    """A mailing that was decided by lot: who visits after which mail, and which mail to send to whom."""
    hidden = {"segment", "visit", "conversion", "spend"}
    examples = [
        NotificationExample(
            user_id=f"customer {number}",
            type=row["segment"],
            sent_at=START,
            clicked=row["visit"] == "1",
            context={f"had_{column}": cell for column, cell in row.items() if column not in hidden},
        )
        for number, row in enumerate(table)
    ]
    arms = sorted({example.type for example in examples})
    by_arm = np.empty((len(examples), len(arms)))
    yield from _judged(name, examples, 3, lambda model, test: by_arm.__setitem__(test, _by_type(model, [examples[i] for i in test], arms)))
    yield from _mail_policies(name, table, examples, arms, by_arm)


def _judged(
    name: str, examples: Examples, folds: int, also: Callable[[Notification, list[int]], object] = lambda *_: None
) -> Iterator[Row]:
    """Out-of-fold figures of every system."""
    clicked = np.array([example.clicked for example in examples])
    systems: dict[str, Floats] = {each: np.empty(len(clicked)) for each in ("foretell", "logistic x type", "type rate", "global rate")}
    seconds = []
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=SEED).split(clicked, clicked):
        began = time.perf_counter()
        model = Notification().fit(examples[place] for place in train)
        seconds.append(time.perf_counter() - began)
        systems["foretell"][test] = [answer.probability for answer in model.predict([_query(examples[place]) for place in test])]
        systems["logistic x type"][test] = _logistic(examples, clicked, train, test)
        systems["type rate"][test] = _type_rate(examples, clicked, train, test)
        systems["global rate"][test] = clicked[train].mean()
        also(model, test.tolist())
    for system, probabilities in systems.items():
        more: Row = {"fit_seconds": round(float(np.mean(seconds)), 2)} if system == "foretell" else {}
        yield {"system": system, "data": name, "rows": len(clicked), **binary_metrics(clicked, probabilities), **more}


def _query(example: NotificationExample, kind: str | None = None) -> NotificationQuery:
    return NotificationQuery(user_id=example.user_id, type=kind or example.type, at=example.sent_at, context=example.context)


def _by_type(model: Notification, examples: Examples, kinds: Sequence[str]) -> Floats:
    """Probabilities of shape (number_of_examples, number_of_kinds)."""
    answers = model.predict([_query(example, kind) for example in examples for kind in kinds])
    return np.array([answer.probability for answer in answers]).reshape(len(examples), len(kinds))


def _logistic(examples: Examples, clicked: NDArray[np.bool_], train: Any, test: Any) -> Floats:
    """One-hot columns, alone and with the type."""
    cells = [[*example.context.values(), *(f"{example.type} {cell}" for cell in example.context.values())] for example in examples]
    encoder = OneHotEncoder(handle_unknown="ignore", min_frequency=20).fit([cells[place] for place in train])
    model = LogisticRegression(C=0.1, max_iter=300).fit(encoder.transform([cells[place] for place in train]), clicked[train])
    return np.asarray(model.predict_proba(encoder.transform([cells[place] for place in test]))[:, 1])


def _type_rate(examples: Examples, clicked: NDArray[np.bool_], train: Any, test: Any) -> Floats:
    sent, hits = Counter(examples[place].type for place in train), Counter(examples[place].type for place in train if clicked[place])
    overall = clicked[train].mean()
    return np.array([(hits[examples[place].type] + 20 * overall) / (sent[examples[place].type] + 20) for place in test])


def _mail_policies(name: str, table: Table, examples: Examples, arms: Sequence[str], by_arm: Floats) -> Iterator[Row]:
    """Which mail to send: always the best one, the likeliest by the model, or by two rules; each beside the first."""
    logged = np.array([arms.index(example.type) for example in examples])
    shares = np.bincount(logged) / len(logged)
    reward = np.array([float(bool(example.clicked)) for example in examples])
    every = np.arange(len(logged))

    def trials(chosen: NDArray[np.int64]) -> Trials:
        target = (chosen == logged).astype(float)
        return Trials(reward, shares[logged], target, by_arm[every, logged], by_arm[every, chosen])

    best = int(np.argmax([reward[logged == arm].mean() for arm in range(len(arms))]))
    policies = {f"all: {arms[best]}": np.full(len(logged), best), "argmax of foretell": by_arm.argmax(axis=1)}
    if {"mens", "womens"} <= table[0].keys() and "Womens E-Mail" in arms:
        only_womens = np.array([row["womens"] == "1" and row["mens"] == "0" for row in table])
        policies["two rules"] = np.where(only_womens, arms.index("Womens E-Mail"), best)
    first = trials(policies[f"all: {arms[best]}"])
    for policy, chosen in policies.items():
        found, (difference, verdict) = value(trials(chosen)), compare(trials(chosen), first)
        interval = {"policy_value": found.dr.value, "low": found.dr.low, "high": found.dr.high}
        against = {"against_first": difference.value, "against_low": difference.low, "against_high": difference.high, "verdict": verdict}
        yield {"system": policy, "data": f"{name}, policies", **interval, **against, "refused": refusal(trials(chosen))}


def _bandit(path: Path) -> Iterator[Row]:
    table = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    examples = [_shown(number, row) for number, row in enumerate(table)]
    yield from _judged(path.name, examples, 5)
    other = path.with_name(path.name.replace("random", "bts"))
    if other != path and other.is_file():
        yield from _other_policy(path, table, examples, list(csv.DictReader(other.open(encoding="utf-8", newline=""))))


def _shown(number: int, row: Mapping[str, str]) -> NotificationExample:
    context = {column: cell for column, cell in row.items() if column.startswith("user_feature")}
    context |= {"position": row["position"], "affinity": row.get(f"user-item_affinity_{row['item_id']}", "0")}
    return NotificationExample(
        user_id=f"visitor {number}",
        type=f"item {row['item_id']}",
        sent_at=datetime.fromisoformat(row["timestamp"]),
        clicked=row["click"] == "1",
        context=context,
    )


def _other_policy(path: Path, table: Table, examples: Examples, own: Table) -> Iterator[Row]:
    """The value of a policy by the log of another, beside what its own log shows."""
    items = sorted({row["item_id"] for row in table + own})
    place = {item: number for number, item in enumerate(items)}
    shown = Counter((row["position"], row["item_id"]) for row in own)
    per_position = Counter(row["position"] for row in own)
    policy = np.array([[shown[row["position"], item] / per_position[row["position"]] for item in items] for row in table])
    logged = np.array([place[row["item_id"]] for row in table])
    expected = np.empty(policy.shape)
    clicked = np.array([example.clicked for example in examples])
    for train, test in StratifiedKFold(2, shuffle=True, random_state=SEED).split(clicked, clicked):
        model = Notification().fit(examples[number] for number in train)
        expected[test] = _by_type(model, [examples[number] for number in test], [f"item {item}" for item in items])
    every = np.arange(len(table))
    trials = Trials(
        reward=clicked.astype(float),
        propensity=np.array([float(row["propensity_score"]) for row in table]),
        target=policy[every, logged],
        expected=expected[every, logged],
        expected_of_policy=(policy * expected).sum(axis=1),
    )
    rewards = np.array([row["click"] == "1" for row in own], dtype=float)
    truth, error = float(rewards.mean()), 1.96 * rewards.std() / np.sqrt(len(rewards))
    found = value(trials)
    yield {
        "system": "its own log",
        "data": f"{path.name}, other policy",
        "policy_value": truth,
        "low": truth - error,
        "high": truth + error,
    }
    for name in ("ips", "snips", "dr"):
        estimate = getattr(found, name)
        row: Row = {"policy_value": estimate.value, "low": estimate.low, "high": estimate.high}
        off = {"relative_error": abs(estimate.value - truth) / truth, "covers_truth": estimate.holds(truth), "refused": refusal(trials)}
        yield {"system": name, "data": f"{path.name}, other policy", **row, **off}


def _speed() -> Iterator[Row]:
    """One decision at a time, and updates as they come from the store, on the log of the simulated."""
    log = _simulated(STREAM_USERS, STREAM_DAYS // 2)
    for mode in ("threshold", "value"):
        model = Notification(NotificationConfig(mode=mode)).fit(log[: len(log) // 2])
        rest = log[len(log) // 2 :]
        queries, latencies = [_query(example) for example in rest[:_TIMED]], []
        for query in queries:
            began = time.perf_counter()
            model.predict([query])
            latencies.append(time.perf_counter() - began)
        began = time.perf_counter()
        for start in range(0, len(rest), 500):
            model.update(rest[start : start + 500])
        rate = len(rest) / (time.perf_counter() - began)
        p50, p99 = (round(1e3 * float(np.quantile(latencies, q)), 3) for q in (0.5, 0.99))
        yield {"system": "foretell", "data": f"speed, mode {mode}", "p50_ms": p50, "p99_ms": p99, "updates_per_second": round(rate)}


def _simulated(users: int, days: int) -> Examples:
    """Pushes that were decided by lot, in a made-up world, in the order of time; a click is known when the next hour begins."""
    world, fate, rows = simulated.World.made(users, 60, SEED), np.random.default_rng([SEED, 1]), []
    model = Foretell(world.segment, users)
    for hour in range(days * 24):
        who, kinds, luck, lot = simulated.arrivals(users, hour, fate)
        pushed = lot < simulated.PUSHED_IN_THE_LOG
        actions = np.full(int(pushed.sum()), simulated.PUSH)
        told = simulated.happen(world, hour, who[pushed], kinds[pushed], actions, luck[pushed], np.ones(len(actions)))
        rows += [event.model_copy(update={"clicked": bool(event.clicked)}) for event in model.events(told)]
        world.next_hour()
    return rows


def _stream() -> Iterator[Row]:
    """Log loss of the second half, day by day predicted before it is learned, and updates a second."""
    log = _simulated(STREAM_USERS, STREAM_DAYS)
    days: list[Examples] = [[] for _ in range(STREAM_DAYS)]
    for row in log:
        days[(row.sent_at - simulated.START).days].append(row)
    yield from (_streamed(name, system, days) for name, system in _systems().items())


def _systems() -> dict[str, Callable[[], Any] | None]:
    river, wabbit = (importlib.util.find_spec(name) is not None for name in ("river", "vowpalwabbit"))
    return {"foretell": _Foretell, "river": _River if river else None, "vowpal wabbit": _Wabbit if wabbit else None, "type rate": _Rate}


def _streamed(name: str, system: Callable[[], Any] | None, days: Sequence[Examples]) -> Row:
    data = f"stream, {STREAM_USERS:,} users x {len(days)} days"
    if system is None:
        return {"system": name, "data": data, "absent": "not installed here"}
    half, losses, learned, seconds = len(days) // 2, [], 0, 0.0
    learner = system()
    learner.begin([row for day in days[:half] for row in day])
    for day in days[half:]:
        clicked = np.array([bool(row.clicked) for row in day])
        losses.append(binary_metrics(clicked, learner.predict(day))["log_loss"])
        began = time.perf_counter()
        learner.learn(day)
        seconds += time.perf_counter() - began
        learned += len(day)
    by_day = [round(loss, 4) for loss in losses]
    return {
        "system": name,
        "data": data,
        "log_loss": float(np.mean(losses)),
        "log_loss_by_day": by_day,
        "updates_per_second": round(learned / seconds),
    }


class _Foretell:
    def begin(self, rows: Examples) -> None:
        self.model = Notification().fit(rows)

    def predict(self, rows: Examples) -> list[float]:
        return [answer.probability for answer in self.model.predict([_query(row) for row in rows])]

    def learn(self, rows: Examples) -> None:
        for start in range(0, len(rows), 500):
            self.model.update(rows[start : start + 500])


class _Rate:
    def begin(self, rows: Examples) -> None:
        self.sent, self.clicked = Counter[str](), Counter[str]()
        self.learn(rows)

    def predict(self, rows: Examples) -> list[float]:
        return [(self.clicked[row.type] + 1) / (self.sent[row.type] + 10) for row in rows]

    def learn(self, rows: Examples) -> None:
        self.sent.update(row.type for row in rows)
        self.clicked.update(row.type for row in rows if row.clicked)


def _features(row: NotificationExample) -> dict[str, str]:
    """What an online learner is usually given: type, user, segment, hour, and what they make together."""
    hour = str(row.sent_at.hour)
    parts = {"type": row.type, "user": row.user_id, "segment": str(row.context["segment"]), "hour": hour}
    return parts | {
        "user_type": f"{row.user_id} {row.type}",
        "segment_type": f"{parts['segment']} {row.type}",
        "hour_type": f"{hour} {row.type}",
    }


class _River:
    def begin(self, rows: Examples) -> None:
        from river import compose, linear_model, optim, preprocessing  # type: ignore[import-not-found]

        model = linear_model.LogisticRegression(optimizer=optim.AdaGrad(0.1), l2=1e-4)
        self.model = compose.Pipeline(preprocessing.OneHotEncoder(), model)
        self.learn(rows)

    def predict(self, rows: Examples) -> list[float]:
        return [self.model.predict_proba_one(_features(row)).get(True, 0.5) for row in rows]

    def learn(self, rows: Examples) -> None:
        for row in rows:
            self.model.learn_one(_features(row), bool(row.clicked))


class _Wabbit:
    def begin(self, rows: Examples) -> None:
        from vowpalwabbit import Workspace  # type: ignore[import-not-found]

        self.model = Workspace("--loss_function logistic --link logistic -b 20 --quiet")
        self.learn(rows)

    def predict(self, rows: Examples) -> list[float]:
        return [float(self.model.predict(self._line(row, labelled=False))) for row in rows]

    def learn(self, rows: Examples) -> None:
        for row in rows:
            self.model.learn(self._line(row, labelled=True))

    def _line(self, row: NotificationExample, *, labelled: bool) -> str:
        words = " ".join(f"{name}={text.replace(' ', '_')}" for name, text in _features(row).items())
        return f"{(1 if row.clicked else -1) if labelled else ''} | {words}"
