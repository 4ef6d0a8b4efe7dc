"""Words that exclude each other: two sizes, two colours, two brands, with and without are never names of one thing.

People take the one for want of the other so often that their searches look like those for two names. Letters cannot tell, and clicks can
only where both find something; so the closed sets of everyday language are written down here, in the languages that shops speak most,
with the brands that nearly everybody knows. What is in no set is left to the evidence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import takewhile

_ENDINGS = ("", "e", "er", "es", "en", "em", "s")
_GERMAN = "~"
"""Marks an adjective that takes the German endings."""

_SETS = (
    "red crimson scarlet rot~ rouge rojo roja rosso rossa | blue navy turquoise teal blau~ bleu bleue azul blu | green olive grün~ "
    "vert verte verde | yellow gelb~ jaune amarillo amarilla giallo | black schwarz~ noir noire negro negra nero nera | white ivory "
    "weiß~ weiss~ blanc blanche blanco blanca bianco bianca | grey grau~ gris grise grigio | pink rosa rose | purple violet lila "
    "violett~ morado viola | orange | brown tan braun~ marron marrón marrone | beige cream | gold golden~ doré dorado | silver "
    "silbern~ argent plata",
    "men man male gentleman gent guy herr herren mann männer homme hombre caballero uomo | women woman female lady dame damen frau "
    "frauen femme mujer donna | boy junge jungen garçon niño | girl mädchen fille niña",
    "adult erwachsene erwachsener adulte adulto | kid child children baby toddler infant kind kinder enfant bébé bebé bambino bambini",
    "father dad papa vater | mother mom mum mama mutter | brother bruder | sister schwester | son sohn | daughter tochter",
    "small mini tiny klein~ petit petite pequeño pequeña piccolo piccola s xs | medium mittel mittler~ m | large big huge groß~ "
    "gross~ grand grande l xl xxl xxxl",
    "xs | s | m | l | xl | xxl | xxxl",
    "left links link~ gauche izquierda izquierdo sinistra | right rechts recht~ droite derecha derecho destra",
    "front vorne vorder~ | rear back hinten hinter~",
    "top upper | bottom lower",
    "single einzel | double doppel full | triple | twin | queen | king",
    "summer sommer été verano estate | winter hiver invierno inverno | spring frühling | autumn herbst",
    "monday | tuesday | wednesday | thursday | friday | saturday | sunday",
    "january | february | march | april | may | june | july | august | september | october | november | december",
    "with mit avec con | without ohne sans sin senza zonder free frei~",
    "indoor | outdoor",
    "hot warm heiß~ chaud caliente caldo | cold cool kalt~ froid frío fría freddo",
    "up | down",
    "on | off",
    "in | out",
    "north nord | south süd | east ost | west",
    "long lang~ largo larga | short kurz~ corto corta",
    "high hoch | low niedrig~",
    "wide breit~ | narrow schmal~ slim",
    "thick dick~ | thin dünn~",
    "light hell~ | dark dunkel",
    "hard hart | soft weich~",
    "new neu~ nuevo nueva nouveau | used refurbished second gebraucht~ usado usada",
    "cheap budget billig~ günstig~ barato | expensive luxury premium teuer~ caro",
    "sweet süß~ | sour sauer | salty salzig~",
    "wet nass | dry trocken~",
    "buy purchase kaufen | sell verkaufen | rent hire mieten",
    "open opened | close closed",
    "start begin | stop end",
    "add create | remove delete",
    "enable activate | disable deactivate",
    "login signin logon | logout signout logoff",
    "install | uninstall",
    "upload | download",
    "import | export",
    "send outgoing sent | receive incoming received",
    "deposit | withdraw withdrawal",
    "monthly month | yearly annual annually year | weekly week | daily day",
    "before | after",
    "arrival | departure",
    "manual | automatic auto",
    "wired corded | wireless cordless",
    "skimmed skim | whole | semi",
    "one eins un uno | two zwei deux dos due | three drei trois tres tre | four vier quatre cuatro quattro | five fünf cinq cinco "
    "cinque | six sechs seis sei | seven sieben sept siete sette | eight acht huit ocho otto | nine neun neuf nueve nove | ten zehn "
    "dix diez dieci",
    "first 1st | second 2nd | third 3rd | fourth 4th",
    "i | ii | iii | iv | vi | vii | viii",
    "pro | air | mini | plus | max | lite | ultra",
    "ios iphone ipad mac macbook | android galaxy pixel | windows surface | linux chromebook",
    "iphone | ipad | ipod | macbook imac mac | airpods",
    "ps1 ps2 ps3 ps4 ps5 playstation | xbox | nintendo switch wii",
    "cotton | wool | linen | silk | polyester | leather | suede | denim | velvet",
    "oak | pine | walnut | bamboo | mahogany | plastic | steel | copper | aluminium aluminum | brass | glass | ceramic | marble | granite",
    "dog hund chien perro cane | cat katze chat gato gatto | horse pferd cheval caballo cavallo | bird vogel",
    "nike | adidas | puma | reebok | asics | converse | vans | skechers | fila | birkenstock | timberland | crocs",
    "apple | samsung | huawei | xiaomi | nokia | motorola | oneplus | oppo | sony | lg | google | htc | blackberry",
    "hp | dell | lenovo thinkpad | asus | acer | toshiba | msi | microsoft",
    "canon | nikon | olympus | fujifilm | leica | gopro | kodak | pentax",
    "sony | panasonic | philips | toshiba | sharp | hisense | tcl | bose | jbl | sonos | sennheiser",
    "bosch | siemens | miele | dyson | shark | makita | dewalt | milwaukee | ryobi | stihl | husqvarna | whirlpool | smeg | tefal | "
    "kitchenaid",
    "bmw | audi | mercedes benz | volkswagen vw | toyota | honda | ford | nissan | mazda | hyundai | kia | volvo | tesla | renault | "
    "peugeot | skoda | opel | fiat | subaru | lexus | porsche | jeep",
    "coke cola cocacola | pepsi | fanta | sprite",
    "gucci | prada | chanel | dior | versace | armani | hermes | burberry",
    "visa | mastercard | amex | paypal",
    "lego | playmobil | duplo",
    "intel | amd | nvidia",
)
"""Sets, whose groups exclude each other; the words of one group may mean the same."""

_KIN = ("small kid child baby mini tiny", "teal green turquoise", "kid child children baby boy", "kid child children baby girl")
"""Exceptions: words of different groups that overlap."""

_NEGATIONS = frozenset(["without", "not", "non", "no", "never", "ohne", "nicht", "kein", "keine", "sans", "sin", "senza", "zonder"])
_LESS, _FREE = "less", frozenset(("free", "frei"))
"""What denies too, but stands in names as well: stainless steel, hands free."""

_PREFIXES = ("un", "non", "dis", "in", "anti", "de")
"""What turns a word into its contrary."""

_SHORTEST_ROOT, _SHORTEST_HEAD = 4, 3


class Contrasts:
    """Tells words that exclude each other.

    Parameters
    ----------
    stem
        Makes the forms of a word one.
    """

    def __init__(self, stem: Callable[[str], str]) -> None:
        self._stem = stem
        self._groups: dict[str, dict[int, int]] = {}
        for family, text in enumerate(_SETS):
            for group, words in enumerate(text.split("|")):
                for word in self._forms(words):
                    self._groups.setdefault(word, {})[family] = group
        self._kin = [set(self._forms(words)) for words in _KIN]

    def between(self, left: str, right: str) -> bool:
        """Whether two phrases differ in a number, a code or a negation, or hold two words that exclude each other."""
        a, b = left.split(), right.split()
        return _numbers_differ(left, right) or _codes_differ(a, b) or _one_denies(a, b) or self._words_exclude(a, b)

    def _forms(self, words: str) -> Iterator[str]:
        for word in words.split():
            endings = _ENDINGS if word.endswith(_GERMAN) else ("",)
            yield from (self._stem(word.rstrip(_GERMAN) + ending) for ending in endings)

    def _words_exclude(self, a: list[str], b: list[str]) -> bool:
        one, other = ({self._stem(word) for word in words} for words in (a, b))
        return any(
            self._exclude(x, y) or self._parts_exclude(x, y) or _contrary(x, y) or _contrary(y, x) for x in one - other for y in other - one
        )

    def _parts_exclude(self, x: str, y: str) -> bool:
        """Whether two compounds of one head say of it what excludes each other: Herrenschuhe, Damenschuhe."""
        alike = sum(1 for _ in takewhile(lambda letters: letters[0] == letters[1], zip(reversed(x), reversed(y), strict=False)))
        return any(self._exclude(x[:-head], y[:-head]) for head in range(_SHORTEST_HEAD, alike + 1))

    def _exclude(self, x: str, y: str) -> bool:
        of_x, of_y = self._groups.get(x, {}), self._groups.get(y, {})
        families = of_x.keys() & of_y.keys()
        return any(of_x[one] != of_y[one] for one in families) and not any({x, y} <= kin for kin in self._kin)


def _numbers_differ(left: str, right: str) -> bool:
    one, other = numbers(left), numbers(right)
    return bool(one and other and one != other)


def numbers(text: str) -> list[str]:
    """The numbers in a text, sorted."""
    return sorted(re.findall(r"\d+", text))


def _codes_differ(a: list[str], b: list[str]) -> bool:
    """Whether phrases are the same but for a code: usb a and usb c, aa battery and aaa battery."""
    if len(a) != len(b):
        return False
    differ = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
    return len(differ) == 1 and all(len(set(code)) == 1 and len(code) <= 4 and code.isalnum() for code in differ[0])


def _one_denies(a: list[str], b: list[str]) -> bool:
    return (_denies(a) and not _may_deny(b)) or (_denies(b) and not _may_deny(a))


def _denies(words: list[str]) -> bool:
    return not _NEGATIONS.isdisjoint(words)


def _may_deny(words: list[str]) -> bool:
    return _denies(words) or not _FREE.isdisjoint(words) or any(word.endswith(_LESS) or word.startswith(_PREFIXES) for word in words)


def _contrary(x: str, y: str) -> bool:
    """Whether y is x with a prefix, or an ending, that makes it the contrary."""
    prefixed = len(x) >= _SHORTEST_ROOT and any(y == prefix + x for prefix in _PREFIXES)
    return prefixed or (y.endswith(_LESS) and len(y) > len(_LESS) + 2 and x.startswith(y.removesuffix(_LESS)))
