"""The dictionary: what training proposed, and what became of it.

::

    proposed --approve--> approved --publish--> published --demote--> demoted
        any of them --reject--> rejected --approve--> approved;       demoted --publish--> published

Status is not stored: it is what all decisions about a pair come to, taken in the order of their instants. So every process that has
seen the same decisions shows the same dictionary, in whatever order and however often they came, and a new training keeps all of
them. Training itself decides at one instant, that of its newest row: a rejected pair is proposed again with three times the users,
and a published rule is demoted when searches say that it does not work. A decision that does not apply changes nothing, and says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

from models.search_synonyms.rules import Action, Evidence, Proposal, Rule, SearchSynonymsDecision, Status, normal
from models.wilson import wilson_bounds

RETURNS_AT = 3
"""A rejected pair is proposed again when this many times as many users support it."""

KEPT_PROBABILITY = 0.25
"""A published rule is demoted below this: far less than a proposal needs by default, so that a rule does not flicker."""

KEPT_SUCCESS = 0.2
"""A published rule is demoted when the success rate of its rewrite is surely (97.5%) below this."""

TRUSTED: tuple[Status, ...] = ("approved", "published")
"""What people agreed to."""

_PRECEDENCE: Sequence[Action] = ("add", "edit", "approve", "publish", "demote", "reject")
"""Of decisions at one instant: what builds on another comes after it, and the most careful has the last word."""

_APPLIES: Mapping[Action, Mapping[Status | None, Status]] = {
    "add": {
        None: "approved",
        "proposed": "approved",
        "approved": "approved",
        "rejected": "approved",
        "demoted": "approved",
        "published": "published",
    },
    "edit": {"proposed": "proposed", "approved": "approved", "published": "published", "demoted": "demoted"},
    "approve": {None: "approved", "proposed": "approved", "rejected": "approved", "demoted": "approved"},
    "reject": {None: "rejected", "proposed": "rejected", "approved": "rejected", "published": "rejected", "demoted": "rejected"},
    "publish": {"approved": "published", "demoted": "published"},
    "demote": {"published": "demoted"},
}
"""From which status an action leads where; ``None`` is a pair that is not in the dictionary."""


class Step(BaseModel):
    """A decision about a rule, and what came of it."""

    model_config = ConfigDict(frozen=True)

    action: Action = Field(description="What was decided.")
    by: str = Field(description="Who decided; `training` for what the evidence decided.")
    at: datetime = Field(description="When.")
    applied: bool = Field(description="Whether it changed anything.")
    because: str = Field(description="The note of who decided; or why it changed nothing.")


class Entry(BaseModel):
    """A rule in the dictionary."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="Names the pair of terms.")
    rule: Rule = Field(description="The rule in force: as a person last wrote or approved it, else as it was learned.")
    status: Status = Field(description="Where in its life the rule is.")
    evidence: Evidence | None = Field(description="What the searches say; none if the last training did not meet the pair.")
    history: list[Step] = Field(description="All decisions about the pair, oldest first.")


class Application(NamedTuple):
    """A rule applied to a query."""

    entry: Entry
    left: str
    """What of the query was replaced."""
    right: str
    query: str
    """The query afterwards."""


