"""What the letters of two terms say about each other."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from rapidfuzz.distance import OSA, JaroWinkler

from models.search_synonyms.contrasts import Contrasts, numbers

Shape = Literal["same", "inflection", "abbreviation", "typo", "translation", "narrower", "wider", "contrast", "other"]
"""What a pair looks like: written the same but for marks; a form of the same word; short for it; mistyped; in another alphabet; with words
added, or left out; two of a kind that exclude each other, as numbers and colours do; or nothing that letters could tell."""

_F_BEFORE_VES = ("kni", "shel", "lea", "hal", "scar", "loa", "cal", "wol")
_FOLDED = {"gray": "grey", "mens": "men", "womens": "women", "colour": "color", "knife": "knif"}
_KEYBOARD = {key: (row, column) for row, keys in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm")) for column, key in enumerate(keys)}
_SOUNDS = (("ph", "f"), ("gh", "g"), ("ck", "k"), ("c(?=[eiy])", "s"), ("[cq]", "k"), ("x", "ks"), ("z", "s"), ("wr", "r"), ("kn", "n"))

CLIPPED = 0.65
"""A clipped word is shorter than this share of the whole one: fridge of refrigerator, tv of television."""


def plain(text: str) -> str:
    """Letters and digits only, without accents."""
    if text.isascii() and text.isalnum():
        return text
    spread = unicodedata.normalize("NFKD", text)
    return "".join(character for character in spread if character.isalnum())


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """A word without its English ending, the S stemmer and a little more; wrong for some, the same for forms of one word."""
    word = _FOLDED.get(plain(word), plain(word))
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    if word.endswith("ves") and word[:-3].endswith(_F_BEFORE_VES):
        return word[:-3] + "f"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    if len(word) > 5 and word.endswith(("ing", "ed")):
        bare = word[: -3 if word.endswith("ing") else -2]
        return bare[:-1] if len(bare) > 3 and bare[-1] == bare[-2] else bare
    return word


@lru_cache(maxsize=65_536)
def stems(text: str) -> tuple[str, ...]:
    """The stems of a phrase, sorted: what stays when word forms and order change."""
    return tuple(sorted(stem(word) for word in text.split()))


def alike(left: str, right: str) -> bool:
    """Whether two words could be one with a slip in it."""
    shorter = min(len(left), len(right))
    if shorter < 3 or numbers(left) != numbers(right):
        return False
    allowed = 1 if shorter < 6 else 2 if shorter < 10 else 3
    return OSA.distance(left, right, score_cutoff=allowed) <= allowed and (shorter >= 5 or left[0] == right[0] or left[-1] == right[-1])


def changes(left: str, right: str) -> list[tuple[str, str]]:
    """What changes from one query to the other: pairs of phrases, the words that stay left out.

    Examples
    --------
    >>> changes("grey couch", "grey sofa"), changes("shoes", "red shoes"), changes("smal sofaa", "small sofa")
    ([('couch', 'sofa')], [('', 'red')], [('smal', 'small'), ('sofaa', 'sofa')])
    """
    a, b = left.split(), right.split()
    return [(" ".join(a[one.start : one.stop]), " ".join(b[other.start : other.stop])) for one, other in changed_words(a, b)]


def changed_words(a: Sequence[str], b: Sequence[str]) -> list[tuple[range, range]]:
    """The places of the words that change from one query to the other; see `changes`."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    one, other = range(start, len(a) - end), range(start, len(b) - end)
    if len(one) == len(other) > 1:
        places = [place for place in one if a[place] != b[place]]
        if all(alike(a[place], b[place]) or stem(a[place]) == stem(b[place]) for place in places):
            return [(range(place, place + 1),) * 2 for place in places]
    return [(one, other)]


