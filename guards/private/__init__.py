"""Personal data never reaches a customer in an answer; see guard.py."""

from guards.private.guard import KINDS, Contacts, contacts_in, private_guard

__all__ = ["KINDS", "Contacts", "contacts_in", "private_guard"]
