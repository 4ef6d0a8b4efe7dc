"""Rules written for search engines: as their documents show them, and the same when they are read again."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.errors import InputError
from models.search_synonyms.exports import FORMATS, Format, export, read, without_context
from models.search_synonyms.rules import Kind, Rule

COUCH = Rule(kind="synonym", left="couch", right="sofa", two_way=True)
AC = Rule(kind="abbreviation", left="ac", right="air conditioner")
FACET = Rule(kind="typo", left="facet", right="faucet")
APPLE = Rule(kind="synonym", left="apple", right="macbook", context=("laptop",))
RULES = [(COUCH, 0.97), (AC, 1.0), (FACET, 0.9)]

NASTY = st.text(st.sampled_from(list("ab ,=>\\#\"*:;{}[]$@/&'%|~éß日本語 \u0130\u200d\ud83d😀()0.5-_\t\n")), min_size=1, max_size=12)
TERMS = st.one_of(NASTY, st.text(min_size=1, max_size=20))
KINDS: list[Kind] = ["typo", "synonym", "abbreviation", "inflection", "translation"]


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    kind = draw(st.sampled_from(KINDS))
    try:
        return Rule(kind=kind, left=draw(TERMS), right=draw(TERMS), two_way=kind != "typo" and draw(st.booleans()))
    except ValidationError:
        assume(False)
        raise


def in_order(found: list[Rule]) -> list[Rule]:
    return sorted(found, key=lambda rule: (rule.left, rule.right))


def sides(rule: Rule) -> tuple[object, ...]:
    """A two-way rule is the same from either side."""
    terms = tuple(sorted((rule.left, rule.right))) if rule.two_way else (rule.left, rule.right)
    return rule.kind, rule.two_way, *terms


def test_solr() -> None:
    assert export(RULES, "solr") == (
        "# kind: typo\nfacet => faucet\n# kind: synonym\ncouch, sofa\n# kind: abbreviation\nac => ac, air conditioner\n"
    )


def test_elasticsearch() -> None:
    assert json.loads(export(RULES, "elasticsearch")) == {
        "synonyms_set": [
            {"id": f"abbreviation-{AC.id}", "synonyms": "ac => ac, air conditioner"},
            {"id": f"synonym-{COUCH.id}", "synonyms": "couch, sofa"},
            {"id": f"typo-{FACET.id}", "synonyms": "facet => faucet"},
        ]
    }


def test_opensearch() -> None:
    written = json.loads(export(RULES, "opensearch"))["settings"]["analysis"]["filter"]["foretell_synonyms"]
    assert written["type"] == "synonym_graph"
    assert "couch, sofa" in written["synonyms"]


def test_algolia() -> None:
    assert json.loads(export(RULES, "algolia")) == [
        {"objectID": f"abbreviation-{AC.id}", "type": "oneWaySynonym", "input": "ac", "synonyms": ["air conditioner"]},
        {"objectID": f"synonym-{COUCH.id}", "type": "synonym", "synonyms": ["couch", "sofa"]},
        {"objectID": f"typo-{FACET.id}", "type": "altCorrection1", "word": "facet", "corrections": ["faucet"]},
    ]


def test_querqy() -> None:
    there = f'couch =>\n  SYNONYM(0.97): sofa\n  @_id: "synonym-{COUCH.id}"\n'
    back = f'sofa =>\n  SYNONYM(0.97): couch\n  @_id: "synonym-{COUCH.id}-back"\n'
    assert export([(COUCH, 0.97)], "querqy") == f"{there}\n{back}"


@pytest.mark.parametrize("to", FORMATS)
def test_nothing_is_written_and_read(to: Format) -> None:
    assert read(export([], to), to) == []


@pytest.mark.parametrize("to", FORMATS)
@given(found=st.lists(rules(), max_size=6, unique_by=lambda rule: rule.id))
def test_what_is_written_is_read_the_same(to: Format, found: list[Rule]) -> None:
    if to == "querqy":
        found = [rule for rule in found if "cannot be written" not in export([(rule, 1.0)], to)]
    again = read(export([(rule, 0.5) for rule in found], to), to)
    assert sorted(map(sides, again), key=str) == sorted(map(sides, found), key=str)


@given(rules())
def test_solr_lines_say_the_same_to_the_parser_of_lucene(rule: Rule) -> None:
    (line,) = (line for line in export([(rule, 1.0)], "solr").split("\n") if line and not line.startswith("# kind"))
    assert not line.startswith("#")
    assert lucene(line) == {
        "two_way": rule.two_way,
        "left": [rule.left, rule.right] if rule.two_way else [rule.left],
        "right": [] if rule.two_way else [rule.right] if rule.replaces else [rule.left, rule.right],
    }


def lucene(line: str) -> dict[str, object]:
    """How Lucene's parser of Solr synonyms reads a line: by the first unescaped arrow, then by unescaped commas."""
    arrow = re.split(r"(?<!\\)((?:\\\\)*)=>", line)
    halves = [line] if len(arrow) == 1 else [arrow[0] + arrow[1], arrow[2]]
    parts = [[re.sub(r"\\(.)", r"\1", "".join(term)).strip() for term in re.findall(r"((?:\\.|[^,\\])+)", half)] for half in halves]
    return {"two_way": len(parts) == 1, "left": parts[0], "right": parts[1] if len(parts) > 1 else []}


