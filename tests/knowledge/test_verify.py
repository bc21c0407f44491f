"""A quotation is looked up again in the file: only the same bytes with the same words are good."""

from pathlib import Path

import pytest

from events import Proof
from knowledge.corpus_files import read_article, version_of
from knowledge.verify import state_of

ARTICLE = "---\ntitle: Theft\nurl: https://x.example/theft\nlanguage: en\n---\n# Theft\nTheft is **covered**. Call us.\n"


@pytest.fixture
def proof(tmp_path: Path) -> Proof:
    """Of a passage of an article in the folder."""
    path = tmp_path / "theft.md"
    path.write_text(ARTICLE, encoding="utf-8")
    ((_, passage),) = read_article(path, tmp_path).parts
    return Proof(
        sentence="Yes, it is.",
        source=passage.source,
        title=passage.title,
        url=passage.url,
        file=passage.file,
        version=passage.version,
        start=passage.start,
        end=passage.end,
        quote="Theft is covered.",
    )


def test_an_unchanged_article_still_proves_it(proof: Proof, tmp_path: Path) -> None:
    """Ops would distrust true answers."""
    assert state_of(proof, tmp_path) == "ok"


@pytest.mark.parametrize("change", [b"\n", b" ", b"."])
def test_one_more_byte_makes_it_stale(change: bytes, proof: Proof, tmp_path: Path) -> None:
    """Nobody would see that an answer leans on words that were changed since."""
    path = tmp_path / "theft.md"
    path.write_bytes(path.read_bytes() + change)

    assert state_of(proof, tmp_path) == "stale"


def test_a_file_that_is_gone_proves_nothing(proof: Proof, tmp_path: Path) -> None:
    """The trace of an old turn would end in an error."""
    (tmp_path / "theft.md").unlink()

    assert state_of(proof, tmp_path) == "stale"


@pytest.mark.parametrize("wrong", [{"quote": "Fire is covered."}, {"start": 0, "end": 20}])
def test_words_that_stand_elsewhere_prove_nothing(
    wrong: dict[str, str | int], proof: Proof, tmp_path: Path
) -> None:
    """A proof with the right version and the wrong place would be called good."""
    assert state_of(proof.model_copy(update=wrong), tmp_path) == "stale"


def test_the_version_is_of_the_bytes() -> None:
    """Two servers with the same files must agree."""
    assert version_of(b"") == "e3b0c44298fc"
