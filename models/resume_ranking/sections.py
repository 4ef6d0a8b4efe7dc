"""The sections of a resume, by their headings: known words that stand alone on a line, before a colon, or before a list."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.resume_ranking.spans import Span

_WORDS = {
    "summary": "summary|profile|objective|career objective|about|about me|about us|overview|personal statement|profil|résumé|perfil|"
    "resumen|"
    "kurzprofil|über mich|à propos|highlights",
    "experience": "experience|experiences|employment|employment history|work history|career history|career|professional background|"
    "work experience|company details|internship|internships|positions held|berufserfahrung|praktika|beruflicher werdegang|"
    "expérience professionnelle|expériences|experiencia|experiencia laboral|experiencia profesional|esperienza professionale|job history|"
    "experience details|organi[sz]ational experience|work details|appointments",
    "education": "education|educational qualifications?|academic background|academic qualifications?|qualifications?|academics?|degrees?|"
    "education details|education and training|education & training|training|trainings|ausbildung|bildung|studium|formation|formations|"
    "educación|formación|istruzione|schooling|academia|academic profile|educational background|scholastics",
    "skills": "skills|skill|skill details|skill set|skillset|skill sets|competenc(?:y|ies|es)|expertise|tools|technologies|"
    "technical expertise|"
    "areas of expertise|core competenc(?:y|ies)|tech stack|technical proficienc(?:y|ies)|proficienc(?:y|ies)|it skills|software|"
    "technical summary|computer knowledge|computer proficiency|software proficiency|software skills|abilities|kenntnisse|fähigkeiten|"
    "edv-kenntnisse|compétences|habilidades|competenze|capabilities|toolbox|knowledge|strengths|technical knowledge",
    "projects": "projects?|selected projects?|project details|project experience|academic projects?|personal projects?|projekte|projets|"
    "proyectos|project profile|projects undertaken|projects handled",
    "certificates": "certifications?|certificates?|licen[cs]es?|courses|certifications? and trainings?|certifications? & trainings?|"
    "zertifikate|"
    "certificats|certificaciones|licen[cs]es and certifications|workshops|professional development|courses and certifications",
    "publications": "publications?|papers|patents|research|talks|conferences|publikationen|presentations",
    "awards": "awards?|achievements?|honou?rs|accomplishments?|awards and achievements|honou?rs and awards|auszeichnungen|prix|"
    "achievements & awards|key achievements|scholarships",
    "languages": "languages?|languages known|language skills|sprachen|sprachkenntnisse|langues|idiomas|lingue|linguistic skills|"
    "known languages",
    "volunteering": "volunteering|volunteer experience|volunteer work|community service|ehrenamt|bénévolat|voluntariado|"
    "extracurricular activities|extra[- ]curricular activities|co[- ]curricular activities|activities",
    "personal": "personal details?|personal information|personal profile|personal data|personal particulars|contact|contacts|"
    "contact details|"
    "contact information|contact info|contact me|bio[- ]?data|persönliche daten|kontakt|datos personales|personal|personal dossier|"
    "personal memoranda|"
    "informations personnelles",
    "interests": "interests?|hobbies|hobbies and interests|hobbies & interests|interests and hobbies|interests & hobbies|"
    "personal interests|"
    "hobby|hobbys|interessen|centres d'intérêt|loisirs|intereses|aficiones|strengths and hobbies",
    "references": "references?|referees|referenzen|références|referencias|declaration|place and date|signature",
    "other": "additional information|miscellaneous|others?|additional details|memberships|affiliations|availability",
}
_ADJECTIVES = (
    "professional|technical|key|core|relevant|additional|main|other|selected|my|career|academic|personal|computer|work|working|it|"
    "business|"
    "industrial|teaching|research|clinical|digital|soft|hard|functional|major|recent|previous|past|current|executive|general|educational"
)
_KINDS = {
    kind: re.compile(rf"(?:(?:{_ADJECTIVES})[ /&]+){{0,2}}(?:{words})(?: (?:history|details|summary|section|profile))?", re.IGNORECASE)
    for kind, words in _WORDS.items()
}
_PARTS = re.compile(r"\s*(?:&|/|,|\band\b|\+|\bund\b|\bet\b|\by\b)\s*", re.IGNORECASE)
_EDGES = " \t*#=_-\u2013\u2014\u2022•▪■●:.|~>"
_BEFORE_LIST = re.compile(r"\s*(?::|[\u2013\u2014•▪■●*\u2022~]|â)")
_AT_END = re.compile(
    r"(?<=[\w.,;)\]])[ \t]*((?:Education|Skill|Company|Project|Personal|Experience) Details|(?:Work|Professional) Experience)[ \t]*$"
)
_NUMBERED = re.compile(r"^\(?(?:\d{1,2}|[ivx]{1,4})[.)]\s+", re.IGNORECASE)
LONGEST_HEADING = 60  # characters


@dataclass(frozen=True)
class Section:
    """A part of a resume.

    Parameters
    ----------
    kind
        ``header`` (what comes before the first heading), ``summary``, ``experience``, ``education``, ``skills``, ``projects``,
        ``certificates``, ``publications``, ``awards``, ``languages``, ``volunteering``, ``personal``, ``interests``, ``references``
        or ``other``.
    heading
        The heading's words; empty for the header.
    span
        The section without its heading.
    """

    kind: str
    heading: str
    span: Span


def sections(text: str) -> tuple[Section, ...]:
    """The sections in order; together they cover everything but the headings."""
    found: list[Section] = []
    kind, heading, start = "header", "", 0
    for next_kind, span in _headings(text):
        found.append(Section(kind, heading, Span(start, span.start)))
        kind, heading, start = next_kind, span.of(text).strip(_EDGES), span.end
    found.append(Section(kind, heading, Span(start, len(text))))
    return tuple(section for section in found if section.heading or section.span.of(text).strip())


def section_at(sections: Sequence[Section], offset: int) -> str:
    """The kind of section that an offset lies in; ``other`` where there is none."""
    at = bisect_right([section.span.start for section in sections], offset) - 1
    return sections[at].kind if at >= 0 and sections[at].span.holds(offset) else "other"


def heading_kind(words: str) -> str | None:
    """What a heading announces; ``None`` if the words are none."""
    words = _NUMBERED.sub("", " ".join(words.strip(_EDGES).split()))
    return _kind(words) if words and len(words) <= LONGEST_HEADING else None


@lru_cache(maxsize=10_000)  # the same headings, and short lines, come again and again
def _kind(words: str) -> str | None:
    for kind, pattern in _KINDS.items():
        if pattern.fullmatch(words):
            return kind
    parts = [part for part in _PARTS.split(words) if part]
    kinds = [next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(part)), None) for part in parts]
    return kinds[0] if len(parts) > 1 and None not in kinds else None


def _headings(text: str) -> Iterator[tuple[str, Span]]:
    start = 0
    for line in text.split("\n"):
        yield from _headings_of(line, start)
        start += len(line) + 1


def _headings_of(line: str, start: int) -> Iterator[tuple[str, Span]]:
    if not line.strip(_EDGES):
        return
    if len(line.strip()) <= LONGEST_HEADING and (kind := heading_kind(line)) is not None:
        yield kind, Span(start, start + len(line))
        return
    yield from _before_list(line, start)
    if (match := _AT_END.search(line)) is not None and (kind := heading_kind(match[1])) is not None:
        yield kind, Span(start + match.start(1), start + match.end(1))


def _before_list(line: str, start: int) -> Iterator[tuple[str, Span]]:
    """``SKILLS: Python, SQL`` and ``Technical Skills • Python``."""
    words = list(re.finditer(r"\S+", line[: LONGEST_HEADING + 1]))
    for count in range(min(5, len(words)), 0, -1):
        end = words[count - 1].end()
        phrase = line[:end]
        colon = phrase.rstrip().endswith(":")
        if (colon or _BEFORE_LIST.match(line, end)) and (kind := heading_kind(phrase)) is not None:
            if colon or phrase.lstrip()[:1].isupper():
                yield kind, Span(start, start + end)
            return
