"""The details of a quote, read out of one customer message."""

from knowledge.slots.reading import Reading, read_slots

__all__ = ["Reading", "read_slots"]