def shape(left: str, right: str) -> Shape:
    """What a pair of phrases looks like."""
    if not left or not right:
        return "narrower" if not left else "wider"
    if plain(left) == plain(right):
        return "same"
    if _alphabet(left) != _alphabet(right):
        return "translation"
    one, other = (Counter(stems(text.replace("-", " "))) for text in (left, right))
    if one == other:
        return "inflection"
    if one < other or other < one:
        return "narrower" if one < other else "wider"
    if _CONTRASTS.between(left, right):
        return "contrast"
    if shortens(left, right) or shortens(right, left):
        return "abbreviation"
    if _slips(left, right):
        return "typo"
    return "other"


def shortens(short: str, long: str) -> bool:
    """Whether a text is the initials of another, its beginning or end, or its consonants.

    Examples
    --------
    >>> shortens("ac", "air conditioner"), shortens("tv", "television"), shortens("fridge", "refrigerator"), shortens("car", "scarf")
    (True, True, True, False)
    """
    a, b = plain(short), plain(long)
    if len(short.split()) > 1 or len(a) < 2 or len(a) > CLIPPED * len(b):
        return False
    words = [plain(word) for word in long.split()]
    if len(words) > 1:
        initials = "".join(word[:1] for word in words)
        return a == initials or re.sub(r"\d", lambda digit: _NUMBERS.get(digit[0], ""), a) == initials
    skeleton = "".join(letter for letter in b[1:] if letter not in "aeiou")
    consonants = len(a) <= 4 and a[0] == b[0] and not set(a[1:]) & set("aeiou") and _inside(a[1:], skeleton)
    clipped = len(a) >= 3 and b.startswith(a)
    middle = len(a) >= 5 and a[:3] in b and len(b) >= 9
    return consonants or clipped or middle


def closeness(left: str, right: str) -> float:
    """How alike two texts are by their letters, from 0 to 1 (Jaro and Winkler)."""
    return float(JaroWinkler.normalized_similarity(plain(left), plain(right)))


def same_sound(left: str, right: str) -> bool:
    """Whether two texts sound the same in English, roughly: consonants by sound, vowels only at the start."""
    return _sound(left) == _sound(right)


def slip_of_a_key(left: str, right: str) -> bool:
    """Whether one letter was replaced by a neighbour on the keyboard, or two were swapped."""
    if len(left) != len(right):
        return False
    wrong = [(x, y) for x, y in zip(left, right, strict=True) if x != y]
    if len(wrong) == 2 and wrong[0] == wrong[1][::-1]:
        return True
    return len(wrong) == 1 and all(key in _KEYBOARD for key in wrong[0]) and _distance(*wrong[0]) <= 1


_CONTRASTS = Contrasts(stem)

_NUMBERS = {"2": "t", "3": "t", "4": "f", "5": "f", "6": "s", "7": "s", "8": "e", "9": "n", "1": "o"}


def _slips(left: str, right: str) -> bool:
    """Whether every word could be the other side's with a slip in it; where words were split or joined, the whole."""
    a, b = left.split(), right.split()
    if len(a) == len(b):
        return all(x == y or alike(x, y) for x, y in zip(a, b, strict=True))
    return alike(plain(left), plain(right))


def _alphabet(text: str) -> str:
    """The first word of most letters' Unicode names: LATIN, CYRILLIC, CJK."""
    if text.isascii():
        return "LATIN"
    letters = [unicodedata.name(character, "?").split()[0] for character in text if character.isalpha()]
    return Counter(letters).most_common(1)[0][0] if letters else "LATIN"


def _inside(part: str, whole: str) -> bool:
    rest = iter(whole)
    return all(letter in rest for letter in part)


def _sound(text: str) -> str:
    text = plain(text)
    for pattern, sound in _SOUNDS:
        text = re.sub(pattern, sound, text)
    return text[:1] + re.sub(r"(.)\1+", r"\1", re.sub("[aeiouyhw]", "", text[1:]))


def _distance(one: str, other: str) -> float:
    (row, column), (other_row, other_column) = _KEYBOARD[one], _KEYBOARD[other]
    return max(abs(row - other_row), abs(column + row * 0.5 - other_column - other_row * 0.5))
