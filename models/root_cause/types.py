"""What root cause reads and answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal, Self

from pydantic import AwareDatetime, ConfigDict, Field, field_validator

from models.base import Config, Prediction, Record
from models.root_cause.alarm import Alert
from models.root_cause.chart import Timeline
from models.root_cause.events import ConfirmedCause, Name
from models.root_cause.parameter import Parameter
from models.root_cause.readers import read
from models.root_cause.resemblance import Resemblance

MAX_LINES = 50_000

Verdict = Literal["root_cause", "insufficient_evidence"]
Kind = Literal["rates", "new", "errors", "latency", "flow", "silence", "accused", "traffic", "change", "memory"]
PlantedFault = Literal["delay", "errors", "break", "silence"]
KINDS: tuple[Kind, ...] = ("rates", "new", "errors", "latency", "flow", "silence", "accused", "traffic")
"""The kinds that are measured in the lines; a change is told by the query, the past is remembered."""

_LINE: dict[str, Any] = {
    "timestamp": "2026-03-02T09:15:04.120Z",
    "service": "database",
    "message": "connection pool exhausted after 5000 ms",
    "level": "ERROR",
    "trace_id": "7f3a",
}


class RootCauseConfig(Config):
    """Settings of `RootCause`."""

    block_seconds: float = Field(
        default=5.0, gt=0, le=3600, description="Lines without a trace are grouped by blocks of this length, in seconds."
    )
    max_normal_lines: int = Field(default=200_000, ge=100, description="How many lines of normal operation are kept while fitting.")
    max_templates: int = Field(default=20_000, ge=10, description="How many templates are kept; those of the fewest lines are left out.")
    n_draws: int = Field(default=60, ge=20, le=1000, description="Pseudo-windows drawn from normal time, per window size.")
    planted_faults: tuple[PlantedFault, ...] = Field(
        default=("delay", "errors", "break", "silence"),
        min_length=1,
        description="Kinds of faults that are planted into pseudo-windows, so that probabilities hold.",
    )
    false_alarm_rate: float = Field(default=0.02, gt=0, lt=0.5, description="Share of normal windows in which a cause may be claimed.")
    min_cluster_size: int = Field(default=3, ge=2, description="Templates that make a cluster of messages.")
    same_kind_cosine: float = Field(
        default=0.6, gt=0, lt=1, description="A new template joins a cluster if an exemplar is at least this similar."
    )
    spike_factor: float = Field(
        default=3.0, gt=1, le=100, description="A service is told to spike if it writes this many times what the hour lets expect."
    )
    alert_step_seconds: float = Field(default=30.0, gt=0, le=3600, description="Alerts look at steps of this length, in seconds.")
    alert_steps: int = Field(default=2, ge=1, le=100, description="Steps that an alert must last to fire, and be quiet to be resolved.")
    mute_days: int = Field(default=3, ge=1, le=100, description="Days on which an alert must be muted to be suppressed.")
    mute_lasts_days: float = Field(default=30.0, gt=0, le=3650, description="How long a mute counts, in days.")
    max_suspects: int = Field(default=5, ge=1, le=50, description="Suspects in an answer.")


class LogLine(Record):
    """One line of a log: the part that training rows and queries share."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LINE]})

    reader: ClassVar[Any] = read

    timestamp: AwareDatetime = Field(description="When it was written; with a time zone.")
    service: str = Field(description="Who wrote it.")
    message: str = Field(description="The text as logged.")
    level: str | None = Field(default=None, description="Severity: INFO, WARN, ERROR, ...")
    instance: str | None = Field(default=None, description="Pod, host or process.")
    trace_id: str | None = Field(default=None, description="The request it belongs to; with it, latency and call order can be measured.")
    logger: str | None = Field(
        default=None, description="Where in the code it was written; as “Class#line” or “file:line” it tells kinds of messages apart best."
    )

    @field_validator("level", "instance", "trace_id", "logger")
    @classmethod
    def _empty_is_absent(cls, value: str | None) -> str | None:
        return value or None


class RootCauseExample(LogLine):
    """A training row: a line of normal operation, or of a past incident.

    Lines of incidents are never taken for normal. Who caused an incident is used to judge the model, never as a feature of it.
    """

    incident: str | None = Field(default=None, description="Id of the past incident that the line belongs to; absent in normal operation.")
    root_service: str | None = Field(default=None, description="Which service caused that incident, if known.")

    @field_validator("incident", "root_service")
    @classmethod
    def _blank_is_absent(cls, value: str | None) -> str | None:
        return value or None


