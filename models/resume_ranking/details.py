"""Personal details in a resume that have nothing to do with the work: how to reach somebody, who they are, how old."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.resume_ranking.dates import points, ranges
from models.resume_ranking.degrees import names_degree
from models.resume_ranking.sections import Section, section_at
from models.resume_ranking.spans import Span


@dataclass(frozen=True)
class Detail:
    """A passage to take out.

    Parameters
    ----------
    kind
        See `models.resume_ranking.blinding.Masked`.
    span
        Where it stands.
    instead
        What to write in its place: the same words whatever stood there.
    """

    kind: str
    span: Span
    instead: str = ""


_LABELS = {
    "birth": r"date\s+of\s+birth|birth\s*(?:date|day)|d\.?\s?o\.?\s?b\.?|born(?:\s+on)?|place\s+of\s+birth|age|geburtsdatum|"
    r"geboren(?:\s+am)?|"
    r"date de naissance|fecha de nacimiento|zodiac(?:\s+sign)?",
    "gender": r"gender|sex|pronouns|geschlecht|sexe",
    "family": r"marital\s*status|civil\s+status|family\s+(?:status|details|background)|children|kids|dependents|"
    r"spouse(?:'s)?(?:\s+name)?|"
    r"(?:father|mother|husband|wife)(?:'|\u2019)?s?(?:\s+name|\s+occupation)?|familienstand|état civil|estado civil|parentage",
    "origin": r"nationality|citizenship|citizen|race|ethnicity|ethnic\s+origin|caste|category|mother\s+tongue|native\s+place|"
    r"hometown|home\s+town|"
    r"domicile|nationalität|staatsangehörigkeit|nationalité|nacionalidad|visa(?:\s+status)?|work\s+permit|country\s+of\s+birth",
    "belief": r"religion|faith|denomination|political\s+(?:views|affiliation)|konfession|religión",
    "personal": r"blood\s+group|height|weight|health(?:\s+status)?|physical\s+status|disability|disabilities|passport(?:\s*(?:no|"
    r"number|details|validity))?\.?|"
    r"pan(?:\s*(?:no|number|card))?\.?|aadh?aa?r(?:\s*(?:no|number|card))?\.?|ssn|social\s+security(?:\s+(?:no|number))?\.?|"
    r"national\s+id|id\s+number|"
    r"photo|hobbies|hobby|interests?|military\s+(?:status|service)|sexual\s+orientation|languages?\s+at\s+home",
    "address": r"(?:permanent|present|current|residential|correspondence|mailing|home|local|postal)?\s*address|residence|"
    r"residing\s+at|location|city|"
    r"anschrift|adresse|wohnort|dirección|place|pin\s*code|zip(?:\s+code)?",
    "contact": r"e-?mail(?:\s*(?:id|address))?|mail|tel(?:ephone|efon)?|phone(?:\s*(?:no|number))?|mobile(?:\s*(?:no|number|"
    "phone))?|cell|"
    r"contact(?:\s*(?:no|number|details|me))?|fax|whatsapp|handy|linked-?in|git-?hub|skype|twitter|website|web|portfolio|blog|"
    r"facebook|instagram|"
    r"ph\.?|mob\.?",
}
# Elsewhere than on top these are fields of a project or a form that somebody built.
_ONLY_ABOUT_PERSONS = frozenset({"birth", "gender", "family", "origin", "belief", "personal"})
_AMONG_WORK = re.compile(
    r"\b(?:category|children|kids|interests?|health|height|weight|photo|sex|age|race|place|location|city|"
    r"visa)\b",
    re.IGNORECASE,
)
_STARTS = re.compile(r"^|[|•·;\t(]|\s\s(?=\S)", re.MULTILINE)
_LABELLED = re.compile(
    r"[ \t]*[*\-]?[ \t]*(?:"
    + "|".join(f"(?P<{kind}>{words})" for kind, words in _LABELS.items())
    + r")[ \t]*(?:\([^)\n]*\))?[ \t]*(?:[:=]|\s[-\u2013]\s|[-\u2013]:?)[^\n|•·;]*",
    re.IGNORECASE,
)

_WORLD = (
    r"(?:https?://|www\.)\S+|\b(?:[\w-]+\.)*(?:linkedin|github|gitlab|twitter|facebook|instagram|behance|dribbble|medium|xing|"
    r"stackoverflow|kaggle)\.(?:com|io|net)(?:/[^\s|,;)]*)?"
)
_CONTACT = re.compile(
    rf"[\w.+'-]+\s?@\s?[\w-]+(?:\s?\.\s?[\w-]+)*\.[a-z]{{2,}}|{_WORLD}|(?<![\w.])@[a-z_][\w.]{{2,}}"
    r"|(?<![\w.])(?:\+|00)\d{1,3}[\s.()/-]*(?:\d[\s.()/-]*){6,12}\d|(?<![\w.+])\(?\d{3,5}\)?[\s./-]?\d{3,4}[\s./-]?\d{3,5}(?![\w.,]?\d)",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"(?:\b\d{1,5}[a-z]?(?:[/-]\d+)?,?\s+(?:[\w.'\u2019-]+\s+){0,4}?(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|"
    r"court|ct|way|place|"
    r"square|terrace|close|crescent|nagar|marg|colony|sector|apartments?|rue|via|calle)\b\.?|\b[\w.-]+(?:stra(?:ß|ss)e|str\.|weg|"
    r"gasse|platz|allee|laan|straat)"
    r"\s+\d+[a-z]?|\b(?:flat|house|plot|apt|apartment|h\.?no|door)\s*(?:no)?\.?[\s:#-]*\d+|\b[sdwc]/o\b|\bP\.?\s?O\.?\s+Box\b)[^\n|•]*",
    re.IGNORECASE,
)
_SAID = {
    "birth": r"\b(?:i was |was )?born\s+(?:on|in|at)\b[^\n.;|]*|\b(?:aged?|i am)\s+\d\d(?:\s+years)?(?:\s+old)?\b|"
    "\b\\d\\d[- ]years?[- ]old\b|\b\\d\\d\\s+yrs?\\s+old\b",
    "graduation": r"\b(?:graduat(?:ed|ion)|class|batch|passed\s+out|pass(?:ing)?\s*out|year\s+of\s+passing|passing\s+year|"
    "alumn(?:us|a|i))\b(?:\\s+(?:of|in|year))*"
    r"[\s:-]*(?:in\s+)?(?:[a-z]{3,9}\.?\s+)?(?:19|20)\d\d(?:\s*[-\u2013]\s*(?:19|20)?\d\d)?",
    "gender": r"\(?\b(?:she/her(?:/hers)?|he/him(?:/his)?|they/them(?:/theirs)?|she/they|he/they)\b\)?",
    "family": r"\b(?:proud |single |married |devoted |working )*(?:mother|father|mum|mom|dad|parent|husband|wife|grandmother|"
    r"grandfather)\s+(?:of|to)\s+"
    r"(?:\w+\s+){0,3}?(?:children|kids|boys|girls|sons?|daughters?|twins|one|two|three|four|five|\d)\b|\b(?:happily )?(?:married|"
    r"divorced|widowed|engaged)"
    r"(?=\s*(?:[,.;|\n]|with|to\b|and\b|$))(?:\s+(?:with|and)\s+(?:\w+\s+){0,2}(?:children|kids|child|sons?|daughters?))?|"
    r"\bunmarried\b|\bsingle(?=\s*(?:[,;|\n]|$))",
    "origin": r"\b[A-Z][a-z]+\s+(?:national|citizen|citizenship|nationality|passport)\b|\b(?:U\.?S\.?A?|EU|UK|U\.K\.)\s+(?:national|"
    "citizen|citizenship|passport)\b",
    "belief": r"\b(?:practi[sc]ing |devout )?(?:muslim|christian|hindu|jewish|sikh|buddhist|catholic|protestant|jain|atheist|"
    "evangelical|mormon)s?\b"
    r"|\b(?:church|mosque|synagogue|gurdwara|parish)(?:es|s)?\b",
}
_CASED = frozenset({"origin"})
_TELLING = {kind: re.compile(words, 0 if kind in _CASED else re.IGNORECASE) for kind, words in _SAID.items()}

_COMMUNITY = re.compile(
    r"\b(?:Black|African[- ]American|Hispanic|Latin[oax]|Asian(?:[- ]American)?|LGBTQ?\+?|Gay|Lesbian|Queer|Indigenous|"
    r"Native[- ]American|Women|Men)"
    r"(?:\s+(?:in|and))?(?=\s+(?:in\s+)?(?:Engineers|Students?|Professionals|Employees|Lawyers|Society|Association|Network|Club|"
    r"Alumni|Community|Leaders|Nurses|"
    r"Doctors|Pride|Tech|Technology|STEM|Science|Business|Leadership|Law|Finance|Data|AI))"
)
_SEXED = re.compile(
    r"(?<![\w-])(?:wom[ae]n|females?|males?|girls?|boys?|ladies|lady|gentlem[ae]n|men)(?:['\u2019]s?)?(?![\w-]|"
    r"['\u2019]s health)",
    re.IGNORECASE,
)
_PRONOUNS = {
    "they": r"[Tt]hey|[Hh]e|[Ss]he|[Ss]/he|[Hh]e/[Ss]he",
    "their": r"[Tt]heir|[Hh]is|[Hh]ers?|[Hh]im|[Tt]hem|[Tt]heirs|[Hh]is/[Hh]er",
    "themselves": r"[Hh]imself|[Hh]erself|[Tt]hemself",
}
_NOUNS = {
    "chairperson": "chair(?:man|woman|lady)",
    "salesperson": "sales(?:man|woman|lady|girl|boy)",
    "businessperson": "business(?:man|woman)",
    "spokesperson": "spokes(?:man|woman)",
    "craftsperson": "crafts(?:man|woman)",
    "foreperson": "fore(?:man|woman)",
    "firefighter": "fire(?:man|woman)",
    "police officer": "police(?:man|woman)",
    "camera operator": "camera(?:man|woman)",
    "service member": "service(?:man|woman)",
    "sportsperson": "sports(?:man|woman)",
    "waiter": "waitress",
    "actor": "actress",
    "flight attendant": "air ?hostess|stewardess|steward",
    "host": "hostess",
    "head teacher": "headmaster|headmistress",
    "alumni": "alumn(?:us|a)",
    "student society": "fraternity|sorority",
    "parental leave": "(?:maternity|paternity|parental) leave",
    "scout": "(?:boy|girl) scout",
    "homemaker": "housewife|househusband|stay-at-home (?:mother|father|mom|dad|parent)",
    "tailor": "seamstress",
    "masseur": "masseuse",
}
_NEUTRAL_PRONOUNS = [(instead, re.compile(rf"(?<![\w/'\u2019-])(?:{words})(?![\w/'\u2019-])")) for instead, words in _PRONOUNS.items()]
_NEUTRAL_NOUNS = [(instead, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for instead, words in _NOUNS.items()]
_ANY_NOUN = re.compile(
    r"m[ae]n\b|lady|girl|boy|(?:wait|act|host|seamst|mist)r?ess|steward|headmaster|alumn|sorority|ternity|parental|"
    r"house(?:wife|husband)|stay-at|masseuse",
    re.IGNORECASE,
)
"""What every one of these nouns holds: most resumes hold none of them, and one search is quicker than a search for each."""
_HONORIFICS = re.compile(
    r"\b(?:(?:Mr|Mrs|Ms|Mx|MR|MRS|Mr\.?/Mrs|Miss|Herr|Frau|Monsieur|Madame|Mlle|Mme|Shri|Smt|Sra|Srta|Sir|Madam|Kumari)\b\.?)\s+"
    r"(?=[^\W\d_a-z])(?!(?:Office|Excel|Word|Access|SQL|Project|Dos|DOS|Outlook|Power|Visio|Paint|Teams|Azure|Dynamics|CRM|Windows|"
    r"Exchange|SharePoint|Build|in)\b)"
)
_ADDRESSED = frozenset({"header", "personal", "references", "other", "summary", "interests"})
LONG_EDUCATION = 1_500  # characters; a longer section probably runs on into something else


def details(text: str, sections: Sequence[Section]) -> Iterator[Detail]:
    """Every detail that can be told by its own words; passages may overlap."""
    for start in _STARTS.finditer(text):
        match = _LABELLED.match(text, start.end())
        if match is not None and _is_about_person(str(match.lastgroup), match, sections):
            yield Detail(str(match.lastgroup), Span(match.start(), match.end()))
    for match in _CONTACT.finditer(text):
        if not _is_years(match[0]):
            yield Detail("contact", Span(match.start(), match.end()))
    for section in sections:
        if section.kind in _ADDRESSED:
            yield from _streets(text, section.span)
    for kind, pattern in _TELLING.items():
        for match in pattern.finditer(text):
            yield Detail(kind, Span(match.start(), match.end()))
    yield from _gendered(text)
    yield from _schooling_dates(text, sections)


def _streets(text: str, span: Span) -> Iterator[Detail]:
    for match in _STREET.finditer(text, span.start, span.end):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.end()]
        if len(line.split()) <= 16:
            yield Detail("address", Span(match.start(), match.end()))


def _gendered(text: str) -> Iterator[Detail]:
    for kind, pattern in (("gender", _HONORIFICS), ("belief", _COMMUNITY), ("gender", _SEXED)):
        for match in pattern.finditer(text):
            yield Detail(kind, Span(match.start(), match.end()))
    nouns = _NEUTRAL_NOUNS if _ANY_NOUN.search(text) else []
    for instead, pattern in (*_NEUTRAL_PRONOUNS, *nouns):
        for match in pattern.finditer(text):
            yield Detail("gender", Span(match.start(), match.end()), instead)


def _is_about_person(kind: str, match: re.Match[str], sections: Sequence[Section]) -> bool:
    section = section_at(sections, match.start())
    if section in ("header", "personal", "references", "interests"):
        return True
    if kind not in _ONLY_ABOUT_PERSONS:
        return False
    label = re.split(r"[:=\u2013-]", match[0], maxsplit=1)[0]
    return section in ("summary", "other", "education", "languages") or _AMONG_WORK.search(label) is None


def _is_years(words: str) -> bool:
    """Whether digits that look like a telephone number are years, such as 2015-2017 or 2015 2017 2019."""
    return re.fullmatch(r"\W*(?:(?:19|20)\d\d\W*)+", words) is not None


def _schooling_dates(text: str, sections: Sequence[Section]) -> Iterator[Detail]:
    """Dates that tell when somebody went to school, and so how old they are."""
    dated = [found.span for found in ranges(text)] + [span for _, span in points(text)]
    for span in dated:
        kind = section_at(sections, span.start)
        if kind == "education":
            section = next(section for section in sections if section.span.holds(span.start))
            if section.span.end - section.span.start < LONG_EDUCATION or _beside_school(text, span):
                yield Detail("graduation", span)
        elif kind not in ("experience", "projects", "volunteering") and _on_school_line(text, span):
            yield Detail("graduation", span)


def _on_school_line(text: str, span: Span) -> bool:
    start, end = text.rfind("\n", 0, span.start) + 1, text.find("\n", span.end)
    return names_degree(text[start : end if end >= 0 else len(text)])


def _beside_school(text: str, span: Span) -> bool:
    start = text.rfind("\n", 0, max(0, text.rfind("\n", 0, span.start))) + 1
    end = text.find("\n", text.find("\n", span.end) + 1) if text.find("\n", span.end) >= 0 else len(text)
    return any(names_degree(line) for line in text[start : end if end >= 0 else len(text)].split("\n"))