class Dictionary:
    """Rules by pair of terms; reading from other threads is safe while decisions come in.

    Parameters
    ----------
    proposals
        What training found; of a pair that comes twice the likelier one counts.
    trained_at
        The newest row that training saw; ``None``: training decides nothing.
    faint
        What training found too unlikely to propose: no rules, but evidence about those that people decided on.
    kept_probability, kept_success
        A published rule is demoted below these; from 0 to 1.
    """

    def __init__(
        self,
        proposals: Iterable[Proposal] = (),
        trained_at: datetime | None = None,
        *,
        faint: Iterable[Proposal] = (),
        kept_probability: float = KEPT_PROBABILITY,
        kept_success: float = KEPT_SUCCESS,
    ) -> None:
        self.trained_at = trained_at
        self._kept_probability, self._kept_success = kept_probability, kept_success
        self._proposals, self._faint = _likeliest(proposals), _likeliest(faint)
        self._decisions: dict[str, dict[str, SearchSynonymsDecision]] = {}
        self._entries: dict[str, Entry] = {}
        self._by_term: dict[str, tuple[str, ...]] = {}
        self._longest = 1
        for pair in sorted(self._proposals):
            self._settle(pair)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(sorted(self._entries.values(), key=_usefulness))

    def get(self, pair: str) -> Entry | None:
        """The entry of a `rule_id`."""
        return self._entries.get(pair)

    def decide(self, decisions: Iterable[SearchSynonymsDecision]) -> Self:
        """Take decisions in; the same one twice counts once, and the order in which they come does not matter."""
        touched: dict[str, None] = {}
        for decision in decisions:
            pair = decision.rule.id
            self._decisions.setdefault(pair, {})[decision.model_dump_json()] = decision
            touched[pair] = None
        for pair in touched:
            self._settle(pair)
        return self

    def verdicts(self) -> dict[str, bool]:
        """Whether people say that a pair means the same, by pair; of those that they agreed to or rejected, whatever training decided."""
        found = {}
        for pair, decisions in self._decisions.items():
            life = _Life(self._proposals.get(pair))
            for decision in sorted(decisions.values(), key=_order):
                life.take(decision)
            if life.status in {*TRUSTED, "rejected"}:
                found[pair] = life.status in TRUSTED
        return found

    def rescored(self, probabilities: Mapping[str, float]) -> Self:
        """The same dictionary and decisions, where the evidence of some pairs has another probability."""
        proposals, faint = (
            [_rescored(proposal, probabilities.get(pair)) for pair, proposal in found.items()] for found in (self._proposals, self._faint)
        )
        limits = {"kept_probability": self._kept_probability, "kept_success": self._kept_success}
        decisions = (decision for of_pair in self._decisions.values() for decision in of_pair.values())
        return type(self)(proposals, self.trained_at, faint=faint, **limits).decide(decisions)

    def applications(self, query: str, statuses: Collection[Status], context: str = "") -> list[Application]:
        """The rules that apply to a query, each alone, in the order of their places in the query.

        Parameters
        ----------
        statuses
            Of the rules to apply.
        context
            Words that count as if they were in the query, for rules that need a context.
        """
        words = normal(query).split()
        around = {*words, *normal(context).split()}
        found = []
        for start in range(len(words)):
            for end in range(start + 1, min(start + self._longest, len(words)) + 1):
                left = " ".join(words[start:end])
                for pair in self._by_term.get(left, ()):
                    entry = self._entries[pair]
                    right = _other(entry.rule, left)
                    if right is None or entry.status not in statuses or not _in_context(entry.rule, around):
                        continue
                    found.append(Application(entry, left, right, " ".join([*words[:start], right, *words[end:]])))
        return found

    def state(self) -> dict[str, Any]:
        """All of it as JSON values; the inverse of `restored`."""
        decisions = [one for of_pair in self._decisions.values() for one in of_pair.values()]
        return {
            "proposals": [self._proposals[pair].model_dump(mode="json") for pair in sorted(self._proposals)],
            "faint": [self._faint[pair].model_dump(mode="json") for pair in sorted(self._faint)],
            "decisions": [one.model_dump(mode="json") for one in sorted(decisions, key=_order)],
            "trained_at": None if self.trained_at is None else self.trained_at.isoformat(),
            "kept": [self._kept_probability, self._kept_success],
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """The dictionary that gave a `state`."""
        trained_at = state["trained_at"] and datetime.fromisoformat(state["trained_at"])
        probability, success = state["kept"]
        proposals, faint = (map(Proposal.model_validate, state.get(name, ())) for name in ("proposals", "faint"))
        dictionary = cls(proposals, trained_at, faint=faint, kept_probability=probability, kept_success=success)
        return dictionary.decide(map(SearchSynonymsDecision.model_validate, state["decisions"]))

    def _settle(self, pair: str) -> None:
        """Work out where a pair stands."""
        life = _Life(self._proposals.get(pair), self._faint.get(pair))
        reviewed = self.trained_at is None
        for decision in sorted(self._decisions.get(pair, {}).values(), key=_order):
            if not reviewed and self.trained_at is not None and decision.at > self.trained_at:
                self._review(life, self.trained_at)
                reviewed = True
            life.take(decision)
        if not reviewed and self.trained_at is not None:
            self._review(life, self.trained_at)
        if life.rule is not None and life.status is not None:
            self._file(Entry(id=pair, rule=life.rule, status=life.status, evidence=life.evidence, history=life.history))

    def _file(self, entry: Entry) -> None:
        self._entries[entry.id] = entry
        for term in (entry.rule.left, entry.rule.right):
            self._by_term[term] = tuple(sorted({*self._by_term.get(term, ()), entry.id}))
            self._longest = max(self._longest, len(term.split()))

    def _review(self, life: _Life, at: datetime) -> None:
        """What the evidence of a training changes about what was decided before it."""
        evidence = life.evidence
        if evidence is None:
            return
        if (
            life.status == "rejected"
            and life.proposal
            and life.rejected_users is not None
            and evidence.users >= RETURNS_AT * max(life.rejected_users, 1)
        ):
            life.step("proposed", "add", at, f"{evidence.users} users support it now, {life.rejected_users} did when it was rejected")
        elif life.status == "published" and not life.by_hand and (because := self._faded(evidence)):
            life.step("demoted", "demote", at, because)

    def _faded(self, evidence: Evidence) -> str | None:
        """Why a published rule should go; ``None`` if it should stay.

        That nobody rewrites the query any more is no reason: a rule that works leaves nothing to rewrite.
        """
        if evidence.probability < self._kept_probability:
            return f"its probability fell to {evidence.probability:.2f}, below {self._kept_probability:.2f}"
        _, at_most = wilson_bounds(evidence.successes, evidence.attempts)
        if at_most < self._kept_success:
            return f"{evidence.successes} of {evidence.attempts} searches with it worked, surely below {self._kept_success:.0%}"
        return None


@dataclass
class _Life:
    """A pair on its way through decisions."""

    proposal: Proposal | None
    faint: Proposal | None = None
    status: Status | None = field(init=False)
    rule: Rule | None = field(init=False)
    by_hand: bool = field(default=False, init=False)
    """Whether a person wrote the rule in force, rather than agreed to what was learned."""
    rejected_users: int | None = field(default=None, init=False)
    history: list[Step] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.status = None if self.proposal is None else "proposed"
        self.rule = None if self.proposal is None else self.proposal.rule

    @property
    def evidence(self) -> Evidence | None:
        known = self.proposal or self.faint
        return None if known is None else known.evidence

    def step(self, status: Status, action: Action, at: datetime, because: str, by: str = "training") -> None:
        self.status = status
        self.history.append(Step(action=action, by=by, at=at, applied=True, because=because))

    def take(self, decision: SearchSynonymsDecision) -> None:
        status = _APPLIES[decision.action].get(self.status)
        if status is None:
            because = f"nothing to {decision.action}: the rule is {self.status or 'not in the dictionary'}"
            self.history.append(Step(action=decision.action, by=decision.by, at=decision.at, applied=False, because=because))
            return
        if decision.action in {"add", "edit", "approve"} or self.rule is None:
            self.rule = decision.rule
        if decision.action in {"add", "edit"}:
            self.by_hand = True
        if decision.action == "reject":
            self.rejected_users = decision.users
        self.step(status, decision.action, decision.at, decision.note or "", decision.by)


def _likeliest(proposals: Iterable[Proposal]) -> dict[str, Proposal]:
    """By pair; of one that comes twice the likelier."""
    return {one.rule.id: one for one in sorted(proposals, key=lambda one: (one.evidence.probability, one.model_dump_json()))}


def _rescored(proposal: Proposal, probability: float | None) -> Proposal:
    if probability is None:
        return proposal
    return proposal.model_copy(update={"evidence": proposal.evidence.model_copy(update={"probability": probability})})


def _order(decision: SearchSynonymsDecision) -> tuple[datetime, int, str]:
    return decision.at, _PRECEDENCE.index(decision.action), decision.model_dump_json()


def _usefulness(entry: Entry) -> tuple[float, str]:
    """Most searches fixed first; those without evidence last."""
    return (-1.0 if entry.evidence is None else entry.evidence.fixed_per_week) * -1, entry.id


def _other(rule: Rule, left: str) -> str | None:
    """Where a rule leads from a term; ``None`` against its direction."""
    if left == rule.left:
        return rule.right
    return rule.left if rule.two_way else None


def _in_context(rule: Rule, words: Collection[str]) -> bool:
    return not rule.context or any(all(word in words for word in term.split()) for term in rule.context)
