r"""What a message says not to do: "do not cancel my order, just change the address" asks for a change, not for a cancellation.

Words and vectors hardly feel a negation: of a thousand messages with a "do not" put before them, a model that goes by what it learned from
messages of each intent answers more than nine hundred as if it were not there. So refusals are looked for in the text, by their grammar:
a cue, its scope to the end of the clause, and the rest of the message. Scope and rest are then read like messages of their own.

Refusals are bans ("please don't ..."), pleas ("I asked you not to ...", "no need to ...", "no ... please"), wishes denied ("I do not
want ...", "I'm not looking for ...") and contrasts ("..., not a refund"). Facts denied are none: "my parcel has not arrived" is what the
customer complains about. Nor is what is not wanted any more: "I no longer need the shoes" asks for something, in most messages. Only
English is understood.

References
----------
Chapman et al. (2001), A simple algorithm for identifying negated findings and diseases in discharge summaries: cue, scope, its end.
Ribeiro et al. (2020), Beyond accuracy: behavioral testing of NLP models with CheckList, section 2, for the failure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.intent.answer import Reading

ALIKE = 5
"""So many of the nearest examples of an intent are looked at: where one of them refuses too, a refusal is how one asks for the intent."""

_NOT = r"(?:do not|don'?t|dnt)"
_FILLER = r"(?: (?:really|actually|even|just|ever|yet|now|currently|necessarily|definitely|certainly|simply))*"
_OPENING = r"(?:(?:hi|hello|hey|so|ok|okay|yes|no|oh|well|wait|stop|sorry|actually|just|and|but)[, ]+)*"
_NO_DEED = (  # "don't know how", "and don't see it": a subject is left out, and nothing is forbidden
    r"(?:know|see|have|think|understand|remember|recall|recogni[sz]e|believe|mind|forget|let me forget|worry|hesitate|seem|work|like"
    r"|get why|i|we|they|it|you(?! dare))\b"
)
_BAN = (
    rf"(?:(?:^|[.,;:!?()] ?){_OPENING}{_NOT}|\b(?:please|pls|kindly|said) (?:{_NOT}|not|never)){_FILLER} (?:you dare (?:to )?)?"
    rf"(?!{_NO_DEED})"
)
_PLEA = (
    r"\b(?:rather not|refrain from|no (?:need|wish|reason|intention) (?:to|for|of)"
    r"|(?:asked|asking|told|telling|want|need|like|beg|begging|prefer|try|sure|careful) (?:you )?not to"
    r"|(?:rather|prefer|hope|wish|sure|ensure) (?:that )?you (?:do|did|wo|would|will)(?:n'?t| not)"
    r"|(?:this|that|it)(?: is|'s) not (?:about|for)"
    r"|you (?:should|must|need) ?(?:n'?t|not)|you (?:do not|don'?t) (?:have|need) to"
    r"|no(?= (?!longer |more )(?:[\w-]+ ){1,3}(?:please|pls|needed|wanted|necessary)\b)) "
)
_NEGATED = (
    r"(?:(?:do|does|did|would|have|has|had|wo|are|was|were)n'?t"
    r"|(?:(?:do|does|did|would|have|has|had|will|am|are|was|were) )?(?:not|never|no longer))"
)
_I = rf"\b(?:i|we)(?:'m|'re|'d|'ll|'ve)?{_FILLER} "
_WANT = r"(?:want|wish|need|intend|ask|request)(?:ed|ing)?(?: for| to)?|plan(?:ning)? to|like(?: to|(?= (?:an?|the|my|you)\b))"
_ABOUT_TO = r"(?:look|try)(?:ing)? (?:for|to)|going to|gonna|interested in|here (?:for|to)"
_WISH = rf"(?:{_I}|\b){_NEGATED}(?: think (?:that )?i)?{_FILLER} (?:{_WANT}) |{_I}{_NEGATED}{_FILLER} (?:{_ABOUT_TO}) "
_CONTRAST = r"(?:,| but| and) not (?=(?:an?|the|my|to|about) )|\b(?:instead of|rather than) "
_REFUSAL = re.compile(rf"(?P<ban>{_BAN})|(?P<plea>{_PLEA})|(?P<wish>{_WISH})|(?P<contrast>{_CONTRAST})")
_CEASES = re.compile(r"\bno longer\b|\bany ?more\b")
_END = re.compile(
    r"[.,;:!?()]| -+ | (?:but|because|since|just|only|instead|unless|until|please)\b"
    r"| (?:and|so|as) (?:i|we|you|please|just|can|could|then)\b| (?:can|could) (?:i|you|we)\b| i (?:have to|need|want|would|still)\b"
)
_SPEAKER = re.compile(r"(?:i|we)\b")
_HINT = re.compile(r"not|n['\u2019]?t\b|\bno |never|instead|rather|refrain", re.IGNORECASE)
_PLAIN = str.maketrans("\u2019\u2013\u2014", "'--")


@dataclass(frozen=True)
class Refused:
    """What a message refuses, in lower case.

    Parameters
    ----------
    kind
        How: by a `ban`, a `plea`, a `wish` or a `contrast`; of a deed if `to do` stands after it.
    """

    scope: str
    kind: str


def refusals(readable_text: str) -> tuple[list[Refused], str]:
    """All that a readable text refuses, and the rest of it.

    Examples
    --------
    >>> refusals("Please don't cancel my order, I still want it")
    ([Refused(scope='cancel my order', kind='ban')], 'i still want it')
    >>> refusals("I forgot my password and cannot log in")
    ([], 'I forgot my password and cannot log in')
    """
    found: list[Refused] = []
    if not _HINT.search(readable_text):
        return found, readable_text  # the grammar takes as long as the fast tier's words
    text = " ".join(readable_text.lower().translate(_PLAIN).replace("\n", ". ").split())
    rest, at = "", 0
    while cue := _REFUSAL.search(text, at):
        end = _END.search(text, cue.end())
        stop, before = end.start() if end else len(text), text[at : cue.start()]
        if cue.lastgroup == "plea" or (cue.lastgroup == "wish" and not _SPEAKER.match(cue[0])):  # what began the clause belongs to it
            before = before[: max((end.start() for end in _END.finditer(before)), default=0)]
        scope, deed = text[cue.end() : stop].strip(), cue[0].endswith(" to ")
        if not scope or (cue.lastgroup == "wish" and not deed and _CEASES.search(text, cue.start(), stop)):
            before = text[at:stop]
        else:
            found.append(Refused(scope, f"{cue.lastgroup} to do" if deed else str(cue.lastgroup)))
        rest, at = f"{rest}{before} ", stop
    return (found, (rest + text[at:]).strip(" .,;:!?-")) if found else (found, readable_text)


def without_refused(whole: Reading, refused: Sequence[tuple[Refused, Reading | None]], rest: Reading | None) -> Reading:
    """How a message reads that refuses something, given how it, its scopes and the rest read by themselves.

    A refused intent is one that a scope alone would ask for. Where the rest of the message is clear, that is what is read, without what is
    refused; else the message is probably out of scope. It stays as it was read where the rest clearly asks for the same intent, and where
    examples of the intent refuse as well: "I do not want to be a customer" closes an account.
    """
    other = rest if rest and rest.clear else None
    struck = {scope.best: each.scope for each, scope in refused if scope and _strikes(whole, each.kind, scope, other)}
    if not struck or (whole.clear and whole.best not in struck):
        return whole
    if other:
        return other.refusing(struck, says_more=True)
    return whole.refusing(struck, says_more=whole.best not in struck)


def _strikes(whole: Reading, kind: str, scope: Reading, other: Reading | None) -> bool:
    if scope.rejected and scope.best != whole.best:
        return False
    if other is None and kind == "contrast":
        return False  # one side of it stands
    if other is not None and other.best == scope.best:
        return False
    alike = [example.text for example in whole.nearest(4 * ALIKE) if example.intent == scope.intent]
    return not any(each.kind == kind for text in alike[:ALIKE] for each in refusals(text)[0])
