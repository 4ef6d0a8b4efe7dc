"""The candidate's name: found by where and how it stands, not by lists of names, which know some peoples better than others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.resume_ranking.degrees import degrees
from models.resume_ranking.lexicon import FUNCTION_WORDS, GRADES, NAME_WORDS, PARTICLES, TITLES, TRADES
from models.resume_ranking.sections import Section, heading_kind
from models.resume_ranking.skills import find_skills
from models.resume_ranking.spans import Span

MOST_WORDS = 6
HEAD_LINES = 12

_WORD = r"[^\W\d_][\w'\u2019\u02bc\-]*"
_HONORIFIC = r"(?:mr|mrs|ms|miss|mx|dr|prof|professor|sir|madam|herr|frau|shri|smt|er|ing|dipl\.-ing|adv|ca)\.?"
_PREFIX = re.compile(
    rf"^\W*(?:(?:curriculum\s+vit(?:ae|æ)|r[eé]sum[eé]|cv|bio-?data|lebenslauf|profile|name|full name)\b\W*(?:of\b|"
    rf"for\b)?\W*)?(?:{_HONORIFIC}\s+)*",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"[,\s]+(?:jr|sr|ii|iii|iv|esq)\.?$", re.IGNORECASE)
_LABEL = re.compile(
    r"^\W*(?:candidate'?s?\s+|full\s+|my\s+|first\s+|last\s+|"
    r"sur)?name(?:\s+of\s+(?:the\s+)?candidate)?\s*[:\-\u2013=]+\s*(.+)$",
    re.I,
)
_SIGNED = re.compile(r"(?:sincerely|regards|faithfully|respectfully|signature|signed)\W*(?:\n\W*)*([^\n]{2,60})", re.IGNORECASE)
_SWORN = re.compile(rf"\bI,\s*({_WORD}(?:\s+{_WORD}){{0,4}}),?\s+(?:hereby|do hereby|declare)", re.IGNORECASE)
_TOLD = re.compile(
    r"(?:['\u2019]s?\b|\s+(?:is|was|has|had|led|leads|joined|worked|works|holds|held|brings|brought|wrote|built|won|ran|runs|grew|"
    r"made|took|began|"
    r"earned|graduated|managed|manages|[a-z]{2,}ed|[a-z]{3,}es)\b)"
)
_COMPANY = re.compile(
    r"\s*(?:&|(?:llp|llc|inc|ltd|limited|gmbh|corp|co|university|college|street|road|bank|hospital|institute|group|technologies|solutions|pvt|"
    r"industries|partners|holdings|foundation|school)\b)",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"\s*(?:\||•|·|¦|;|\t|\s{2,}|\s[-\u2013\u2014/]\s|[\u2013\u2014:])\s*")
CONTACT = re.compile(r"@|\d{3}[\s.-]?\d{3,4}|linkedin|github", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """A name as it stands in a text.

    Parameters
    ----------
    span
        Where it was found.
    tokens
        Its words, particles and initials left out.
    """

    span: Span
    tokens: tuple[str, ...]


def segments(text: str, start: int, end: int) -> Iterator[Span]:
    """The parts of a line between separators."""
    at = start
    for match in _SEPARATORS.finditer(text, start, end):
        if match.start() > at:
            yield Span(at, match.start())
        at = match.end()
    if end > at:
        yield Span(at, end)


def tells_of_work(words: str) -> bool:
    """Whether a piece of a header says what somebody does, and not who they are."""
    plain = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", words.lower())
    if any(word in TITLES or (word.endswith("s") and word[:-1] in TITLES) for word in plain):
        return True
    if any(word in TRADES for word in plain) and (len(plain) == 1 or plain[0] in GRADES):
        return True
    if len(plain) >= 8 and sum(word in FUNCTION_WORDS for word in plain) >= 2:
        return True
    return bool(find_skills(words)) or next(degrees(words), None) is not None


def find_names(text: str, sections: Sequence[Section]) -> list[Name]:
    """The candidate's name wherever it is presented as such: on top, after a label, in a signature."""
    names = []
    if (name := _on_top(text, sections)) is not None:
        names.append(name)
    for line in _lines(text, Span(0, len(text))):
        if (match := _LABEL.match(line.of(text))) is not None and _may_label(sections, line.start, len(text)):
            names += _named(text, Span(line.start + match.start(1), line.end))
    for pattern in (_SIGNED, _SWORN):
        for match in pattern.finditer(text):
            names += _named(text, Span(match.start(1), match.end(1)))
    return names


def mentions_of(names: Sequence[Name], text: str) -> Iterator[Span]:
    """Where a text speaks of somebody by these names, alone or together, with initials and particles between them."""
    tokens = {token for name in names for token in name.tokens if len(token) > 1}
    if not tokens:
        return
    either = "|".join(sorted((re.escape(token) for token in tokens), key=lambda token: (-len(token), token)))
    between = rf"(?:[\s,.]+(?:[A-Z]\.?|{'|'.join(sorted(PARTICLES))}))*[\s,.\-]*?\s*"
    before = rf"(?:{_HONORIFIC}\s+)*(?:[A-Z]\.\s*)*(?:(?:{'|'.join(sorted(PARTICLES))})[\s\-]+)*"
    after = r"(?:,?\s+(?:jr|sr|ii|iii|iv)\b\.?)?(?:['\u2019]s\b|['\u2019](?=\s))?"
    pattern = re.compile(rf"(?<![\w@.])(?P<before>{before})(?P<first>{either})(?:{between}(?:{either})(?!\w))*(?!\w){after}", re.IGNORECASE)
    known = {token.lower() for token in tokens}
    for match in pattern.finditer(text):
        if _is_person(match, text, known):
            yield Span(match.start(), match.end())


