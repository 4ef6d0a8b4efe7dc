"""Alerts as they are told: one for each kind of message that is far more frequent than it should be, for as long as it is."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from models.base import Record

AlertKind = Literal["burst", "new"]
AlertState = Literal["pending", "firing", "resolved", "muted"]


class Alert(Record):
    """One kind of message of one service that is far too frequent.

    However many lines and steps say so, it is one alert; asked about the next window with the keys of what fires now, it goes on.
    """

    key: str = Field(description="Names it: the same in every answer that is about the same kind of message of the same service.")
    kind: AlertKind = Field(description="`new`: normal time has no such message. `burst`: it has, but far fewer.")
    state: AlertState = Field(
        description="`pending`: too short as yet. `firing`: it lasts. `resolved`: it fired, and was quiet long enough since. `muted`: it "
        "would fire, but people have muted it often enough."
    )
    service: str = Field(description="Who writes it.")
    template: str = Field(description="The kind of message; for a mute.")
    since: AwareDatetime = Field(description="Beginning of the first step of it; for a mute.")
    until: AwareDatetime = Field(description="End of the last step in which it was too frequent.")
    lines: int = Field(description="Lines in these steps.")
    expected: float = Field(description="Lines that normal time lets expect in them.")
    seasonal: bool = Field(description="Whether the expectation is that of the time of day or week, instead of all normal time.")
    why: str = Field(description="The same as a sentence; of a muted one, by whom it was muted, and when that ends.")
    expires_at: AwareDatetime | None = Field(default=None, description="When a suppression ends, unless it is muted again.")
