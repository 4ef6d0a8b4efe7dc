"""What is read of a message: masked, bounded, and cut into words and pieces of words.

Training and serving read a message through the same functions, so they cannot differ.
"""

from __future__ import annotations

import re
import unicodedata

from models.masking import masked

READ_CHARACTERS = 4_000
"""Of a message; the encoder stops after some 1,000 already, and what a customer wants stands early."""

PIECES = (2, 3, 4, 5)
"""Lengths of the pieces of a word, its ends marked by spaces: they see through typing errors and endings."""

PIECED_CHARACTERS = 64
"""Of a word that is cut into pieces; a script without spaces writes whole sentences as one word."""

# Everything but spaces, ASCII punctuation and the punctuation of other scripts: keeps letters with their marks together, and emoji.
_WORD = re.compile(
    r"[^\s\x00-\x1f\x7f-\x9f!-/:-@\[-`{-~\u00a1-\u00bf\u060c\u061b\u061f\u0964\u0965\u1361-\u1368\u2010-\u2027\u2030-\u205e\u3001-\u3003\u3008-\u3011\u3014-\u301f]+"
)


def readable(text: str) -> str:
    """The part of a message that is read, its personal data masked and its characters in their usual form."""
    return masked(unicodedata.normalize("NFKC", text[:READ_CHARACTERS]).strip())


def words(readable_text: str) -> list[str]:
    """The words of a readable text, in lower case and in order.

    Examples
    --------
    >>> words("Where's my card?!")
    ['where', 's', 'my', 'card']
    """
    return _WORD.findall(readable_text.lower())


def pieces(word: str) -> list[str]:
    """The pieces of a word, repeated ones repeated.

    Examples
    --------
    >>> pieces("ok")
    [' o', 'ok', 'k ', ' ok', 'ok ', ' ok ']
    """
    found = []
    for start in range(0, len(word), PIECED_CHARACTERS):
        padded = f" {word[start : start + PIECED_CHARACTERS]} "
        found += [padded[at : at + length] for length in PIECES for at in range(len(padded) - length + 1)]
    return found
