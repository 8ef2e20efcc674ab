"""What is counted of every call, and the results of the gene that later calls showed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """From decisions and feedback alone."""
    op.create_table(
        "tally",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("client", sa.String(40), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(12), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("which", sa.String(64), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "client", "service", "digest", "what", "which", name="pk_tally"),
    )
    op.create_table(
        "visitor",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("client", sa.String(40), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(12), nullable=False),
        sa.Column("patient", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("day", "client", "service", "digest", "patient", name="pk_visitor"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gene_result",
        sa.Column("client", sa.String(40), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("patient", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("resulted", sa.Date()),
        sa.Column("seen", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("client", "service", "patient", name="pk_gene_result"),
    )
    op.create_index("ix_decision_day", "decision", ["day"])


def downgrade() -> None:
    """The counts go; decisions and feedback stay."""
    op.drop_index("ix_decision_day", "decision")
    op.drop_table("gene_result")
    op.drop_table("visitor")
    op.drop_table("tally")
