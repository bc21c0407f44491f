"""The tables. One definition for SQLite and PostgreSQL; migrations in store/migrations follow it.

Every table that grows is keyed by conversation_id first, so that it partitions unchanged (design.md, section 7).
Times are seconds since 1970, UTC. Payloads are JSON text made by the event models.
"""

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("created_at_s", Float(53), nullable=False),
    Index(None, "owner"),
)

turns = Table(
    "turns",
    metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("turn_id", String(64), nullable=False),
    Column("message_id", String(200), nullable=False),
    Column("text_hash", String(64), nullable=False),
    Column("is_open", Integer, nullable=False),
    Column("lease_owner", String(64), nullable=False),
    Column("lease_until_s", Float(53), nullable=False),
    Column("accepted_at_s", Float(53), nullable=False),
    UniqueConstraint("conversation_id", "message_id"),
    Index(None, "turn_id"),
    Index(None, "accepted_at_s"),
    Index(None, "is_open", "lease_until_s"),
)

events = Table(
    "events",
    metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("first_seq", Integer, primary_key=True),
    Column("last_seq", Integer, nullable=False),
    Column("payload", Text, nullable=False),
)

quotes = Table(
    "quotes",
    metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("quote_id", String(64), primary_key=True),
    Column("payload", Text, nullable=False),
    Column("created_at_s", Float(53), nullable=False),
)

tickets = Table(
    "tickets",
    metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("ticket_id", String(64), primary_key=True),
    Column("turn_id", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("summary", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at_s", Float(53), nullable=False),
    Index(None, "state", "created_at_s"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("feedback_id", String(64), primary_key=True),
    Column("turn_id", String(64)),
    Column("rating", Integer, nullable=False),
    Column("comment", Text),
    Column("created_at_s", Float(53), nullable=False),
)

actions = Table(
    "actions",
    metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("preview_id", String(64), primary_key=True),
    Column("customer_id", String(200), nullable=False),
    Column("tool", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("payload", Text, nullable=False),
    Column("created_at_s", Float(53), nullable=False),
    Index(None, "customer_id", "subject"),
)

# Demo customers belong to no conversation, and are as many as the company's file has.

demo_customers = Table(
    "demo_customers",
    metadata,
    Column("customer_id", String(200), primary_key=True),
    Column("payload", Text, nullable=False),
)

demo_cancellations = Table(
    "demo_cancellations",
    metadata,
    Column("customer_id", String(200), primary_key=True),
    Column("idempotency_key", String(64), primary_key=True),
    Column("payload", Text, nullable=False),
)

demo_loads = Table(
    "demo_loads",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("loaded_at_s", Float(53), nullable=False),
)

# The company's articles for searching on PostgreSQL (store/knowledge.py); elsewhere these tables stay empty.

_LEXEMES = Text().with_variant(TSVECTOR(), "postgresql")

knowledge_folders = Table(
    "knowledge_folders",
    metadata,
    Column("folder", String(64), primary_key=True),
    Column("used_at_s", Float(53), nullable=False),
)

knowledge_shelves = Table(
    "knowledge_shelves",
    metadata,
    Column("folder", String(64), primary_key=True),
    Column("article", String(64), primary_key=True),
)

knowledge_articles = Table(
    "knowledge_articles",
    metadata,
    Column("article", String(64), primary_key=True),
    Column("language", String(8), nullable=False),
    Column("words", _LEXEMES, nullable=False),
    Index(None, "words", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
)

knowledge_passages = Table(
    "knowledge_passages",
    metadata,
    Column("article", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("words", _LEXEMES, nullable=False),
)

BY_CONVERSATION = tuple(table for table in metadata.sorted_tables if "conversation_id" in table.c)
"""Every table with what customers said and did: what a deletion empties and an export shows."""
