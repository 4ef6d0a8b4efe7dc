"""A candidate as the matching sees one: read, blinded, understood and encoded; nothing of it depends on a job or on other candidates."""

from __future__ import annotations

import base64
import binascii
import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from models.resume_ranking.abuse import Trick, tricks
from models.resume_ranking.blinding import Blinded, blind
from models.resume_ranking.copying import Runs, runs, said
from models.resume_ranking.passages import passages
from models.resume_ranking.reading import Document, Mark, read
from models.resume_ranking.reading.document import unreadable
from models.resume_ranking.records import MAX_TEXT, Candidate, Place
from models.resume_ranking.skills import Skill
from models.resume_ranking.spans import Span
from models.resume_ranking.understanding import Resume, understand
from models.resume_ranking.vectors import PassageEncoder, Vectors
from models.resume_ranking.words import words

_EXCERPT = 240


@dataclass(frozen=True, eq=False)
class Profile:
    """What can be said of a resume before a job is known.

    Parameters
    ----------
    document
        The text as it was given or read, or the reason why there is none.
    blinded
        The text without who the person is.
    tricks
        Passages of the blinded text that are marked whatever the job; line ends stand in their place in `resume`.
    withheld
        Those of the original text that the blinding took out already.
    resume
        The blinded text, understood.
    passages
        Places in the blinded text.
    vectors
        Of the first passages, as far as the bound on words allows.
    where
        Passages by the words they hold.
    lines
        The words of each passage, however written.
    runs
        Of the blinded text, to see quickly whether it can hold a copy of the job.
    """

    document: Document
    blinded: Blinded
    tricks: tuple[Trick, ...]
    withheld: tuple[Trick, ...]
    resume: Resume
    passages: tuple[Span, ...]
    vectors: Vectors
    where: Mapping[str, tuple[int, ...]]
    lines: tuple[str, ...]
    runs: Runs

    @property
    def counts(self) -> dict[str, int]:
        """In how many passages each word stands: repeating it within one proves nothing."""
        return {word: len(places) for word, places in self.where.items()}

    @cached_property
    def length(self) -> int:
        """Words in all, each once a passage."""
        return sum(map(len, self.where.values()))

    @cached_property
    def _starts(self) -> list[int]:
        return [span.start for span in self.passages]

    def showing(self, skill: Skill) -> list[int]:
        """The passages that name a skill, each once."""
        places = {bisect_right(self._starts, mention.span.start) - 1 for mention in skill.mentions}
        return sorted(place for place in places if place >= 0)

    def place(self, span: Span) -> Place:
        """Where a span of the blinded text stands in the original, and what it says of the work."""
        original, excerpt = self.blinded.original(span), " ".join(span.of(self.blinded.text).split())
        return Place(start=original.start, end=original.end, excerpt=excerpt[:_EXCERPT])


def source_of(candidate: Candidate) -> str:
    """What the candidate gave, by hash; the same for the same bytes, whoever it is."""
    kind, content = ("text", candidate.text) if candidate.text is not None else ("document", candidate.document or "")
    return hashlib.sha256(f"{kind}\0{content}".encode("utf-8", "surrogatepass")).hexdigest()


def document_of(candidate: Candidate) -> Document:
    """The candidate's text, or the reason why there is none."""
    if candidate.text is not None:
        return Document(candidate.text, pages=1) if candidate.text.strip() else unreadable("the text is empty")
    try:
        data = base64.b64decode(candidate.document or "", validate=True)
    except (binascii.Error, ValueError):
        return unreadable("expected the document in base64, got something else")
    document = read(data, candidate.id)
    if document.readable and len(document.text) > MAX_TEXT:
        detail = f"the document has {len(document.text):,} characters, of which the first {MAX_TEXT:,} are read"
        return Document(document.text[:MAX_TEXT], True, None, document.pages, document.hidden, (*document.marks, Mark("partial", detail)))
    return document


def draft_of(document: Document) -> Profile:
    """Blind and understand what was read; its passages are still to be encoded."""
    blinded = blind(document.text)
    seen = tricks(document.text)
    marked = tricks(blinded.text) if seen else ()
    withheld = tuple(trick for trick in seen if trick.kind not in {each.kind for each in marked})
    honest = without(blinded.text, [trick.span for trick in marked])
    spans = passages(honest)
    texts = [" ".join(span.of(honest).split()) for span in spans]
    where: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        for word in dict.fromkeys(words(text)):
            where.setdefault(word, []).append(place)
    held = {word: tuple(places) for word, places in where.items()}
    lines = tuple(said(text) for text in texts)
    none = np.zeros((0, 0), np.int8)
    return Profile(document, blinded, marked, withheld, understand(honest), spans, none, held, lines, runs(honest))


def encoded(drafts: Sequence[Profile], encoder: PassageEncoder, meaning_words: int) -> list[Profile]:
    """The drafts with the vectors of their first passages."""
    texts = [[" ".join(span.of(draft.resume.text).split()) for span in draft.passages] for draft in drafts]
    vectors = encoder.encode_each([each[: _within(each, meaning_words)] for each in texts])
    return [replace(draft, vectors=found) for draft, found in zip(drafts, vectors, strict=True)]


def without(text: str, spans: Sequence[Span]) -> str:
    """The text with line ends in the place of some spans; every offset stays what it was."""
    for span in spans:
        text = text[: span.start] + "\n" * (span.end - span.start) + text[span.end :]
    return text


def _within(texts: Sequence[str], bound: int) -> int:
    """How many of the first texts have no more words than the bound together; at least one."""
    total = 0
    for number, text in enumerate(texts):
        total += len(text.split())
        if total > bound:
            return max(number, 1)
    return len(texts)
