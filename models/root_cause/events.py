"""What people tell between trainings: which alerts are not worth waking for, and what turned out to be the cause of an incident."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, field_validator, model_validator

from models.base import Record

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]
Action = Literal["mute", "unmute", "confirm"]


class ConfirmedCause(Record):
    """Who was to blame, with a name that people know the incident by."""

    service: Name = Field(description="The service that was to blame.")
    title: Name | None = Field(default=None, description="What it was, in a few words: database failover.")
    incident: Name | None = Field(default=None, description="Its number or name in your own records. Default: the id of the prediction.")


class Sign(Record):
    """One thing that was unusual in an incident."""

    service: str = Field(description="About whom.")
    kind: str = Field(description="What kind of evidence it was.")
    template: str | None = Field(default=None, description="The kind of message, if it was one.")
    nats: float = Field(ge=0, le=1e9, description="How surprising it was.")


class Incident(Record):
    """A past incident whose cause is known."""

    id: Name = Field(description="Of the prediction that it was asked about, or any other name; of two with one id the later holds.")
    service: Name = Field(description="Who was to blame.")
    title: Name | None = Field(default=None, description="What it was, in a few words.")
    name: Name | None = Field(default=None, description="Its number or name in your own records.")
    signs: tuple[Sign, ...] = Field(max_length=100, description="What was unusual then.")


class RootCauseEvent(Record):
    """Something that people decided or found out.

    Mutes teach: an alert about the same kind of message at the same time of day is suppressed once it was muted on a few days. A
    confirmed cause is usually reported as the outcome of a prediction, and becomes such an event by itself.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "action": "mute",
                    "at": "2026-03-02T02:01:00Z",
                    "service": "backup",
                    "template": "copied table <*> , <*> rows",
                    "by": "mara",
                }
            ]
        }
    )

    subject: ClassVar[str | None] = "by"

    action: Action = Field(description="`mute` an alert, `unmute` whatever was muted about its kind of message, `confirm` a cause.")
    at: AwareDatetime = Field(description="When the alert was raised, or the cause became known.")
    service: Name | None = Field(default=None, description="Of the alert.")
    template: str | None = Field(default=None, max_length=20_000, description="Of the alert, as it says.")
    incident: Incident | None = Field(default=None, description="The incident whose cause is confirmed.")
    by: str | None = Field(default=None, max_length=256, description="Who says so.")

    @field_validator("service", "template", "by", mode="before")
    @classmethod
    def _blank_is_absent(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _says_what_it_is_about(self) -> Self:
        if self.action == "confirm" and self.incident is None:
            raise ValueError("expected the incident whose cause is confirmed, got none")
        if self.action != "confirm" and (self.service is None or self.template is None):
            raise ValueError("expected the service and the template of the alert, got neither or only one")
        return self
