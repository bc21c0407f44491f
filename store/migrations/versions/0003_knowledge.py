"""knowledge."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_LEXEMES = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "knowledge_folders",
        sa.Column("folder", sa.String(length=64), nullable=False),
        sa.Column("used_at_s", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("folder", name=op.f("pk_knowledge_folders")),
    )
    op.create_table(
        "knowledge_shelves",
        sa.Column("folder", sa.String(length=64), nullable=False),
        sa.Column("article", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("folder", "article", name=op.f("pk_knowledge_shelves")),
    )
    op.create_table(
        "knowledge_articles",
        sa.Column("article", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("words", _LEXEMES, nullable=False),
        sa.PrimaryKeyConstraint("article", name=op.f("pk_knowledge_articles")),
    )
    op.create_index(
        op.f("ix_knowledge_articles_words"),
        "knowledge_articles",
        ["words"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.create_table(
        "knowledge_passages",
        sa.Column("article", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("words", _LEXEMES, nullable=False),
        sa.PrimaryKeyConstraint("article", "number", name=op.f("pk_knowledge_passages")),
    )
    if op.get_context().dialect.name == "postgresql":  # ranking reads these rows: they are to stay whole
        for table in ("knowledge_articles", "knowledge_passages"):
            op.execute(f"ALTER TABLE {table} SET (toast_tuple_target = 8160)")


def downgrade() -> None:
    """Take back."""
    op.drop_table("knowledge_passages")
    op.drop_index(op.f("ix_knowledge_articles_words"), table_name="knowledge_articles")
    op.drop_table("knowledge_articles")
    op.drop_table("knowledge_shelves")
    op.drop_table("knowledge_folders")
