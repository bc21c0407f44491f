"""The input screen on our own sets: what must be stopped is, and no honest customer is."""

import base64
import random
import time
from collections.abc import Callable

import pytest

from bench.screen import everyday_messages, hostile_lengths, is_held_out, read_attacks, read_honest
from guards.screen import Screen
from tests.agents.folders import parts

ATTACKS, HONEST = read_attacks(), read_honest()
CERTAIN = [attack for attack in ATTACKS if attack.act]
PLAIN = [attack for attack in CERTAIN if attack.disguise == "plain"]
IN_WORDS = [attack for attack in PLAIN if not attack.kind.startswith("forged")]
_ALIKE = {
    "a": "аα",
    "c": "сϲ",
    "e": "еε",
    "i": "іι",
    "n": "ո",
    "o": "оο",
    "p": "рρ",
    "s": "ѕ",
    "t": "т",
    "x": "х",
    "y": "у",
}
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_BLANKS = ("  ", "   ", "\t", " \n", "\u00a0", "\u2003 ")


@pytest.fixture
def screen() -> Screen:
    """The screen as shipped."""
    return parts().screen


def test_the_sets_are_large_and_varied() -> None:
    """Figures from a dozen sentences would mean nothing."""
    assert len(ATTACKS) >= 300
    assert len(HONEST) >= 200
    assert len({attack.text for attack in ATTACKS} | {case.text for case in HONEST}) == len(ATTACKS) + len(
        HONEST
    )
    for language in ("en", "es"):
        kinds = {attack.kind for attack in PLAIN if attack.language == language}
        assert kinds >= {
            "override",
            "prompt_leak",
            "persona",
            "forged_role",
            "forged_result",
            "others_data",
            "authority",
        }
    assert 0.4 < sum(is_held_out(attack.text) for attack in ATTACKS) / len(ATTACKS) < 0.6


@pytest.mark.parametrize("held_out", [False, True])
def test_everything_that_is_certain_is_acted_on(screen: Screen, held_out: bool) -> None:
    """An order to forget the rules never reaches a model, whichever way it is written."""
    missed = [
        attack.text
        for attack in CERTAIN
        if is_held_out(attack.text) is held_out and not screen.judge(attack.text).acts
    ]

    assert missed == []


def test_no_honest_customer_is_taken_for_an_attacker(screen: Screen) -> None:
    """Whoever writes "ignore my last message, I meant the Leaf" is answered like everybody."""
    stopped = [case.text for case in HONEST if screen.judge(case.text).acts]

    assert stopped == []


def test_everyday_messages_are_not_even_noted(screen: Screen) -> None:
    """Ops would stop looking at notes if every tenth message had one."""
    noticed = [text for text in everyday_messages() if screen.judge(text).findings]

    assert noticed == []


def _case(text: str) -> str:
    return "".join(random.choice((letter.upper(), letter.lower())) for letter in text)


def _blanks(text: str) -> str:
    return text.replace(" ", random.choice(_BLANKS))


def _unseen(text: str) -> str:
    return "".join(letter + (random.choice(_UNSEEN) if random.random() < 0.3 else "") for letter in text)


def _alike(text: str) -> str:
    return "".join(
        random.choice(_ALIKE[letter]) if letter in _ALIKE and random.random() < 0.4 else letter
        for letter in text
    )


@pytest.mark.parametrize(
    "disguise",
    [
        _case,
        _blanks,
        _unseen,
        _alike,
        lambda text: _unseen(_alike(_case(_blanks(text)))),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: text.encode().hex(),
        lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
        lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    ],
    ids=[
        "case",
        "spacing",
        "zero width",
        "look-alikes",
        "all of these",
        "base64",
        "hex",
        "percent",
        "entities",
    ],
)
def test_a_disguise_does_not_help(screen: Screen, disguise: Callable[[str], str]) -> None:
    """The cheapest trick must not be the one that works; every attack is tried in three different ways."""
    missed = [
        text
        for attack in PLAIN
        for text in (disguise(attack.text) for _ in range(3))
        if not screen.judge(text).acts
    ]

    assert missed == []


@pytest.mark.parametrize(
    ("least", "disguise"),
    [
        (0.97, lambda text: "   ".join(" ".join(word) for word in text.split())),
        (0.90, lambda text: " ".join(".".join(word) for word in text.split())),
        (0.90, lambda text: text.translate(str.maketrans("aeio", "4310"))),
        (0.95, lambda text: text[::-1]),
        (0.95, lambda text: " ".join(word[::-1] for word in text.split())),
        (0.65, lambda text: "".join(text.split())),
    ],
    ids=["s p e l t", "d.o.t.s", "d1g1ts", "reversed", "words reversed", "glued"],
)
def test_most_attacks_are_seen_through_harder_disguises(
    screen: Screen, least: float, disguise: Callable[[str], str]
) -> None:
    """Not all of them can be, as short words are found in every text without spaces; the share must not sink."""
    seen = [screen.judge(disguise(attack.text)).acts for attack in IN_WORDS]

    assert sum(seen) / len(seen) >= least


@pytest.mark.parametrize(
    "text", [case.text for case in HONEST if case.language in {"ar", "he", "fa", "ja", "hi"}]
)
def test_other_scripts_are_read_in_peace(screen: Screen, text: str) -> None:
    """Arabic and Hebrew with their marks, Persian joiners and Japanese variants are not hidden words."""
    assert screen.judge(text).findings == ()


@pytest.mark.parametrize("name", list(hostile_lengths(10)))
def test_no_message_can_keep_the_server_busy(screen: Screen, name: str) -> None:
    """Thirty thousand hostile characters take a tenth of a second of computing; a pattern that backtracks, minutes."""
    text = hostile_lengths()[name]
    began = time.process_time()
    screen.judge(text)

    assert time.process_time() - began < 3
