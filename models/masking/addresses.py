"""Addresses on a network: of a mailbox, of a machine."""

from __future__ import annotations

import ipaddress
import re

_LONGEST_LOCAL_PART = 64
_LOCAL_PART = re.compile(rf"[\w.!#$%&'*+/=?^`{{|}}~-]{{1,{_LONGEST_LOCAL_PART}}}\Z")
_DOMAIN = re.compile(r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,63})(?![\w-])", re.IGNORECASE)


def emails(text: str) -> list[tuple[int, int]]:
    """Mailboxes; looked for around each ``@``, so that a megabyte of letters costs nothing."""
    found, end = [], 0
    for at in re.finditer("@", text):
        domain = _DOMAIN.match(text, at.start())
        local = domain and _LOCAL_PART.search(text[max(end, at.start() - _LONGEST_LOCAL_PART) : at.start()])
        if domain and local and (name := local[0].lstrip(".!#$%&'*/=?^`{|}~")):
            end = domain.end()
            found.append((at.start() - len(name), end))
    return found


_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = re.compile(rf"(?<![\w.\-]){_OCTET}(?:\.{_OCTET}){{3}}(?!\w|\.\d|-\w)")
_V6 = re.compile(r"(?<![\w:.\-])[0-9a-f:]{2,39}(?:(?<=:)[0-9.]{7,15})?(?![\w:]|\.\d)", re.IGNORECASE)
_OF_A_VERSION = re.compile(
    r"(?:\b(?:v|ver|versions?|release|build|firmware|driver|sdk|upgraded? to|update to)[\s.:=\"']{0,4}|[a-z]/)\Z", re.IGNORECASE
)


_SHORTENED_V6 = re.compile(r"(?=\D*\d)(?:[0-9a-f]{3,4}:|::[0-9a-f]+:)", re.IGNORECASE)


def ips(text: str) -> list[tuple[int, int]]:
    """Machines, by IPv4 or IPv6; a version with four numbers (``Chrome/120.0.6.99``, ``version 1.2.3.4``) is none."""
    fourth = [match.span() for match in _V4.finditer(text) if not _is_version(text, *match.span())]
    sixth = [match.span() for match in _V6.finditer(text) if _is_v6(match[0])] if text.count(":") > 1 else []
    found: list[tuple[int, int]] = []
    for start, end in sorted(fourth + sixth):
        if not found or start >= found[-1][1]:
            found.append((start, end))
    return found


def _is_version(text: str, start: int, end: int) -> bool:
    has_port = text[end : end + 1] == ":"
    return text.endswith(".0.0.0", start, end) or (not has_port and _OF_A_VERSION.search(text[max(start - 16, 0) : start]) is not None)


def _is_v6(candidate: str) -> bool:
    """Whether it is an address, and not a word between colons as in ``std::a1`` or a slice as in ``[::2]``."""
    if "::" in candidate and not _SHORTENED_V6.match(candidate):
        return False
    try:
        return ipaddress.ip_address(candidate).version == 6
    except ValueError:
        return False
