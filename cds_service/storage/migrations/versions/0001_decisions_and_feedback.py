"""Decisions, their cards, feedback, and what was lifted."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """From nothing."""
    op.create_table(
        "decision",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("client", sa.String(40), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("hook", sa.String(64), nullable=False),
        sa.Column("patient", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("tier", sa.String(64)),
        sa.Column("genetics", sa.String(64), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("knowledge", sa.String(64), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decision"),
    )
    op.create_index("ix_decision_client_patient", "decision", ["client", "patient"])
    op.create_index("ix_decision_at", "decision", ["at"])
    op.create_table(
        "card",
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("decision", sa.String(36), nullable=False),
        sa.Column("topic", sa.String(100), nullable=False),
        sa.Column("indicator", sa.String(16), nullable=False),
        sa.Column("withheld", sa.String(16)),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("suggestions", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("uuid", name="pk_card"),
        sa.ForeignKeyConstraint(["decision"], ["decision.id"], name="fk_card_decision", ondelete="CASCADE"),
    )
    op.create_index("ix_card_decision", "card", ["decision"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("card", sa.String(36), nullable=False),
        sa.Column("client", sa.String(40), nullable=False),
        sa.Column("patient", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("received", _MOMENT, nullable=False),
        sa.Column("accepted", sa.JSON(), nullable=False),
        sa.Column("reason_system", sa.Text()),
        sa.Column("reason_code", sa.Text()),
        sa.Column("reason_display", sa.Text()),
        sa.Column("comment", sa.Text()),
        sa.Column("rest", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.ForeignKeyConstraint(["card"], ["card.uuid"], name="fk_feedback_card", ondelete="CASCADE"),
    )
    op.create_index("ix_feedback_card", "feedback", ["card"])
    op.create_index("ix_feedback_client_patient", "feedback", ["client", "patient"])
    op.create_index("ix_feedback_at", "feedback", ["at"])
    op.create_table(
        "lift",
        sa.Column("client", sa.String(40), nullable=False),
        sa.Column("patient", sa.String(64), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("client", "patient", name="pk_lift"),
    )


def downgrade() -> None:
    """To nothing: what was stored goes with it."""
    op.drop_table("lift")
    op.drop_table("feedback")
    op.drop_table("card")
    op.drop_table("decision")
