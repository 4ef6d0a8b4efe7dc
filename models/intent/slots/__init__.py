"""Slots of a text: what a tagger learned to find, and what has the same form everywhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from models.intent.records import Slot
from models.intent.slots.resolvers import Found, entities
from models.intent.slots.tagger import SlotTagger, Tagged
from models.masking import masked

READ_CHARACTERS = 4_000
"""As many as the intent is read from."""

__all__ = ["Found", "SlotTagger", "Tagged", "entities", "slots_of"]


def slots_of(text: str, intent: str | None, at: datetime | None, tagger: SlotTagger | None) -> tuple[Slot, ...]:
    """The slots of a text, in order, no two overlap; of its first `READ_CHARACTERS` characters.

    A slot that was learned keeps its name and gets the value of a typed one inside it; typed ones elsewhere stand for themselves.

    Parameters
    ----------
    intent
        Whose slots the tagger looks for; ``None``: typed ones only.
    at
        When the text was written, with the writer's zone; ``None``: no dates and times.
    tagger
        ``None``: no spans were there to learn from.
    """
    text = text[:READ_CHARACTERS]
    typed = entities(text, at)
    learned = tagger.tag(text, intent) if tagger is not None and intent is not None else []
    slots = [_slot(text, slot, start, end, _value_inside(typed, start, end)) for slot, start, end in learned]
    slots += [_slot(text, *found) for found in typed if not any(found.start < end and start < found.end for _, start, end in learned)]
    return tuple(sorted(slots, key=lambda slot: slot.start))


def _slot(text: str, slot: str, start: int, end: int, value: Any) -> Slot:
    numbered = isinstance(value, dict) and "last4" in value
    return Slot(slot=slot, text=f"[{slot}]" if numbered else masked(text[start:end]), start=start, end=end, value=value)


def _value_inside(typed: list[Found], start: int, end: int) -> Any:
    """The value of the one typed slot that the span holds; ``None`` if there are none or several."""
    values = [found.value for found in typed if start <= found.start and found.end <= end]
    return values[0] if len(values) == 1 else None