def _is_person(match: re.Match[str], text: str, known: set[str]) -> bool:
    """Whether a word of the name stands for the person there, and not for a company, a skill or what else it may mean."""
    words = (re.sub(r"['\u2019]s?$", "", word).lower() for word in re.findall(_WORD, match[0]))
    if sum(word in known for word in words) > 1:
        return True
    if _COMPANY.match(text, match.end()) or text[: match.start("first")].rstrip().endswith(("&", "St.", "St", "Saint", "San")):
        return False
    if match["before"].strip():
        return True
    word = match["first"]
    low = word.lower()
    skilled = _is_skill(word)
    if not (skilled or len(low) < 3 or any(low in words for words in (NAME_WORDS, TITLES, TRADES, GRADES))):
        return True
    if not word[:1].isupper() or re.search(r"\b[^\W\d_a-z]\w+ $", text[max(0, match.start() - 30) : match.start()]):
        return False  # Annual Day, Oracle Forms
    told = _TOLD.match(text, match.start("first") + len(word)) is not None
    opening = text[max(0, match.start() - 12) : match.start()].rstrip(" ")
    opens = not opening or opening[-1] in ".!?\n•*:|"
    return told if opens or skilled else re.match(r"\s*\d", text[match.end() : match.end() + 4]) is None


@lru_cache(10_000)
def _is_skill(word: str) -> bool:
    return any(mention.span.start == len("Python, ") for mention in find_skills(f"Python, {word}, SQL"))


def _on_top(text: str, sections: Sequence[Section]) -> Name | None:
    header = next((section.span for section in sections if section.kind == "header"), None)
    if header is None or header.start > 0:
        return None
    lines = [line for line in _lines(text, header) if line.of(text).strip()][:HEAD_LINES]
    contact = any(CONTACT.search(line.of(text)) for line in lines)
    for line in lines[:4]:
        if len(line.of(text).split()) > 14:
            return None
        for span in list(segments(text, line.start, line.end))[:2]:
            if name := next(iter(_named(text, span, any_case=contact)), None):
                return name
    return None


def _named(text: str, span: Span, *, any_case: bool = False) -> list[Name]:
    """The name that a piece of a line is, or begins with; empty if it begins otherwise."""
    words = span.of(text)
    prefix = _PREFIX.match(words)
    start = prefix.end() if prefix else 0
    body = words[start:]
    cut = re.search(r"[,(]\s*(?=[^\W\d_]+\.?[\w.]*\b)", body)
    if cut is not None and not _is_reversed(body):
        body = body[: cut.start()]
    body = _SUFFIX.sub("", body).rstrip(" ,.-\t")
    tokens = _leading_name(body, any_case)
    if not tokens or heading_kind(words) is not None:
        return []
    end = start + tokens[-1].end()
    kept = tuple(match[0] for match in tokens if match[0].lower() not in PARTICLES and len(match[0].strip(".")) > 1)
    return [Name(Span(span.start + start, span.start + end), kept)] if kept else []


def _is_reversed(body: str) -> bool:
    """``Smith, John``, unless what follows the comma is a title or a degree."""
    parts = body.split(",")
    return len(parts) == 2 and len(parts[0].split()) <= 2 and 1 <= len(parts[1].split()) <= 2 and not tells_of_work(parts[1])


def _leading_name(body: str, any_case: bool) -> list[re.Match[str]]:
    """The words of a name at the start, before any title; empty if there is none, or if something else follows."""
    tokens: list[re.Match[str]] = []
    short = len(body.split()) <= 3  # no list of skills is a line of its own; Ruby Swift is a person
    at = 0
    for match in re.finditer(rf"(?:{_WORD})\.?", body):
        if re.fullmatch(r"[\s,.]*", body[at : match.start()]) is None:
            return []
        word = match[0].strip(".").lower()
        if word in TITLES or word in GRADES or (tokens and not short and _is_skill(match[0])):
            return tokens if len(tokens) > 1 and len(body) > match.end() - 1 else []
        if not (_is_capital(match[0]) or word in PARTICLES or any_case):
            return []
        tokens.append(match)
        at = match.end()
    if body[at:].strip(" ,.") or len(tokens) > MOST_WORDS:
        return []
    if len(tokens) == 1 and (body.lower() in TRADES or _is_skill(body)):
        return []
    if any(heading_kind(token[0]) for token in tokens):
        return []
    return tokens if len(tokens) > 1 or not any_case or body.istitle() or body.isupper() or not body.isascii() else []


def _is_capital(word: str) -> bool:
    return word[:1].isupper() or not (word[:1].islower() or word[:1].isupper())


def _may_label(sections: Sequence[Section], offset: int, length: int) -> bool:
    """Whether "Name:" there is the candidate's, and not a project's or a company's."""
    kind = next((section.kind for section in sections if section.span.holds(offset)), "other")
    return kind in ("header", "personal", "references", "summary", "interests") or offset > 0.85 * length or offset < 300


def _lines(text: str, span: Span) -> Iterator[Span]:
    start = span.start
    while start < span.end:
        end = text.find("\n", start, span.end)
        end = span.end if end < 0 else end
        yield Span(start, end)
        start = end + 1
