r"""What a message says not to do: "do not cancel my order, just change the address" asks for a change, not for a cancellation.

Words and vectors hardly feel a negation: of a thousand messages with a "do not" put before them, a model that goes by what it learned from
messages of each intent answers more than nine hundred as if it were not there. So refusals are looked for in the text, by their grammar:
a cue, its scope to the end of the clause, and the rest of the message. Scope and rest are then read like messages of their own.

Refusals are prohibitions ("please don't ...", "I asked you not to ...", "no need to ..."), wishes denied ("I do not want ...", "I'm not
looking for ...") and contrasts ("..., not a refund"). Facts denied are none: "my parcel has not arrived" is what the customer complains
about. Only English is understood.

References
----------
Chapman et al. (2001), A simple algorithm for identifying negated findings and diseases in discharge summaries: cue, scope, its end.
Ribeiro et al. (2020), Beyond accuracy: behavioral testing of NLP models with CheckList, section 2, for the failure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.intent.answer import Reading

ALIKE = 5
"""So many of the nearest examples of an intent are looked at: where one of them refuses too, a refusal is how one asks for the intent."""

_NOT = r"(?:do not|don'?t)"
_FILLER = r"(?: (?:really|actually|even|just|ever|yet|now|currently|necessarily|definitely|certainly|simply))*"
_OPENING = r"(?:(?:hi|hello|hey|so|ok|okay|no|oh|well|sorry|just|and|but)[, ]+)*"
_NO_DEED = (  # "don't know how", "and don't see it": a subject is left out, and nothing is forbidden
    r"(?:know|see|have|think|understand|remember|recall|recogni[sz]e|believe|mind|forget|let me forget|worry|hesitate|seem|work|like"
    r"|get why|i|we|they|it|you(?! dare))\b"
)
_PROHIBITION = rf"(?:(?:^|[.,;:!?()] ?){_OPENING}|\b(?:please|pls|kindly|said) ){_NOT}{_FILLER} (?:you dare (?:to )?)?(?!{_NO_DEED})"
_REQUEST = (
    r"\b(?:(?:please|rather) not|please never|(?:asked|asking|told|telling|want|need|like|beg|begging|prefer) (?:you )?not to"
    rf"|you (?:should|must|need) ?(?:n'?t|not)|make sure (?:that )?(?:you )?(?:{_NOT}|not to)|no need (?:to|for)) "
)
_WANT = (
    r"(?:(?:want|wish|need|intend|ask|request|look|try)(?:ing)?|plan(?:ning)?|going|gonna|interested|here)(?: for| to| in)?"
    r"|like(?: to|(?= (?:an?|the|my|you)\b))"
)
_SUBJECT = rf"\b(?:i|we){_FILLER}(?: (?:do|would|am|are|will|wo))?(?:'m|'re|'d|'ll)?{_FILLER}"
_WISH = rf"{_SUBJECT}(?:n'?t| not| dont| no longer| never){_FILLER} (?:{_WANT}) "
_CONTRAST = r"(?:,| but| and) not (?=(?:an?|the|my|to|about) )|\b(?:this|that|it)(?: is|'s) not (?:about|for) "
_REFUSAL = re.compile(rf"(?P<ban>{_PROHIBITION}|{_REQUEST})|(?P<wish>{_WISH})|(?P<contrast>{_CONTRAST})")
_CEASES = re.compile(r"\bno longer\b|\bany ?more\b")
_END = re.compile(
    r"[.,;:!?()]| -+ | (?:but|because|since|just|only|instead|unless|until|please)\b"
    r"| (?:and|so|as) (?:i|we|you|please|just|can|could|then)\b| (?:can|could) (?:i|you|we)\b| i (?:have to|need|want|would|still)\b"
)
_HINT = re.compile(r"not|n['\u2019]?t\b|no longer|no need|never", re.IGNORECASE)
_PLAIN = str.maketrans("\u2019\u2013\u2014", "'--")


@dataclass(frozen=True)
class Refusal:
    """What a message refuses, and what else it says; in lower case.

    Parameters
    ----------
    kind
        How it is refused: by a `ban`, a `wish` or a `contrast`; with `ceasing` before it what was so until now, `to do` after it a deed.
    """

    scope: str
    rest: str
    kind: str


def refusal(readable_text: str) -> Refusal | None:
    """The first refusal in a readable text, if there is one.

    Examples
    --------
    >>> refusal("Please don't cancel my order, I still want it")
    Refusal(scope='cancel my order', rest='i still want it', kind='ban')
    >>> refusal("I forgot my password and cannot log in")
    """
    if not _HINT.search(readable_text):
        return None  # the grammar takes as long as the fast tier's words
    text = " ".join(readable_text.lower().translate(_PLAIN).replace("\n", ". ").split())
    cue = _REFUSAL.search(text)
    if cue is None:
        return None
    end = _END.search(text, cue.end())
    stop = end.start() if end else len(text)
    scope = text[cue.end() : stop].strip()
    ceasing, doing = _CEASES.search(text, cue.start(), stop), cue[0].endswith(" to ")
    kind = f"{'ceasing ' if ceasing else ''}{cue.lastgroup}{' to do' if doing else ''}"
    return Refusal(scope, f"{text[: cue.start()]} {text[stop:]}".strip(" .,;:!?-"), kind) if scope else None


def without_refused(whole: Reading, refused: Refusal, scope: Reading | None, rest: Reading | None) -> Reading:
    """How a message reads that refuses something.

    The refused intent is the one that the scope alone would ask for. It is taken out, and its probability counts as that of no known
    intent; where the rest of the message says something by itself, that is what is read. The message stays as it was read where
    the rest asks for the same intent, and where examples of the intent refuse as well: "I do not want the shoes any more" cancels.
    """
    if scope is None or (scope.best != whole.best and (scope.rejected or whole.clear)):
        return whole
    if _usual(whole, scope.best, refused.kind) or (rest and rest.clear and rest.best == scope.best):
        return whole
    return (whole if rest is None or rest.rejected else rest).without(scope.best, refused.scope)


def _usual(reading: Reading, intent: int, kind: str) -> bool:
    """Whether examples of the intent that are like the message refuse as it does."""
    alike = [example.text for example in reading.nearest(4 * ALIKE) if example.intent == reading.intents[intent]]
    return any((refused := refusal(text)) and refused.kind == kind for text in alike[:ALIKE])
