"""What cited sentences lean on is read from the log; a turn of an older version has nothing of the kind."""

from events import CitationsProved, Proof
from readers.proofs import fold_proofs
from tests.readers.turns import WHOLE, recorded

PROOF = Proof(
    sentence="Hail is not.",
    source="https://example.com/collision#4",
    title="Collision",
    url="https://example.com/collision",
    file="en/collision.md",
    version="0123456789ab",
    start=100,
    end=140,
    quote="hail is not covered",
)


def test_proofs_are_read_in_order() -> None:
    """Ops would see sources under the wrong sentence."""
    other = PROOF.model_copy(update={"sentence": "Theft is."})
    proved = CitationsProved(message_id="a", proofs=(PROOF, other))

    assert fold_proofs(recorded([*WHOLE, proved])) == (PROOF, other)


def test_a_turn_from_before_proofs_were_kept_has_none() -> None:
    """After an update, the traces of all older turns would be errors."""
    assert fold_proofs(recorded(WHOLE)) == ()
