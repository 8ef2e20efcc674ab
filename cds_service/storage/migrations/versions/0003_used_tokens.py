"""Tokens that were used, so that none is used twice by whichever process."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From a service that authenticates nobody."""
    op.create_table(
        "used_token",
        sa.Column("client", sa.String(40), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client", "token", name="pk_used_token"),
    )
    op.create_index("ix_used_token_until", "used_token", ["until"])


def downgrade() -> None:
    """A token that was used could be used once more, until it expires."""
    op.drop_table("used_token")
