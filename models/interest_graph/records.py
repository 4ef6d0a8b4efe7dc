"""What the interest graph reads, is asked and answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from models.base import Config, Prediction, Record

MAX_WEIGHT = 100_000_000.0
MAX_K = 1000

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
"""Control characters cannot be written to GraphML."""

ACTION_WEIGHTS = {
    "impression": 0.1,
    "view": 1.0,
    "click": 2.0,
    "search": 2.0,
    "comment": 4.0,
    "like": 4.0,
    "share": 5.0,
    "save": 5.0,
    "follow": 6.0,
    "purchase": 8.0,
    "skip": -0.5,
    "dismiss": -2.0,
    "dislike": -4.0,
    "unfollow": -6.0,
    "hide": -8.0,
}
"""How much interest an action shows, in views: the more an action costs the user, the more it says."""


def _as_text(value: Any) -> Any:
    """Ids are text: 12, 12.0 and ``"12"`` name the same user, whether they came from CSV or JSON."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Name = Annotated[str, BeforeValidator(_as_text), StringConstraints(strip_whitespace=True, min_length=1, max_length=256, pattern=_PRINTABLE)]
Action = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=64)]


class InterestGraphConfig(Config):
    """Settings of the interest graph."""

    half_life_days: float = Field(default=30.0, ge=1.0, le=36_500.0, description="Days after which an action counts half.")
    action_weights: Mapping[Action, Annotated[float, Field(ge=-16.0, le=16.0)]] = Field(
        default=ACTION_WEIGHTS,
        description="Interest that an action shows, in views, from -16 to 16; negative for rejection. Other actions are refused.",
    )
    neighbours: int = Field(default=256, ge=1, le=2048, description="Related topics that are kept for each topic.")
    rank: int = Field(default=128, ge=1, le=1024, description="Singular vectors in which topics are compared.")
    ridge: float = Field(default=0.1, gt=0.0, le=10.0, description="Regularisation of the relations, as a share of the greatest one.")


class InterestGraphEvent(Record):
    """A user did something with a topic."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user_id": "u017", "topic": "photography", "action": "like", "timestamp": "2026-03-02T09:30:00Z", "weight": 1}]
        }
    )

    subject: ClassVar[str | None] = "user_id"

    user_id: Name = Field(description="Who.")
    topic: Name = Field(description="The topic, category, artist or other thing that a user may be interested in.")
    action: Action = Field(default="view", description="What the user did; one of the configured actions. Absent: a view.")
    timestamp: AwareDatetime | None = Field(default=None, description="When, with a time zone. Absent: an interest that does not fade.")
    weight: float = Field(default=1.0, ge=0.0, le=MAX_WEIGHT, description="How often: 5 means the same as five such rows.")


class InterestGraphQuery(Record):
    """A question about one user: what now, and what next."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_id": "u017", "k": 5, "as_of": "2026-04-01T00:00:00Z"}]})

    subject: ClassVar[str | None] = "user_id"

    user_id: Name = Field(description="Who.")
    k: int = Field(default=10, ge=1, le=MAX_K, description="How many interests and how many recommendations, at most.")
    as_of: AwareDatetime | None = Field(
        default=None, description="The instant asked about, with a time zone. Absent: the newest event seen."
    )


class RelatedQuery(BaseModel):
    """A question about one topic: what people who care about it care about besides."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [{"topic": "photography", "k": 3}]})

    topic: Name = Field(description="The topic.")
    k: int = Field(default=10, ge=1, le=MAX_K, description="How many related topics, at most.")


class RelatedTopic(BaseModel):
    """An edge of the graph between two topics."""

    model_config = ConfigDict(frozen=True)

    topic: str = Field(description="The related topic.")
    strength: float = Field(description="How much interest in the one says about interest in the other; orders the topics of one answer.")
    users: int = Field(description="Users who care about both, at the last training.")


class RelatedTopics(BaseModel):
    """What goes with a topic, as of the last training."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [{"topic": "photography", "known": True, "related": [{"topic": "hiking", "strength": 0.12, "users": 42}]}]
        },
    )

    topic: str = Field(description="As asked.")
    known: bool = Field(description="Whether the topic was there at the last training; later ones have no relations yet.")
    related: list[RelatedTopic] = Field(description="Strongest first.")


class Interest(BaseModel):
    """An edge of the graph: how much a user cares about a topic."""

    model_config = ConfigDict(frozen=True)

    topic: str = Field(description="The topic.")
    weight: float = Field(description="Sum of the action weights, each halved per half-life; negative for a rejected topic.")
    share: float = Field(description="Part of the user's total interest, from 0 to 1; 0 for a rejected topic.")
    last_at: datetime | None = Field(description="The last action that is counted; none if no row had a time.")
    actions: int = Field(description="Number of actions that are counted.")


class Reason(BaseModel):
    """A path of the graph: the user -> `topic` -> the `users` who care about both -> the recommended topic.

    Users are counted, not named: an answer about one user must not disclose another.
    """

    model_config = ConfigDict(frozen=True)

    topic: str = Field(description="An interest of the user.")
    users: int = Field(description="Users who care about this interest and about the recommended topic, at the last training.")
    share: float = Field(description="Part of the paths' total strength, from 0 to 1.")


class Recommendation(BaseModel):
    """A topic that the user has not met, and the paths that lead there."""

    model_config = ConfigDict(frozen=True)

    topic: str = Field(description="The topic.")
    score: float = Field(description="Orders the recommendations of one answer; not a probability.")
    because: list[Reason] = Field(description="The strongest paths, strongest first; none for a topic that is only popular.")


class InterestGraphPrediction(Prediction):
    """A user's interests and recommendations at an instant."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "u017",
                    "known": True,
                    "as_of": "2026-04-01T00:00:00Z",
                    "interests": [{"topic": "photography", "weight": 2.01, "share": 1.0, "last_at": "2026-03-02T09:30:00Z", "actions": 1}],
                    "rejected": [],
                    "recommendations": [
                        {"topic": "hiking", "score": 0.31, "because": [{"topic": "photography", "users": 42, "share": 1.0}]}
                    ],
                }
            ]
        }
    )

    user_id: str = Field(description="Who.")
    known: bool = Field(description="Whether anything was seen of this user by then. If not, popular topics are recommended.")
    as_of: datetime | None = Field(description="The instant that this answer is about; none if no row had a time.")
    interests: list[Interest] = Field(description="Topics with positive weight, greatest first.")
    rejected: list[Interest] = Field(description="Topics with negative weight, most negative first.")
    recommendations: list[Recommendation] = Field(description="New topics, best first.")
