"""What the dictionary is made of: a rule, the evidence for it, and what a person decided about it."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.base import Record

Kind = Literal["typo", "synonym", "abbreviation", "inflection", "translation"]
"""How two terms may come to mean the same. What narrows, widens or changes the topic is no rule."""

Status = Literal["proposed", "approved", "rejected", "published", "demoted"]
Action = Literal["add", "edit", "approve", "reject", "publish", "demote"]

LONGEST_TERM = 200


def normal(text: str) -> str:
    """A query or term as it is compared: composed (NFKC), lower case, without control characters, single spaces."""
    composed = unicodedata.normalize("NFKC", text).lower()
    visible = "".join(" " if character.isspace() else character for character in composed if character.isspace() or character.isprintable())
    return " ".join(visible.split())


Term = Annotated[str, AfterValidator(normal), StringConstraints(min_length=1, max_length=LONGEST_TERM)]


class Rule(BaseModel):
    """Who searches for `left` also means `right`; in a two-way rule the reverse holds too.

    A rule is a pair. Groups are not stored: sofa = couch and couch = lounge do not make sofa = lounge.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"kind": "synonym", "left": "sofa", "right": "couch", "two_way": True, "context": []}]},
    )

    kind: Kind = Field(description="What sort of pair this is; what is left of a `typo` rule is replaced, of all others kept beside.")
    left: Term = Field(description="The word or phrase that people search for.")
    right: Term = Field(description="The word or phrase that finds what they mean.")
    two_way: bool = Field(default=False, description="Whether searches for `right` should find `left` as well; never for a typo.")
    context: tuple[Term, ...] = Field(
        default=(), description="The rule holds only in queries that also have one of these words; none: in all.", max_length=20
    )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.left == self.right:
            raise ValueError(f"expected two different terms, got {self.left!r} twice")
        if self.two_way and self.kind == "typo":
            raise ValueError("expected a typo to be corrected one way, got two_way = true: use another kind, or one way")
        return self

    @property
    def id(self) -> str:
        """Names the pair, whatever its direction, kind and context: what was decided about one is decided about the other."""
        return rule_id(self.left, self.right)

    @property
    def replaces(self) -> bool:
        """Whether `right` is searched instead of `left`, rather than beside it."""
        return self.kind == "typo"


def rule_id(left: str, right: str) -> str:
    """The id of a pair of terms, in either order."""
    pair = "\x00".join(sorted((normal(left), normal(right))))
    return hashlib.sha256(pair.encode("utf-8", "surrogatepass")).hexdigest()[:12]


class Evidence(BaseModel):
    """What the searches say about a rule."""

    model_config = ConfigDict(frozen=True)

    users: int = Field(ge=0, description="Distinct users who went from the one to the other; bots and repetition do not count.")
    attempts: int = Field(ge=0, description="Searches that were rewritten this way by their users.")
    successes: int = Field(ge=0, description="How many of them then found something to click.")
    success_rate: float = Field(ge=0.0, le=1.0, description="Successes per attempt.")
    success_at_least: float = Field(ge=0.0, le=1.0, description="Wilson lower bound of the success rate, 95%.")
    log_likelihood_ratio: float = Field(description="G2 of the pair against chance; above 10.8 chance is less likely than 1 in 1,000.")
    probability: float = Field(ge=0.0, le=1.0, description="Calibrated probability that the two mean the same, in the sense of `kind`.")
    fixed_per_week: float = Field(ge=0.0, description="Failed searches a week that the rule is expected to turn into a success.")
    lag_seconds: float | None = Field(default=None, ge=0.0, description="Median time between the two searches.")
    click_overlap: float | None = Field(
        default=None, ge=0.0, le=1.0, description="Share of clicked documents that both have; none if one of them has no clicks."
    )
    frequency_ratio: float | None = Field(default=None, ge=0.0, description="How much more often `right` is searched than `left`.")


class Proposal(BaseModel):
    """A rule that training found, and why."""

    model_config = ConfigDict(frozen=True)

    rule: Rule = Field(description="The rule.")
    evidence: Evidence = Field(description="Why.")


class SearchSynonymsDecision(Record):
    """What a person decided about a rule. It says all that it decides about, so that it stays true whatever is learned later."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "action": "approve",
                    "rule": {"kind": "synonym", "left": "sofa", "right": "couch", "two_way": True, "context": []},
                    "by": "mara",
                    "at": "2026-04-01T09:30:00Z",
                    "users": 41,
                }
            ]
        },
    )

    subject: ClassVar[str | None] = "by"

    action: Action = Field(
        description="`add` a rule of one's own, `edit` one (direction, kind, context), `approve` or `reject` it, `publish` what is "
        "approved, `demote` what is published."
    )
    rule: Rule = Field(description="The rule as it was shown to, or written by, the person who decides.")
    by: str = Field(min_length=1, max_length=256, description="Who decides.")
    at: AwareDatetime = Field(description="When, with a time zone.")
    users: int | None = Field(
        default=None, ge=0, description="For `reject`: users who supported the rule then. It returns with three times as many; none: never."
    )
    note: str | None = Field(default=None, max_length=1000, description="Why, in words.")
