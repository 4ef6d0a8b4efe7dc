"""Other settings of the decision, judged on a log: what they would have been worth, and what would have changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from models.notification.records import NotificationExample, NotificationPrediction, NotificationQuery
from models.notification.vocabulary import Action
from models.off_policy import Overlap, PolicyValue, Trials, numbered, overlap, refusal, value

DECIDING = frozenset(
    {
        *("mode", "threshold", "critical_types", "exploration", "exploration_scale", "exploration_floor", "daily_cap", "quiet_hours"),
        *("disable_cost", "fatigue_cost", "in_app_share", "digest_share", "least_value", "delay_hours", "delay_cost", "time_zone"),
    }
)
"""Settings that change decisions and nothing that was learned."""

MOST_CHANGES = 50
_WEEK = timedelta(days=7)
_MOST_UNREPORTED = 100

_ROW: dict[str, Any] = {
    "user_id": "u017",
    "type": "Social",
    "sent_at": "2026-03-02T17:30:00Z",
    "clicked": True,
    "decision": "push",
    "propensity": 0.75,
}


class PolicyQuestion(BaseModel):
    """Settings to be tried, and the log to try them on."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, json_schema_extra={"examples": [{"log": [_ROW], "set": {"threshold": 0.2}}]}
    )

    log: list[NotificationExample] = Field(
        min_length=1, description="What was decided since the training, with which `propensity`, and what became of it."
    )
    settings: Mapping[str, Any] = Field(
        alias="set", description="Settings of the decision and their new values; text is read as on the command line."
    )


class Change(BaseModel):
    """A logged decision that would be another."""

    model_config = ConfigDict(frozen=True)

    user_id: str = Field(description="Whom it was for.")
    type: str = Field(description="Its type.")
    sent_at: AwareDatetime = Field(description="When it was decided.")
    probability: float = Field(description="Of a click on a push, as known now.")
    logged: Action = Field(description="What was done.")
    instead: Action = Field(description="What would most likely be done.")
    probability_instead: float = Field(description="With which probability.")


class ChangeCount(BaseModel):
    """How often one decision would become another."""

    model_config = ConfigDict(frozen=True)

    logged: Action = Field(description="What was done.")
    instead: Action = Field(description="What would most likely be done.")
    decisions: int = Field(description="How many of the log.")


class PolicyReport(BaseModel):
    """What other settings would have been worth on a log; or why that cannot be known."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "settings": {"threshold": 0.2},
                    "refused": "the 1 logged decisions say as much about this policy as 1 of its own would, and 100 is the least: ...",
                    "overlap": {"decisions": 1, "effective": 1.0, "mean_weight": 1.3, "greatest_share": 1.0},
                    "left_out": 0,
                    "trained_on": 0,
                    "value": None,
                    "changed": [],
                    "changes": [],
                }
            ]
        },
    )

    settings: Mapping[str, Any] = Field(description="What was tried.")
    refused: str | None = Field(description="Why the log cannot say what this is worth; then there is no value.")
    overlap: Overlap = Field(description="How much of what the settings would do the log has tried.")
    left_out: int = Field(description="Rows without a propensity, or of which it is not known yet whether they were clicked.")
    trained_on: int = Field(description="Rows that the model was trained on; they cannot judge it, and are left out too.")
    value: PolicyValue | None = Field(
        description="Per decision: the value of the click, less `disable_cost` where the user turned the type off."
    )
    changed: list[ChangeCount] = Field(description="What would have changed, by kind, the most frequent first.")
    changes: list[Change] = Field(description=f"The surest of these changes, at most {MOST_CHANGES}.")


def questions(log: Sequence[NotificationExample]) -> list[NotificationQuery]:
    """What was asked when each row was decided, with the pushes of the log before it."""
    pushed: dict[str, list[NotificationExample]] = defaultdict(list)
    asked: list[NotificationQuery | None] = [None] * len(log)
    for place in sorted(range(len(log)), key=lambda place: log[place].sent_at):
        row = log[place]
        asked[place] = question(row, pushed[row.user_id])
        if row.decision == "push":
            pushed[row.user_id].append(row)
    return [query for query in asked if query is not None]


def question(row: NotificationExample, pushed: Sequence[NotificationExample]) -> NotificationQuery:
    """What was asked when a row was decided.

    Parameters
    ----------
    pushed
        The user's pushes before it.
    """
    recent = {each.sent_at for each in pushed[-_MOST_UNREPORTED:] if row.sent_at - each.sent_at <= _WEEK}
    return NotificationQuery(
        user_id=row.user_id,
        type=row.type,
        channel=row.channel,
        at=row.sent_at,
        time_zone=row.time_zone,
        value=row.value,
        context=row.context,
        unreported=tuple(sorted(recent)),
    )


def report(
    log: Sequence[NotificationExample],
    predictions: Sequence[NotificationPrediction],
    expected: Sequence[Mapping[Action, float]],
    settings: Mapping[str, Any],
    disable_cost: float,
    trained_on: int,
) -> PolicyReport:
    """What the policy that made some predictions would have been worth on a log.

    Parameters
    ----------
    log
        Logged decisions.
    predictions
        What the policy says to each.
    expected
        What each action is expected to bring, by row.
    trained_on
        How many rows were left out because the model had been trained on them.
    """
    usable = [place for place, row in enumerate(log) if row.propensity is not None and (row.clicked is not None or row.dismissed)]
    rows, answers = [log[place] for place in usable], [predictions[place] for place in usable]
    worth = [expected[place] for place in usable]
    pairs = list(zip(rows, answers, worth, strict=True))
    trials = Trials(
        reward=np.array([row.value * bool(row.clicked) - disable_cost * row.disabled for row in rows], dtype=np.float64),
        propensity=np.array([row.propensity for row in rows], dtype=np.float64),
        target=np.array([answer.propensities.get(row.decision, 0.0) for row, answer, _ in pairs], dtype=np.float64),
        expected=np.array([each[row.decision] for row, _, each in pairs], dtype=np.float64),
        expected_of_policy=np.array(
            [sum(p * each[action] for action, p in answer.propensities.items()) for _, answer, each in pairs], dtype=np.float64
        ),
        subject=numbered([row.user_id for row in rows]),
    )
    refused = refusal(trials)
    if not rows and trained_on:
        refused = f"the model was trained on all {trained_on:,} rows of this log: give what was decided since"
    changes = sorted((_change(row, answer) for row, answer, _ in pairs), key=lambda each: (-each.probability_instead, each.sent_at))
    changes = [each for each in changes if each.instead != each.logged]
    counts = Counter((each.logged, each.instead) for each in changes)
    return PolicyReport(
        settings=settings,
        refused=refused,
        overlap=overlap(trials),
        left_out=len(log) - len(rows),
        trained_on=trained_on,
        value=None if refused else value(trials),
        changed=[ChangeCount(logged=old, instead=new, decisions=count) for (old, new), count in counts.most_common()],
        changes=changes[:MOST_CHANGES],
    )


def _change(row: NotificationExample, answer: NotificationPrediction) -> Change:
    likeliest = max(answer.propensities, key=lambda action: answer.propensities[action])
    return Change(
        user_id=row.user_id,
        type=row.type,
        sent_at=row.sent_at,
        probability=answer.probability,
        logged=row.decision,
        instead=likeliest,
        probability_instead=answer.propensities[likeliest],
    )
