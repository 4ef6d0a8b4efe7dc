"""What waits for a digest, the question for one, and its answer."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from models.notification.vocabulary import Fate, Name, Zone


class Item(BaseModel):
    """What waits for a digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_id: Name = Field(description="Names it among those of the user.")
    digest: Name = Field(default="daily", description="Which digest; one of the configured ones.")
    about: Name | None = Field(default=None, description="What it is about: items of a type about the same thing are one entry.")
    actor: Name | None = Field(default=None, description="Who did it: several are written as `Ann and 4 others`.")
    title: str | None = Field(default=None, max_length=500, description="What to show.")
    expires_at: AwareDatetime | None = Field(default=None, description="From when on it is of no use. Absent: never.")


class ItemFate(BaseModel):
    """What became of an item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_id: Name = Field(description="Which.")
    fate: Fate = Field(description="Shown, or why not.")


class DigestClosing(BaseModel):
    """That a digest is closed: its items are done with. To be reported before it is sent, with `digest_id` as the event's id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: Name = Field(description="Which digest.")
    slot_at: AwareDatetime = Field(description="When it was due.")
    items: tuple[ItemFate, ...] = Field(max_length=10_000, description="Each item that it took, and what became of it.")


class DigestQuestion(BaseModel):
    """A question for a user's digest."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"user_id": "u017", "digest": "daily", "at": "2026-03-02T19:00:00Z"}]}
    )

    user_id: Name = Field(description="Whose.")
    digest: Name = Field(default="daily", description="Which; one of the configured ones.")
    at: AwareDatetime = Field(description="The digest is the one that was due last until then, with a time zone.")
    time_zone: Zone | None = Field(default=None, description="The user's. Absent: the configured one.")


class DigestEntry(BaseModel):
    """Items of a type about the same thing."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="Their type.")
    about: str = Field(description="What they are about.")
    who: str | None = Field(description="`Ann`, `Ann and Bob`, `Ann and 4 others`; none if nobody was named.")
    title: str | None = Field(description="That of the newest.")
    items: list[str] = Field(description="The newest first.")
    newest_at: datetime = Field(description="When the newest was put here.")


class Digest(BaseModel):
    """A user's digest; until it is closed, as it would be."""

    model_config = ConfigDict(frozen=True)

    user_id: str = Field(description="Whose.")
    digest: str = Field(description="Which.")
    digest_id: str = Field(description="Names it: whatever is sent under this name twice is the same.")
    slot_at: datetime = Field(description="When it was due.")
    closed: bool = Field(description="Whether it was closed; then it will not change any more.")
    entries: list[DigestEntry] = Field(description="The best first, no type crowding out the others.")
    closing: DigestClosing = Field(
        description="To be reported as an event's `closing` before it is sent; also says what was left out, and why."
    )
