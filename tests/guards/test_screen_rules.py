"""Patterns of the input screen: what fits, what does not, and how a wrong file is refused."""

from pathlib import Path

import pytest

from errors import ConfigError
from guards.screen_rulefile import load_rules
from guards.screen_rules import Hit
from guards.screen_words import bare, pieces, undressed

HEAD = '[lists]\npet = "cat dog"\n[[groups]]\nkind = "pets"\n'


def _hits(folder: Path, find: str, text: str, more: str = "") -> list[Hit]:
    file = folder / "screen.toml"
    file.write_text(f"{HEAD}find = [{find!r}]\n{more}\n", encoding="utf-8")
    return load_rules(file).hits(pieces(bare(undressed(text))))


@pytest.mark.parametrize(
    ("find", "text", "fits"),
    [
        ("feed <pet>", "Feed DOG!", True),
        ("feed <pet>", "feed my dog", False),
        ("feed ~1 <pet>", "feed my dog", True),
        ("feed ~1 <pet>", "feed my old dog", False),
        ("feed ~1 <pet>", "feed dog", True),
        ("feed ~9 <pet>", "please feed them now. Your dog", False),
        ("feed ~9 <pet>", "feed. your. dog", True),
        ("feed ~9 <pet>", "please feed them\n\nYour dog", False),
        ("feed ~9 <pet>", "please feed them\nyour dog", True),
        ("^ feed <pet>", "Hello there you. Feed dog", True),
        ("^ feed <pet>", "Hello\nfeed dog", True),
        ("^ feed <pet>", "do feed dog", False),
        ("feed & <pet>", "A dog? That is the end of it. I feed it.", True),
        ("feed & <pet>", "A dog? That is the end of it.", False),
        ("feed the|a|<pet> now", "feed a now", True),
        ("feed dog", "fееd dög", True),
        ("feed dog", "f33d d0g", True),
        ("elephants", "elehpants", True),
        ("elephants", "elephnts", True),
        ("all little", "ALL   litttttle", True),
        ("all little", "aII Iitt1e", True),
    ],
)
def test_a_pattern_fits_or_not(tmp_path: Path, find: str, text: str, fits: bool) -> None:
    """Whoever writes a pattern must be able to predict what it does."""
    assert bool(_hits(tmp_path, find, text)) is fits


@pytest.mark.parametrize(
    ("more", "text", "fits"),
    [
        ('not_between = "my"', "feed my dog", False),
        ('not_between = "my"', "feed the dog", True),
        ('not_before = "they"', "they feed the dog", False),
        ('not_before = "they"', "they must feed the dog", False),
        ('not_before = "they"', "they said you feed the dog", True),
        ('not_before = "they"', "so very much of they. Feed the dog", True),
        ('not_after = "food"', "feed the dog food", False),
        ('not_after = "food"', "feed the dog good food", True),
        ('not_after = "food"', "please feed the dog. Food?", True),
    ],
)
def test_words_that_make_it_harmless(tmp_path: Path, more: str, text: str, fits: bool) -> None:
    """Customers speak of their own instructions, and of what somebody else ignored."""
    assert bool(_hits(tmp_path, "feed ~2 <pet>", text, more)) is fits


def test_a_hit_says_what_and_why(tmp_path: Path) -> None:
    """`frontdesk try` shows the pattern and the words, so that it can be mended."""
    (hit,) = _hits(tmp_path, "feed ~1 <pet>", "So I said: feed my dog at once", 'level = "note"')

    assert (hit.kind, hit.level, hit.pattern) == ("pets", "note", "feed ~1 <pet>")
    assert hit.words.endswith("said fed my dog")  # doubled letters are one


def test_a_company_adds_its_own_and_may_use_the_lists_before(tmp_path: Path) -> None:
    """Its assistant's name is nothing that the program can know."""
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text(f'{HEAD}find = ["feed <pet>"]\n', encoding="utf-8")
    second.write_text('[[groups]]\nkind = "walk"\nfind = ["walk <pet>"]\n', encoding="utf-8")
    found = load_rules(first, second).hits(pieces(bare("walk dog and feed cat")))

    assert [hit.kind for hit in found] == ["pets", "walk"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[lists", "cannot be read"),
        (
            '[[groups]]\nkind = "pets"\nfind = ["feed <pest>"]',
            'pattern "feed <pest>": list <pest> is unknown; known: none',
        ),
        ('[[groups]]\nkind = "pets"\nfind = ["feed ~2"]', 'pattern "feed ~2": a word is missing'),
        ('[[groups]]\nkind = "pets"\nfind = ["feed & "]', "a word is missing"),
        ('[[groups]]\nkind = "pets"\nfind = ["^"]', "a word is missing"),
        ('[[groups]]\nkind = "pets"\nfind = ["feed ."]', '"." holds no word'),
        ('[[groups]]\nkind = "pets"\nfind = []', "groups.0.find"),
        (
            '[[groups]]\nkind = "pets"\nlevel = "stop"\nfind = ["x"]',
            "groups.0.level: Input should be 'act' or 'note', not 'stop'",
        ),
        ('[[groups]]\nkind = "my pets"\nfind = ["x"]', "groups.0.kind"),
        ('[[groups]]\nkind = "pets"\nfind = ["x"]\nunless = "y"', "groups.0.unless: Extra inputs"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, content: str, says: str) -> None:
    """A slip in a pattern must not turn the screen off in silence."""
    file = tmp_path / "screen.toml"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load_rules(file)

    assert str(caught.value).startswith(f"{file}: ")
    assert says in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """The desk does not open without its screen."""
    with pytest.raises(ConfigError, match=r"screen\.toml: cannot be read"):
        load_rules(tmp_path / "screen.toml")
