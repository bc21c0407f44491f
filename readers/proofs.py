"""What the cited sentences of a turn lean on: a fold over its events. A turn from before proofs were kept has none."""

from collections.abc import Iterable

from events import CitationsProved, Proof, Recorded


def fold_proofs(recorded: Iterable[Recorded]) -> tuple[Proof, ...]:
    """One for each cited sentence and passage, in the order of the answer."""
    proved = (item.event for item in recorded if isinstance(item.event, CitationsProved))
    return tuple(proof for event in proved for proof in event.proofs)
