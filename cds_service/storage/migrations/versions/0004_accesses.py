"""Queries that were sent to FHIR servers: whose chart was read, when, and for whom."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """From a service that keeps no record of what it asks."""
    op.create_table(
        "access_query",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_query"),
    )
    op.create_table(
        "access",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client", sa.String(40), nullable=False),
        sa.Column("hook", sa.String(64), nullable=False),
        sa.Column("patient", sa.String(64), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("page", sa.SmallInteger(), nullable=False),
        sa.Column("query", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access"),
        sa.ForeignKeyConstraint(["query"], ["access_query.id"], name="fk_access_query"),
    )
    op.create_index("ix_access_client_patient", "access", ["client", "patient"])
    op.create_index("ix_access_at", "access", ["at"])


def downgrade() -> None:
    """Who was asked about whom is lost: export it before (`cds-service audit`)."""
    op.drop_table("access")
    op.drop_table("access_query")