class Change(Record):
    """A deploy or a change of configuration."""

    service: str = Field(description="What was changed.")
    at: AwareDatetime = Field(description="When.")
    what: str = Field(description="What was changed, in words.")


RootCauseOutcome = Name | ConfirmedCause
"""The service that was to blame, as it turned out; alone, or with what people call the incident."""


class RootCauseQuery(Record):
    """The lines around an incident, from all services."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lines": [_LINE], "calls": [["checkout", "database"]]}]})

    lines: tuple[LogLine, ...] = Field(max_length=MAX_LINES, description="In any order.")
    incident_started_at: AwareDatetime | None = Field(
        default=None, description="When users noticed; lines long before it are not searched."
    )
    calls: tuple[tuple[str, str], ...] = Field(default=(), description="Pairs of caller and callee, where they are known.")
    changes: tuple[Change, ...] = Field(default=(), description="Deploys and changes of configuration.")
    firing: tuple[str, ...] = Field(
        default=(), max_length=1_000, description="Keys of the alerts that the answer about the window before said were firing or muted."
    )

    def kept(self) -> Self:
        """All but the lines: the prediction holds what its picture needs, and what others logged is nothing to keep twice."""
        return self.model_copy(update={"lines": ()})

    @classmethod
    def from_lines(cls, lines: Iterable[LogLine]) -> RootCauseQuery:
        """One query of all lines of a log file, the latest 50,000 of them: what ``foretell predict root_cause`` asks about a file.

        Labels that training rows carry are dropped.
        """
        fields = LogLine.model_fields.keys()
        latest: list[LogLine] = []
        for line in lines:
            latest.append(line)
            if len(latest) == 2 * MAX_LINES:  # so that memory does not grow with the file
                latest = _latest(latest)
        plain = [LogLine.model_construct(**{name: getattr(line, name) for name in fields}) for line in _latest(latest)]
        return cls.model_construct(lines=tuple(plain), incident_started_at=None, calls=(), changes=(), firing=())


def _latest(lines: list[LogLine]) -> list[LogLine]:
    """The latest `MAX_LINES` lines, in the order given."""
    if len(lines) <= MAX_LINES:
        return lines
    kept = sorted(sorted(range(len(lines)), key=lambda i: lines[i].timestamp)[-MAX_LINES:])
    return [lines[i] for i in kept]


class Evidence(Record):
    """One observation that speaks against a suspect."""

    kind: Kind = Field(description="What kind of evidence it is.")
    words: str = Field(description="The observation as a sentence.")
    template: str | None = Field(description="The kind of message it is about, with parameters as <*>.")
    lines: tuple[int, ...] = Field(description="Numbers of lines that show it, the first line of the query being 1.")
    observed: float = Field(description="What was seen in this window.")
    expected: float = Field(description="What normal time lets expect in such a window.")
    first_seen_at: AwareDatetime | None = Field(description="When the first of the lines that show it was written.")
    parameters: tuple[Parameter, ...] = Field(default=(), description="What the parameters of the template are in these lines.")


class Suspect(Record):
    """A service that may have caused the incident."""

    service: str = Field(description="Its name, as in the lines.")
    probability: float = Field(ge=0, le=1, description="That it is the cause; calibrated on faults injected into normal time.")
    surprise: float = Field(ge=0, description="Evidence against it, in nats against normal time, all kinds together.")
    parts: dict[str, float] = Field(description="The same by kind of evidence.")
    onset_at: AwareDatetime | None = Field(description="When it began to behave unusually.")
    lag_seconds: float | None = Field(description="Onset, in seconds after the first of the suspects.")
    blames: str | None = Field(description="A service that it calls and that explains part of its evidence.")
    path: tuple[str, ...] = Field(default=(), description="How its failures reach the service that is loudest: from callee to caller.")
    evidence: tuple[Evidence, ...] = Field(description="What speaks against it, the most surprising first.")


class MessageKind(Record):
    """A cluster of templates that say similar things."""

    name: str = Field(description="What most of its templates say, and few others; of a template in no cluster, the template.")
    example: str = Field(description="Its most frequent template.")
    services: tuple[str, ...] = Field(description="Who wrote it.")
    templates: int = Field(description="How many templates of this kind occur in the window.")
    lines: int = Field(description="Lines of this kind.")
    expected: float = Field(description="Lines that normal time lets expect, or the median of the window's own steps.")
    new: bool = Field(description="No template of it was ever seen in normal time, or in the first quarter of the window.")
    bursts: bool = Field(description="More than three times as many lines as expected, in all or for a while.")
    compared_with: Literal["normal time", "this window"] = Field(
        description="`this window`: normal time does not know the services, so they are compared with themselves."
    )
    first_seen_at: AwareDatetime | None = Field(description="When its first line in the window was written.")
    parameters: tuple[Parameter, ...] = Field(default=(), description="Of the example: what they are in its first lines.")
    vanished: bool = Field(default=False, description="Usual in normal time, and not one line of it since the trouble began.")


class Lag(Record):
    """Bursts of one kind of message that are regularly followed by bursts of another."""

    first: str = Field(description="The kind of message that comes first, as “service: template”.")
    then: str = Field(description="The kind that follows.")
    seconds: float = Field(description="How much later it follows, the median over the bursts.")
    bursts: int = Field(description="Bursts of the first kind.")
    followed: int = Field(description="How many of them are followed.")
    p_value: float = Field(description="Share of random shifts in time in which as many are followed.")
    words: str = Field(description="The same as a sentence.")


class ClockSkew(Record):
    """A clock that goes wrong."""

    host: str = Field(description="Instance, or service where lines carry none.")
    seconds: float = Field(description="How far ahead of the others it is; it was put back by as much before anything was compared.")
    uncertainty_seconds: float = Field(description="Below this no order between its lines and those of others is claimed.")


class Traffic(Record):
    """How much a service writes, against the same hour of past weeks or, where normal time is shorter, against all of it."""

    service: str = Field(description="Who.")
    lines: int = Field(description="Lines in the window.")
    expected: float = Field(description="Lines that normal time lets expect in as long a window.")
    seasonal: bool = Field(description="Whether the expectation is that of the hour of the week.")
    spike: bool = Field(description="More than three times as many as expected.")


class RootCausePrediction(Prediction):
    """Which service started the incident, with the lines that say so; or that the evidence does not suffice."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "verdict": "insufficient_evidence",
                    "root_cause": None,
                    "no_cause_probability": 0.93,
                    "suspects": [],
                    "impact": [],
                    "message_kinds": [],
                    "what_would_help": ["More lines: 1 line cannot show a change."],
                    "lines": 1,
                    "timeline": None,
                }
            ]
        }
    )

    verdict: Verdict = Field(description="root_cause if the evidence suffices to name one.")
    root_cause: str | None = Field(description="The first suspect's service if the verdict is root_cause.")
    no_cause_probability: float = Field(ge=0, le=1, description="That these lines hold no cause.")
    suspects: tuple[Suspect, ...] = Field(description="Most likely first.")
    carriers: tuple[str, ...] = Field(default=(), description="Services that fail because of the cause and pass its failures on.")
    impact: tuple[str, ...] = Field(description="Services that changed too, and rather suffer than cause; carriers are not repeated.")
    began_at: AwareDatetime | None = Field(default=None, description="When the window begins to differ from normal time.")
    lags: tuple[Lag, ...] = Field(default=(), description="Which bursts precede which, the surest first.")
    clock_skews: tuple[ClockSkew, ...] = Field(default=(), description="Clocks that were found to go wrong.")
    traffic: tuple[Traffic, ...] = Field(default=(), description="Services that write more than three times as much as expected.")
    message_kinds: tuple[MessageKind, ...] = Field(description="What kinds of messages these are: new ones first, then bursts.")
    alerts: tuple[Alert, ...] = Field(default=(), description="Kinds of messages that are far too frequent, those that fire first.")
    resembles: tuple[Resemblance, ...] = Field(default=(), description="Past incidents that this one looks like, the most similar first.")
    what_would_help: tuple[str, ...] = Field(description="Data that would make the answer surer.")
    lines: int = Field(description="How many lines were examined.")
    timeline: Timeline | None = Field(description="The window by service and step of time, as it is drawn; null without lines.")
