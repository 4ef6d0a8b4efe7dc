"""The dictionary in the words of search engines, and back.

======================  ==============================================================================================
``solr``                ``synonyms.txt`` for Solr, and for the ``synonyms_path`` of Elasticsearch and OpenSearch
``elasticsearch``       the body of ``PUT _synonyms/<set>``, a rule id for each rule
``opensearch``          the body of ``PUT <index>`` with a token filter; works in Elasticsearch too
``algolia``             the body of ``POST /1/indexes/<index>/synonyms/batch``
``querqy``              ``rules.txt`` of the common rules rewriter
======================  ==============================================================================================

What is written can be read again, and gives the same rules. Two things do not fit: a rule with a context is written as phrases (the
context word before and after the term), which is how it is read again; and Querqy has no way to write some characters, so such a rule
is left out there and named in a comment. A mapping that drops what it maps from is read as a typing error, the kind that replaces.
Groups of equivalent terms become pairs of each with each.

References
----------
Apache Lucene, ``SolrSynonymParser``; Elasticsearch, "Create or update a synonyms set"; Algolia, "Save synonyms"; Querqy, "Common Rules".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Literal, NamedTuple, get_args

from pydantic import ValidationError

from models.errors import InputError
from models.search_synonyms.rules import LONGEST_TERM, Kind, Rule, normal, rule_id
from models.wording import complaint

Format = Literal["solr", "elasticsearch", "opensearch", "algolia", "querqy"]
FORMATS: tuple[Format, ...] = get_args(Format)

Weighted = tuple[Rule, float]
"""A rule and its probability, which Querqy weighs."""

_KINDS: tuple[Kind, ...] = get_args(Kind)
_FILTER = "foretell_synonyms"
_UNSAYABLE = re.compile(r"=>|[:{}$]|(?:^|\\s)[@/]")
"""What means something in Querqy's rules and cannot be escaped there: fields, properties, placeholders, regular expressions."""


class _Mapped(NamedTuple):
    """One line of a file, read."""

    left: str
    right: str
    two_way: bool
    replaces: bool
    kind: Kind | None = None


def export(rules: Iterable[Weighted], to: Format) -> str:
    """The rules as text.

    Parameters
    ----------
    rules
        Each with its probability; 1 for what a person wrote.
    """
    said = [(phrase, weight) for rule, weight in rules for phrase in without_context(rule)]
    return _WRITERS[to](sorted(said, key=lambda one: (_name(one[0]), one[0].left)))


