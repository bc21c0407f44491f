"""The event log and what must last beside it, on SQLite or PostgreSQL."""
