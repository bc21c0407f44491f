"""actions and demo customers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "actions",
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("preview_id", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=200), nullable=False),
        sa.Column("tool", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at_s", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "preview_id", name=op.f("pk_actions")),
    )
    with op.batch_alter_table("actions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_actions_customer_id_subject"), ["customer_id", "subject"], unique=False
        )

    op.create_table(
        "demo_customers",
        sa.Column("customer_id", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_demo_customers")),
    )
    op.create_table(
        "demo_cancellations",
        sa.Column("customer_id", sa.String(length=200), nullable=False),
        sa.Column("idempotency_key", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "idempotency_key", name=op.f("pk_demo_cancellations")),
    )
    op.create_table(
        "demo_loads",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("loaded_at_s", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_demo_loads")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("demo_loads")
    op.drop_table("demo_cancellations")
    op.drop_table("demo_customers")
    with op.batch_alter_table("actions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_actions_customer_id_subject"))

    op.drop_table("actions")
