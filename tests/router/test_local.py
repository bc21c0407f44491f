"""The local classifier: what it learns, how sure it is, and what it takes back from a file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.routing import CASES, read_cases
from build import build_parts, cache_of, examples_of, load_prompts, train
from knowledge.lexicon import Lexicon
from router.calibration import Verdict, accuracy, calibration_error
from router.local import FILE_NAME, Example, LocalClassifier
from tests.serving import local_settings

ROOT = Path(__file__).parents[2]
LEXICON = Lexicon({"human": ("human", "person", "persona"), "quote": ("price", "precio")})
EXAMPLES = [
    Example("I want a price for my car", "quote"),
    Example("quiero un precio", "quote"),
    Example("how much for a 2019 Civic", "quote"),
    Example("2015", "quote", "year"),
    Example("2020", "quote", "year"),
    Example("get me a human", "escalate"),
    Example("quiero hablar con una persona", "escalate"),
    Example("let me talk to a person right now", "escalate"),
    Example("hi there", "greeting"),
    Example("hola buenas", "greeting"),
    Example("good morning Eva", "greeting"),
]
WEIGHTS_IN_ANOTHER_PROCESS = """
import hashlib
from tests.router.test_local import EXAMPLES, LEXICON
from router.local import LocalClassifier
label = LocalClassifier.train(EXAMPLES, LEXICON).classify("a price for my wife's car, and then a person")
print(hashlib.sha256(repr(sorted(label.probabilities.items())).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def small() -> LocalClassifier:
    """A classifier of three intents and eleven lines."""
    return LocalClassifier.train(EXAMPLES, LEXICON)


@pytest.mark.parametrize(
    ("text", "awaiting", "intent"),
    [
        ("what's the price for a car", None, "quote"),
        ("hola", None, "greeting"),
        ("una persona por favor", None, "escalate"),
        ("2018", "year", "quote"),
    ],
)
def test_a_message_like_the_training_lines_gets_their_label(
    small: LocalClassifier, text: str, awaiting: str | None, intent: str
) -> None:
    """A new intent works from its utterances alone."""
    label = small.classify(text, awaiting)

    assert label.intent == intent
    assert label.confidence == max(label.probabilities.values())
    assert sum(label.probabilities.values()) == pytest.approx(1)
    assert list(label.probabilities) == ["escalate", "greeting", "quote"]


@pytest.mark.parametrize("text", ["", " ", "?", "\x00", "😀" * 50, "quiero un precio " * 2000, "ا" * 9000])
def test_no_message_breaks_it(small: LocalClassifier, text: str) -> None:
    """Empty, huge and strange messages get a label like all others."""
    assert small.classify(text).intent in small.intents


def test_the_closest_lines_come_first(small: LocalClassifier) -> None:
    """Claude is shown the lines most like the message, with their labels."""
    assert small.closest("give me a human!", 2)[0] == Example("get me a human", "escalate")
    assert small.closest("hola", 1) == [Example("hola buenas", "greeting")]
    assert len(small.closest("a price for a person", 3)) == 3
    assert small.closest("qwxz", 3) == []


def test_one_intent_alone_is_refused() -> None:
    """A folder with a single prompt file is named as the mistake it is."""
    with pytest.raises(ValueError, match="two intents or more"):
        LocalClassifier.train([Example("hi", "greeting")], LEXICON)


def test_training_does_not_depend_on_the_process() -> None:
    """Two servers with the same prompts label alike, and so does one after a restart."""
    digests = {
        subprocess.run(  # noqa: S603 - our own interpreter and our own lines
            [sys.executable, "-c", WEIGHTS_IN_ANOTHER_PROCESS],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(digests) == 1


def test_a_loaded_classifier_is_the_saved_one(small: LocalClassifier, tmp_path: Path) -> None:
    """A restart changes no label, not even by a rounding."""
    small.save(tmp_path / "new folder" / "model.json")
    loaded = LocalClassifier.load(tmp_path / "new folder" / "model.json")

    for example in EXAMPLES:
        assert loaded.classify(example.text, example.awaiting) == small.classify(
            example.text, example.awaiting
        )
    assert loaded.closest("a human", 3) == small.closest("a human", 3)
    assert [file.name for file in (tmp_path / "new folder").iterdir()] == ["model.json"]


def test_the_cache_is_used_only_for_the_same_lines(tmp_path: Path) -> None:
    """An edited prompt file takes effect, and a second start costs nothing."""
    first = LocalClassifier.load_or_train(EXAMPLES, LEXICON, tmp_path)
    [file] = tmp_path.iterdir()
    written = file.stat().st_mtime_ns
    again = LocalClassifier.load_or_train(EXAMPLES, LEXICON, tmp_path)
    assert file.stat().st_mtime_ns == written
    assert again.classify("precio") == first.classify("precio")

    edited = LocalClassifier.load_or_train([*EXAMPLES, Example("bye", "goodbye")], LEXICON, tmp_path)
    assert "goodbye" in edited.intents
    other_words = LocalClassifier.load_or_train(EXAMPLES, Lexicon({"human": ("hola",)}), tmp_path)
    assert other_words.classify("hola") != first.classify("hola")


def test_a_damaged_cache_is_trained_anew(small: LocalClassifier, tmp_path: Path) -> None:
    """A half-written file costs a start a few seconds, not the customers their answers."""
    small.save(tmp_path / FILE_NAME)
    whole = (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(whole[:-100])

    trained = LocalClassifier.load_or_train(EXAMPLES, LEXICON, tmp_path)

    assert trained.classify("precio") == small.classify("precio")
    assert (tmp_path / FILE_NAME).read_bytes() == whole


def test_a_folder_that_cannot_be_written_costs_time_only(small: LocalClassifier, tmp_path: Path) -> None:
    """A read-only container starts all the same."""
    (tmp_path / "file").write_text("not a folder")

    trained = LocalClassifier.load_or_train(EXAMPLES, LEXICON, tmp_path / "file")

    assert trained.classify("precio") == small.classify("precio")
    (tmp_path / "taken" / FILE_NAME).mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        small.save(tmp_path / "taken" / FILE_NAME)
    assert [file.name for file in (tmp_path / "taken").iterdir()] == [FILE_NAME]


def test_the_shipped_prompts_label_unseen_messages_well(tmp_path: Path) -> None:
    """With Claude down nine in ten customers still reach the right specialist, and a sure label is a right one."""
    settings = local_settings(tmp_path)
    catalogue = load_prompts(settings, build_parts(settings))
    classifier = train(catalogue, cache_of(settings))
    verdicts = [
        Verdict(label.confidence, label.intent == case.intent)
        for case, _ in read_cases(ROOT / CASES, examples_of(catalogue))
        for label in (classifier.classify(case.text, case.awaiting),)
    ]

    assert accuracy(verdicts) >= 0.89
    assert calibration_error(verdicts) <= 0.05
