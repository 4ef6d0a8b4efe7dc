"""What a job asks for, requirement by requirement: by headings, by list, by sentence, and by the words that weigh them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from models.resume_ranking.degrees import BACHELOR, degrees
from models.resume_ranking.skills import Mention, find_skills
from models.resume_ranking.spans import Span

MUST, NICE, DUTY, SKIP, INTRO = "must", "nice", "duty", "skip", "intro"
_HEADINGS = {
    NICE: r"nice[ -]to[ -]haves?|preferred(?: .*)?|desir(?:ed|able)(?: .*)?|bonus(?: .*)?|optional(?: .*)?|good[ -]to[ -]haves?|"
    r"pluses|a plus|"
    r"extra credit|what would be nice|ideally|advantageous|(?:it(?:'|\u2019)?s |would be )?a plus if.*|nice extras|von vorteil",
    MUST: r"(?:job |key |minimum |basic |essential |core |required |mandatory |technical |candidate |position )*(?:requirements?|"
    r"qualifications?|skills?|must[ -]haves?|"
    r"competenc(?:y|ies)|experience|knowledge|expertise|education|criteria|profile|specification)(?:,? (?:and|"
    r"&) (?:\w+ ?){1,3})?(?: required| needed)?|"
    r"what you(?:'|\u2019)?(?:ll)? (?:bring|need|have|should have)|who you are|about you|we(?:'|\u2019)?re looking for|your profile|"
    r"you have|you bring|"
    r"what we(?:'|\u2019)?re looking for|what we expect|anforderungen|dein profil|ihr profil|profil recherché|requisitos|"
    r"the ideal candidate",
    DUTY: r"(?:job |key |main |core |primary |your |role |duties and |duties & |roles and |roles & )*(?:responsibilit(?:y|ies)|"
    r"duties|tasks|accountabilities|role)"
    r"(?:,? (?:and|&) (?:\w+ ?){1,3})?|what you(?:'|\u2019)?(?:ll)? (?:do|be doing)|the role|day[ -]to[ -]day|aufgaben|"
    r"deine aufgaben|ihre aufgaben|vos missions|funciones",
    SKIP: r"about (?:us|the company|the team|\w+)|company(?: overview| profile| description)?|who we are|benefits?(?: .*)?|"
    r"perks(?: .*)?|what we offer|we offer|"
    r"why (?:join|work).*|compensation(?: .*)?|salary(?: .*)?|how to apply|application(?: process)?|to apply|"
    r"equal (?:employment )?opportunit.*|diversity.*|"
    r"our (?:values|culture|mission|story)|location|contact|wir bieten|hiring process|working hours",
    INTRO: r"(?:job )?(?:description|summary|overview|purpose)|position(?: summary)?|introduction|the job|the opportunity",
}
_KINDS = {kind: re.compile(rf"(?:{words})", re.IGNORECASE) for kind, words in _HEADINGS.items()}
_BULLET = re.compile(r"^\s*(?:[•●○◦▪■□◆➢➤►▶✓✔∙·*\u2013\u2014\-]|\(?\d{1,2}[.)])\s+")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=[A-Z0-9(])")
_NICE = re.compile(
    r"\bnice[ -]to[ -]have|\bpreferred\b|\bpreferabl[ey]\b|\b(?:is|are|be|as|considered)? ?an? (?:strong |big |definite |"
    r"real )?(?:plus|bonus|advantage|asset)\b|\bplus\s*[.!)]?$|"
    r"\bdesir(?:able|ed)\b|\bideally\b|\boptional(?:ly)?\b|\bbonus(?: points)?\b|\badvantageous\b|\bbeneficial\b|"
    r"\bgood[ -]to[ -]have\b|\bwould be (?:great|nice|helpful)\b|"
    r"\bvon vorteil\b|\bwünschenswert\b",
    re.IGNORECASE,
)
_MUST = re.compile(r"\b(?:required|mandatory|must|essential|necessary|at least|minimum)\b", re.IGNORECASE)
_ASIDE = re.compile(r"\(([^()]{2,80})\)|;\s*([^;]{2,120})$")
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "ten": 10, "twelve": 12, "fifteen": 15}
_YEARS = re.compile(
    rf"\b(?P<number>\d{{1,2}}(?:\.\d)?|{'|'.join(_NUMBERS)})\s*(?:\(\d+\)\s*)?\+?\s*(?:(?:-|\u2013|\u2014|to|or)\s*(?:\d{{1,2}}|"
    rf"more)\s*)?\+?\s*"
    r"(?:or more |plus )?(?P<unit>years?|yrs?|months?|jahre?n?|ans|años)\b",
    re.IGNORECASE,
)
_NEXT_YEARS = re.compile(
    rf"(?:,|;|\band\b)\s*(?=(?:at least |minimum |over )?(?:\d{{1,2}}|{'|'.join(_NUMBERS)})\+?\s*(?:years?|yrs?)\b)", re.IGNORECASE
)
_DEGREE = re.compile(r"\b(?:degree|diploma|graduate|university education|hochschulabschluss|studium)\b", re.IGNORECASE)
_ANY_OF = re.compile(
    r"\bor\b|\beither\b|\bone (?:of|or more|popular|modern|major)\b|\bat least one\b|\bsuch as\b|\be\.?g\.|\blike\b|\bany of\b|"
    r"\bod(?:er)\b|\w/\w",
    re.IGNORECASE,
)
ALONE = 3  # words of a requirement that is hardly more than a name
SHORTEST = 3  # words of a sentence that asks for something without naming a skill, a degree or years
MOSTLY_CAPITALS = 0.7  # of a line's words: a company and its place


@dataclass(frozen=True)
class Requirement:
    """One thing that a job asks for.

    Parameters
    ----------
    text
        The requirement's own words.
    span
        Where they stand in the job's text.
    must
        Whether the job needs it; otherwise it is nice to have.
    kind
        ``skill`` (names known skills), ``years`` (asks for experience in general), ``degree``, ``duty`` (something to do) or ``other``.
    skills
        Canonical names of the skills it names, in order.
    any_of
        Whether one of the skills is enough ("Java or Kotlin").
    years
        Years asked for; 0 when none are named.
    degree
        Level of the degree asked for, see `models.resume_ranking.degrees`; 0 when none is.
    """

    text: str
    span: Span
    must: bool = True
    kind: str = "other"
    skills: tuple[str, ...] = ()
    any_of: bool = False
    years: float = 0.0
    degree: int = 0


def requirements(text: str, *, must_have: tuple[str, ...] = ()) -> tuple[Requirement, ...]:
    """Split a job's text into its requirements, in order; each once.

    Parameters
    ----------
    must_have
        Requirements that the recruiter lists apart from the text; they come first, their spans are empty (0, 0).
    """
    listed = [replace(_requirement(item, Span(0, len(item)), MUST), span=Span(0, 0), must=True) for item in must_have if item.strip()]
    found = [_requirement(text, span, kind) for kind, span in _items(text)]
    asked = [item for item in found if item.kind != "other" or _is_sentence(item.text)]
    unique: dict[str, Requirement] = {}
    for item in [*listed, *asked]:
        unique.setdefault(" ".join(item.text.lower().split()).rstrip("."), item)
    return tuple(unique.values())


def _items(text: str) -> Iterator[tuple[str, Span]]:
    """Every line or sentence that may ask for something, with the kind of part it stands in."""
    kind, start, title = INTRO, 0, True
    for line in text.split("\n"):
        span, start = Span(start, start + len(line)), start + len(line) + 1
        if not line.strip():
            continue
        heading = _heading(line)
        if heading is not None:
            kind, at = heading
            title = False
            span = Span(span.start + at, span.end)
        elif title and len(line.split()) <= 12 and not line.rstrip().endswith(".") and "\n" in text.strip():
            continue  # the job's title, the company, the place
        title = False
        if kind != SKIP:
            yield from ((kind, item) for sentence in _sentences(text, span) for item in _clauses(text, sentence))


def _heading(line: str) -> tuple[str, int] | None:
    """The kind that a heading announces, and where what follows on its line begins."""
    words = line.strip(" \t#*=_:•-")
    if len(words) <= 60:
        for kind, pattern in _KINDS.items():
            if pattern.fullmatch(words):
                return kind, len(line)
    colon = line.find(":")
    if 0 < colon <= 40 and not _BULLET.match(line):
        for kind, pattern in _KINDS.items():
            if pattern.fullmatch(line[:colon].strip(" \t#*")):
                return kind, colon + 1
    return None


def _sentences(text: str, span: Span) -> Iterator[Span]:
    line = span.of(text)
    bullet = _BULLET.match(line)
    at = bullet.end() if bullet else 0
    for match in [*_SENTENCE.finditer(line, at), None]:
        end = match.start() if match else len(line)
        yield from _trimmed(text, Span(span.start + at, span.start + end))
        at = match.end() if match else end


def _clauses(text: str, span: Span) -> Iterator[Span]:
    """A sentence, cut before a second number of years and around an aside that weighs differently."""
    words = span.of(text)
    aside = _ASIDE.search(words)
    if aside is not None and bool(_NICE.search(aside[0])) != bool(_NICE.search(words[: aside.start()] + words[aside.end() :])):
        group = 1 if aside[1] else 2
        yield from _clauses(text, Span(span.start, span.start + aside.start()))
        yield from _trimmed(text, Span(span.start + aside.start(group), span.start + aside.end(group)))
        if words[aside.end() :].strip(" .,;"):
            yield from _clauses(text, Span(span.start + aside.end(), span.end))
        return
    at = 0
    if len(_YEARS.findall(words)) > 1:
        for match in _NEXT_YEARS.finditer(words):
            if _YEARS.search(words, at, match.start()):
                yield from _trimmed(text, Span(span.start + at, span.start + match.start()))
                at = match.end()
    yield from _trimmed(text, Span(span.start + at, span.end))


def _trimmed(text: str, span: Span) -> Iterator[Span]:
    words = span.of(text)
    start, end = len(words) - len(words.lstrip(" \t,;")), len(words.rstrip(" \t,;"))
    if end > start:
        yield Span(span.start + start, span.start + end)


def _requirement(text: str, span: Span, part: str) -> Requirement:
    words = span.of(text)
    mentions = find_skills(words)
    if not mentions and len(words.split()) <= ALONE:
        mentions = find_skills(f"- {words}")  # alone, a doubtful name is one that is listed
    years = _years(words)
    degree = min((degree.level for degree in degrees(words)), default=BACHELOR if _DEGREE.search(words) else 0)
    kind = "skill" if mentions else "degree" if degree else "years" if years else "duty" if part == DUTY else "other"
    must = part != NICE and not (_NICE.search(words) and not (part == MUST and _MUST.search(words) and not _NICE.search(words)))
    if degree and mentions and re.search(r"\b(?:degree|bachelor|master|ph\.?d|diploma)", words, re.IGNORECASE):
        kind = "degree"
    return Requirement(words, span, must, kind, _names(mentions), len(mentions) > 1 and _is_choice(words, mentions), years, degree)


def _is_sentence(words: str) -> bool:
    tokens = re.findall(r"[^\W\d_]+", words)
    return len(tokens) >= SHORTEST and sum(token[0].isupper() for token in tokens) < MOSTLY_CAPITALS * len(tokens)


def _names(mentions: tuple[Mention, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mention.skill for mention in mentions))


def _is_choice(words: str, mentions: tuple[Mention, ...]) -> bool:
    between = words[max(0, mentions[0].span.start - 12) : mentions[-1].span.end]
    return _ANY_OF.search(between) is not None


def _years(words: str) -> float:
    """The least number of years that the words ask for; the largest, where several are named."""
    found = []
    for match in _YEARS.finditer(words):
        number = float(_NUMBERS.get(match["number"].lower(), 0) or match["number"])
        found.append(number / 12 if match["unit"].lower().startswith("month") else number)
    return max(found, default=0.0)
