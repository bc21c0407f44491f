"""Readers of the event log: each turns the same list of events into what somebody wants to see."""
