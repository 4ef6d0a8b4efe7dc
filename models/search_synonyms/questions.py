"""What can be asked about the dictionary: which rules there are, in what words an engine wants them, what a file would add."""

from __future__ import annotations

import hashlib

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from models.search_synonyms.completion import MOST, Completions
from models.search_synonyms.dictionary import Dictionary, Entry
from models.search_synonyms.exports import Format, export, read, without_context
from models.search_synonyms.rules import Action, Kind, Rule, SearchSynonymsDecision, Status, normal
from models.search_synonyms.spelling import Spelling


class RulesRequest(BaseModel):
    """Which rules to show."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"status": "proposed", "limit": 20}]})

    status: Status | None = Field(default=None, description="Only those of this status.")
    kind: Kind | None = Field(default=None, description="Only those of this kind.")
    contains: str | None = Field(default=None, max_length=200, description="Only those with this in one of their terms.")
    offset: int = Field(default=0, ge=0, description="How many to skip.")
    limit: int = Field(default=50, ge=1, le=1000, description="How many to show, at most.")


class RulesReply(BaseModel):
    """Rules with their evidence, those that fix most searches first."""

    model_config = ConfigDict(frozen=True)

    total: int = Field(description="How many there are.")
    rules: list[Entry] = Field(description="Those of this page.")


class ExportRequest(BaseModel):
    """In what words to write the rules."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"format": "elasticsearch"}]})

    format: Format = Field(default="solr", description="The search engine.")
    status: Status = Field(default="published", description="Which rules.")


class ImportRequest(BaseModel):
    """A dictionary from elsewhere."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"format": "solr", "text": "couch, sofa\n", "by": "mara", "at": "2026-04-01T09:30:00Z"}]},
    )

    format: Format = Field(description="The search engine that it is written for.")
    text: str = Field(max_length=20_000_000, description="The file, as it is.")
    by: str = Field(min_length=1, max_length=256, description="Who vouches for the rules.")
    at: AwareDatetime = Field(description="When, with a time zone.")
    publish: bool = Field(default=False, description="Whether the rules are published at once; otherwise they are approved only.")


class ImportedEvent(BaseModel):
    """A decision as ``POST /v1/search_synonyms/events`` takes it."""

    model_config = ConfigDict(frozen=True)

    event_id: str = Field(description="Names it: the same file imported twice counts once.")
    event: SearchSynonymsDecision = Field(description="The decision.")


class ImportReply(BaseModel):
    """What a file would change. Nothing is changed yet: send this, as it is, to ``POST /v1/search_synonyms/events``."""

    model_config = ConfigDict(frozen=True)

    events: list[ImportedEvent] = Field(description="A decision for every rule that is not in force yet.")


class CompleteRequest(BaseModel):
    """The beginning of a query."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"prefix": "red so", "user_id": "u17"}]})

    prefix: str = Field(max_length=200, description="What was typed so far; a space at its end ends a word.")
    user_id: str | None = Field(default=None, max_length=256, description="Who types.")
    limit: int = Field(default=10, ge=1, le=MOST, description="How many completions, at most.")


class Completion(BaseModel):
    """A query that may be meant."""

    model_config = ConfigDict(frozen=True)

    query: str = Field(description="The query.")
    share: float = Field(ge=0.0, le=1.0, description="Expected part of the searches by this user that begin so.")
    mine: bool = Field(description="Whether this user searched for it before.")


class CompleteReply(BaseModel):
    """Completions, likeliest first."""

    model_config = ConfigDict(frozen=True)

    corrected: str | None = Field(description="The beginning without its typing error, if only that has completions.")
    completions: list[Completion] = Field(description="None of them usually fails, nor was searched by fewer than `k_anonymity` users.")


def rules(dictionary: Dictionary, request: RulesRequest) -> RulesReply:
    """A page of the dictionary."""
    wanted = normal(request.contains or "")
    found = [
        entry
        for entry in dictionary
        if request.status in (None, entry.status)
        and request.kind in (None, entry.rule.kind)
        and (wanted in entry.rule.left or wanted in entry.rule.right)
    ]
    return RulesReply(total=len(found), rules=found[request.offset : request.offset + request.limit])


def exported(dictionary: Dictionary, request: ExportRequest) -> str:
    """The rules of a status, as text."""
    found = [entry for entry in dictionary if entry.status == request.status]
    return export([(entry.rule, 1.0 if entry.evidence is None else entry.evidence.probability) for entry in found], request.format)


def imported(dictionary: Dictionary, request: ImportRequest) -> ImportReply:
    """The decisions that bring the rules of a file into force.

    Raises
    ------
    InputError
        If the file is not of the format.
    """
    wanted: tuple[Action, ...] = ("add", "publish") if request.publish else ("add",)
    in_force = {
        phrase
        for entry in dictionary
        if entry.status == "published" or (entry.status == "approved" and not request.publish)
        for phrase in without_context(entry.rule)
    }
    missing = [rule for rule in read(request.text, request.format) if not in_force & {rule, _turned(rule)}]
    return ImportReply(events=[_event(request, action, rule) for rule in missing for action in wanted])


def complete(completions: Completions, spelling: Spelling, request: CompleteRequest) -> CompleteReply:
    """Completions of what was typed; of what was meant by it, if there are none."""
    found, meant = completions.complete(request.prefix, request.user_id, request.limit), None
    if not found and (correction := spelling.correct(normal(request.prefix))):
        found, meant = completions.complete(correction.query, request.user_id, request.limit), correction.query
    return CompleteReply(corrected=meant if found else None, completions=[Completion(**one._asdict()) for one in found])


def _turned(rule: Rule) -> Rule:
    """A two-way rule from its other side."""
    return rule.model_copy(update={"left": rule.right, "right": rule.left}) if rule.two_way else rule


def _event(request: ImportRequest, action: Action, rule: Rule) -> ImportedEvent:
    decision = SearchSynonymsDecision(action=action, rule=rule, by=request.by, at=request.at)
    return ImportedEvent(event_id=f"import-{hashlib.sha256(decision.model_dump_json().encode()).hexdigest()[:24]}", event=decision)
