"""Tricks in a resume's text that are meant to lift its score: they are marked, and what they cover is not scored.

A detector of tricks is itself a risk to honest candidates, so each looks for what honest resumes do not hold: orders to the reader,
eight words on end that are the job's, one word over and over, a run of skills without a sentence around them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from models.resume_ranking.lexicon import FUNCTION_WORDS
from models.resume_ranking.skills import find_skills
from models.resume_ranking.spans import Span

COPIED_WORDS = 8  # on end; plagiarism detectors take 5 to 10, and titles and names of tools reach 5
REPEATS = 6  # of one word in a line that has at least MANY words
MANY = 12
REPEATED_SHARE = 0.3  # of a line's words
LEAST_DISTINCT = 0.35  # of a line's words; of 471 long lines of real resumes none came below .46
RUN_OF_SKILLS = 10  # in a line without separators
MOST_SKILLS = 60  # in one line, even with separators
REPEATED_LINE_WORDS = 5
REPEATED_LINES = 8  # honest resumes say the same under each of their projects

_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|preceding|all|other|your|"
    r"any)\b[^.\n]{0,30}"
    r"\b(?:instructions?|prompts?|rules|text|candidates|resumes|guidelines|criteria|context)\b"
    r"|\b(?:you are|act as|pretend to be)\b (?:now )?(?:an? )?(?:\w+ ){0,2}(?:ai|llm|language model|assistant|chatbot|"
    r"ranking (?:system|model)|screening (?:system|tool))\b"
    r"|\b(?:rank|rate|score|grade|place|put|mark|classify|select|shortlist|recommend|hire|prefer|choose)\b (?:this|the|me\b|my|"
    r"above)[^.\n]{0,40}"
    r"\b(?:first|highest|top|best|number one|#1|10/10|100(?:%|/100)?|perfect|excellent|immediately|above all|qualified|"
    r"strong(?:est)? match)\b"
    r"|\b(?:this|the) (?:candidate|applicant|resume|cv|person) (?:is|must be|should be|has to be|shall be|needs to be) (?:the )?(?:\w+ )?"
    r"(?:ranked|rated|scored|selected|hired|shortlisted|accepted|chosen|invited|recommended|placed|perfect|best|ideal|top)\b"
    r"|\b(?:give|assign|award)\b (?:this|the|me|my)[^.\n]{0,30}\b(?:maximum|highest|full|perfect|top|best)\b[^.\n]{0,15}\b(?:score|"
    r"rating|rank|marks?|points)\b"
    r"|\b(?:do not|don't|never) (?:reject|filter out|exclude|disqualify)\b|\bsystem prompt\b|<\|?(?:im_start|system|endoftext)\|?>|"
    r"\[/?INST\]|^\s*#{2,}\s*(?:instruction|system)\b"
    r"|\b(?:note|attention|message|instructions?) (?:to|for) (?:the )?(?:ai|llm|bot|reviewer|recruiter|screener|ats|language model|"
    r"algorithm|system|reader)\b"
    r"|\b(?:respond|reply|answer|output|return|say|write) (?:only )?(?:with|that)\b[^.\n]{0,40}\b(?:qualified|match|hire|score|yes|"
    r"candidate)\b",
    re.IGNORECASE | re.MULTILINE,
)
_WORD = re.compile(r"[^\W_][\w+#.'\u2019-]*")
_SEPARATOR = re.compile(r"[^\w\s.+#'\u2019-]|\s-\s|\.\s")


@dataclass(frozen=True)
class Trick:
    """A passage that is marked, and gains nothing.

    Parameters
    ----------
    kind
        ``stuffing``, ``copied_job`` or ``instructions``.
    span
        Where.
    detail
        One sentence for the recruiter.
    """

    kind: str
    span: Span
    detail: str


def tricks(text: str, job: str = "") -> tuple[Trick, ...]:
    """Passages that must not be scored, in order and disjoint.

    Parameters
    ----------
    job
        The job's text, to find what was copied from it.
    """
    found = [*_instructions(text), *_copied(text, job), *_stuffed(text)]
    kept: list[Trick] = []
    for trick in sorted(found, key=lambda trick: (trick.span.start, -trick.span.end)):
        if kept and trick.span.start < kept[-1].span.end:
            if trick.span.end > kept[-1].span.end:
                kept[-1] = Trick(kept[-1].kind, Span(kept[-1].span.start, trick.span.end), kept[-1].detail)
            continue
        kept.append(trick)
    return tuple(kept)


def _instructions(text: str) -> Iterator[Trick]:
    for match in _ORDERS.finditer(text):
        start = max(text.rfind("\n", 0, match.start()), text.rfind(". ", 0, match.start()) + 1) + 1
        ends = [end for end in (text.find("\n", match.end()), text.find(". ", match.end())) if end >= 0]
        span = Span(min(start, match.start()), min(ends, default=len(text)))
        yield Trick("instructions", span, "Speaks to whoever or whatever reads the resume, and not of the candidate.")


def _copied(text: str, job: str) -> Iterator[Trick]:
    wanted = [match[0].lower().strip(".'-") for match in _WORD.finditer(job)]
    grams = {tuple(wanted[at : at + COPIED_WORDS]) for at in range(len(wanted) - COPIED_WORDS + 1)}
    if not grams:
        return
    places = list(_WORD.finditer(text))
    words = [match[0].lower().strip(".'-") for match in places]
    start = end = -1
    for at in range(len(words) - COPIED_WORDS + 1):
        if tuple(words[at : at + COPIED_WORDS]) not in grams:
            continue
        if at > end and end >= 0:
            yield _copy(places, start, end)
            start = at
        start = at if start < 0 else start
        end = at + COPIED_WORDS
    if end >= 0:
        yield _copy(places, start, end)


def _copy(places: list[re.Match[str]], start: int, end: int) -> Trick:
    return Trick("copied_job", Span(places[start].start(), places[end - 1].end()), f"{end - start} words on end are the job's own.")


def _stuffed(text: str) -> Iterator[Trick]:
    seen: Counter[str] = Counter()
    start = 0
    for line in text.split("\n"):
        span = Span(start, start + len(line))
        start += len(line) + 1
        words = [match[0].lower().strip(".'-") for match in _WORD.finditer(line)]
        key = " ".join(words)
        seen[key] += len(words) >= REPEATED_LINE_WORDS
        if seen[key] > REPEATED_LINES:
            yield Trick("stuffing", span, f"Says the same for the {REPEATED_LINES + 1}th time or more.")
        elif len(words) >= MANY and (detail := _why_stuffed(line, words)):
            yield Trick("stuffing", span, detail)


def _why_stuffed(line: str, words: list[str]) -> str:
    word, count = Counter(word for word in words if len(word) > 2 and word not in FUNCTION_WORDS).most_common(1)[0] if words else ("", 0)
    if count >= REPEATS and count >= REPEATED_SHARE * len(words):
        return f'Says "{word}" {count} times in {len(words)} words.'
    if MANY * 2 <= len(words) < 400 and len(set(words)) < LEAST_DISTINCT * len(words):
        return f"Says {len(set(words))} words over and over, {len(words)} in all."
    if len(words) < 400:
        skills = len({mention.skill for mention in find_skills(line)})
        parted = len(_SEPARATOR.findall(line))
        told = sum(word in FUNCTION_WORDS for word in words)
        if skills > MOST_SKILLS or (skills >= RUN_OF_SKILLS and parted + told < 0.3 * skills):
            return f"Names {skills} skills in a row, without a sentence or a list around them."
    return ""