def read(text: str, written_as: Format) -> list[Rule]:
    """The rules of a text, each pair once, in the order of their terms.

    Raises
    ------
    InputError
        If the text is not of that format, or says what no rule can say.
    """
    try:
        return _rules(_READERS[written_as](text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"expected synonyms as {written_as} has them, got something else: {_reason(error)}") from error


def without_context(rule: Rule) -> list[Rule]:
    """A rule as engines know rules: with the context, if it has one, in its terms."""
    if not rule.context:
        return [rule]
    around = [(f"{word} {{}}", f"{{}} {word}") for word in rule.context]
    terms = [(frame.format(rule.left), frame.format(rule.right)) for frames in around for frame in frames]
    said = [(left, right) for left, right in dict.fromkeys(terms) if max(len(left), len(right)) <= LONGEST_TERM]
    return [rule.model_copy(update={"left": left, "right": right, "context": ()}) for left, right in said]


def _name(rule: Rule) -> str:
    """What engines call a rule: its kind and its id."""
    return f"{rule.kind}-{rule.id}"


def _kind_of(name: object) -> Kind | None:
    """The kind in a name that `_name` gave."""
    return next((kind for kind in _KINDS if isinstance(name, str) and name.startswith(f"{kind}-")), None)


def _rules(mapped: Iterable[_Mapped]) -> list[Rule]:
    """One rule per pair of terms: a pair that is mapped both ways is a two-way rule, and replacing counts only alone."""
    of_pair: dict[str, list[_Mapped]] = {}
    for line in mapped:
        of_pair.setdefault(rule_id(line.left, line.right), []).append(line)
    rules = []
    for lines in of_pair.values():
        first = lines[0]
        replaces = all(line.replaces for line in lines)
        kind = next((line.kind for line in lines if line.kind), "typo" if replaces else "synonym")
        two_way = kind != "typo" and (any(line.two_way for line in lines) or len({normal(line.left) for line in lines}) > 1)
        rules.append(Rule(kind=kind, left=first.left, right=first.right, two_way=two_way))
    return sorted(rules, key=lambda rule: (rule.left, rule.right))


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return complaint(error.errors()[0])
    return f"no {error}" if isinstance(error, KeyError) else str(error)


def _escaped(term: str) -> str:
    return re.sub(r"\\|,|=>|^#", lambda special: f"\\{special.group()}", term)


def _line(rule: Rule) -> str:
    left, right = _escaped(rule.left), _escaped(rule.right)
    if rule.two_way:
        return f"{left}, {right}"
    return f"{left} => {right}" if rule.replaces else f"{left} => {left}, {right}"


def _read_line(line: str, kind: Kind | None = None) -> Iterator[_Mapped]:
    sides = _split(line, "=>")
    if len(sides) > 2:
        raise ValueError(f"at most one => in a line, but {line!r}")
    terms = [[_unescaped(term).strip() for term in _split(side, ",")] for side in sides]
    if len(sides) == 1:
        yield from (_Mapped(left, right, True, False, kind) for left, right in combinations(terms[0], 2))
        return
    for left in terms[0]:
        for right in terms[1]:
            if left != right:
                yield _Mapped(left, right, False, left not in terms[1], kind)


def _split(text: str, separator: str) -> list[str]:
    """The parts of a text, escapes still in it; a separator after a backslash separates nothing."""
    parts: list[str] = []
    part, place = "", 0
    while place < len(text):
        if text.startswith(separator, place):
            parts, part, place = [*parts, part], "", place + len(separator)
        else:
            taken = 2 if text[place] == "\\" else 1
            part, place = part + text[place : place + taken], place + taken
    return [found for found in (*parts, part) if found.strip()]


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _write_solr(said: Sequence[Weighted]) -> str:
    lines: list[str] = []
    for kind in _KINDS:
        of_kind = [_line(rule) for rule, _ in said if rule.kind == kind]
        lines += [f"# kind: {kind}", *of_kind] if of_kind else []
    return "".join(f"{line}\n" for line in lines)


def _read_solr(text: str) -> Iterator[_Mapped]:
    kind: Kind | None = None
    for line in text.split("\n"):
        if line.startswith("#"):
            named = line.removeprefix("# kind: ").strip()
            kind = next((one for one in _KINDS if one == named), kind)
        elif line.strip():
            yield from _read_line(line.strip(), kind)


def _write_elasticsearch(said: Sequence[Weighted]) -> str:
    names = _numbered([_name(rule) for rule, _ in said])
    return _json({"synonyms_set": [{"id": name, "synonyms": _line(rule)} for name, (rule, _) in zip(names, said, strict=True)]})


def _read_elasticsearch(text: str) -> Iterator[_Mapped]:
    for rule in json.loads(text)["synonyms_set"]:
        yield from _read_line(rule["synonyms"], _kind_of(rule.get("id")))


def _write_opensearch(said: Sequence[Weighted]) -> str:
    lines = [line for line in _write_solr(said).split("\n") if line]
    return _json({"settings": {"analysis": {"filter": {_FILTER: {"type": "synonym_graph", "synonyms": lines}}}}})


def _read_opensearch(text: str) -> Iterator[_Mapped]:
    settings = json.loads(text)
    for part in ("settings", "index", "analysis"):
        settings = settings.get(part, settings)
    for one in settings["filter"].values():
        if one.get("type") in {"synonym", "synonym_graph"}:
            yield from _read_solr("\n".join(one["synonyms"]))


def _write_algolia(said: Sequence[Weighted]) -> str:
    names = _numbered([_name(rule) for rule, _ in said])
    return _json([{"objectID": name} | _algolia(rule) for name, (rule, _) in zip(names, said, strict=True)])


def _algolia(rule: Rule) -> dict[str, Any]:
    if rule.two_way:
        return {"type": "synonym", "synonyms": [rule.left, rule.right]}
    if rule.replaces and " " not in rule.right:  # phrases are no corrections there
        return {"type": "altCorrection1", "word": rule.left, "corrections": [rule.right]}
    return {"type": "oneWaySynonym", "input": rule.left, "synonyms": [rule.right]}


def _read_algolia(text: str) -> Iterator[_Mapped]:
    for one in json.loads(text):
        kind, sort = _kind_of(one.get("objectID")), one["type"].lower()
        if sort == "synonym":
            yield from (_Mapped(left, right, True, False, kind) for left, right in combinations(one["synonyms"], 2))
        elif sort == "onewaysynonym":
            yield from (_Mapped(one["input"], right, False, False, kind) for right in one["synonyms"])
        elif sort.startswith("altcorrection"):
            yield from (_Mapped(one["word"], right, False, True, kind) for right in one["corrections"])


def _write_querqy(said: Sequence[Weighted]) -> str:
    parts = []
    for rule, weight in said:
        if _UNSAYABLE.search(f"{rule.left} {rule.right}"):
            parts.append(f"# cannot be written here: {rule.model_dump_json()}\n")
            continue
        ways = [(rule.left, rule.right), (rule.right, rule.left)][: 1 + rule.two_way]
        for place, (left, right) in enumerate(ways):
            name = f"{_name(rule)}{'-back' if place else ''}"
            parts.append(f'{_quoted(left)} =>\n  SYNONYM({weight:.2f}): {_quoted(right)}\n  @_id: "{name}"\n')
    return "\n".join(parts)


def _read_querqy(text: str) -> Iterator[_Mapped]:
    left = ""
    found: list[_Mapped] = []
    for line in map(str.strip, text.split("\n")):
        if line.endswith("=>"):
            yield from found
            left, found = _unquoted(line[:-2].strip()), []
        elif match := re.match(r"synonym\s*(?:\([^)]*\))?\s*:\s*(.+)", line, re.IGNORECASE):
            found.append(_Mapped(left, _unquoted(match.group(1)), False, False))
        elif match := re.match(r'@_id\s*:\s*"(.*)"', line):
            found = [one._replace(kind=_kind_of(match.group(1))) for one in found]
    yield from found


def _quoted(term: str) -> str:
    return re.sub(r'[\\"*#]', lambda special: f"\\{special.group()}", term)


def _unquoted(text: str) -> str:
    return re.sub(r'\\([\\"*#])', r"\1", re.sub(r"(?<!\\)#.*", "", text).strip())


def _numbered(names: Sequence[str]) -> list[str]:
    """Names, each once: a second one of the same name gets a number."""
    seen: dict[str, int] = {}
    numbered = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        numbered.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return numbered


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


_WRITERS: Mapping[Format, Callable[[Sequence[Weighted]], str]] = {
    "solr": _write_solr,
    "elasticsearch": _write_elasticsearch,
    "opensearch": _write_opensearch,
    "algolia": _write_algolia,
    "querqy": _write_querqy,
}

_READERS: Mapping[Format, Callable[[str], Iterator[_Mapped]]] = {
    "solr": _read_solr,
    "elasticsearch": _read_elasticsearch,
    "opensearch": _read_opensearch,
    "algolia": _read_algolia,
    "querqy": _read_querqy,
}