def test_querqy_names_what_it_cannot_say() -> None:
    odd = Rule(kind="synonym", left="size:10", right="size ten")
    written = export([(odd, 1.0), (COUCH, 1.0)], "querqy")
    assert written.startswith("# cannot be written here: ") or "\n# cannot be written here: " in written
    assert read(written, "querqy") == [COUCH]


@pytest.mark.parametrize("to", FORMATS)
def test_a_context_is_written_as_phrases_and_read_as_them(to: Format) -> None:
    phrases = [Rule(kind="synonym", left=f"{a}apple{b}", right=f"{a}macbook{b}") for a, b in (("laptop ", ""), ("", " laptop"))]
    assert without_context(APPLE) == phrases
    written = export([(APPLE, 1.0)], to)
    assert read(written, to) == in_order(phrases)
    assert export([(rule, 1.0) for rule in read(written, to)], to) == written


def test_files_of_others_are_read() -> None:
    assert read("# ours\n\nTV, Television , telly\nipod, i-pod => ipod\n", "solr") == in_order(
        [
            Rule(kind="synonym", left="tv", right="television", two_way=True),
            Rule(kind="synonym", left="tv", right="telly", two_way=True),
            Rule(kind="synonym", left="television", right="telly", two_way=True),
            Rule(kind="typo", left="i-pod", right="ipod"),
        ]
    )
    assert read("a\\,b => c\\=>d", "solr") == [Rule(kind="typo", left="a,b", right="c=>d")]
    assert read('{"settings": {"index": {"analysis": {"filter": {"x": {"type": "synonym", "synonyms": ["a, b"]}}}}}}', "opensearch") == [
        Rule(kind="synonym", left="a", right="b", two_way=True)
    ]


def test_a_pair_that_is_mapped_both_ways_is_one_two_way_rule() -> None:
    assert read("a => a, b\nb => b, a\n", "solr") == [Rule(kind="synonym", left="a", right="b", two_way=True)]


@pytest.mark.parametrize(
    ("text", "to"),
    [
        ("a => b => c", "solr"),
        ("[]", "elasticsearch"),
        ("{", "algolia"),
        ('[{"type": "synonym"}]', "algolia"),
        ('{"filter": 3}', "opensearch"),
    ],
)
def test_what_is_no_synonyms_is_refused_in_one_sentence(text: str, to: Format) -> None:
    with pytest.raises(InputError, match=f"expected synonyms as {to} has them, got something else: "):
        read(text, to)
