"""add audit, throttle, forced password change and where a session came from"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("forget_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_forget_at"), "attempts", ["forget_at"])
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text()),
        sa.Column("target", sa.Text()),
        sa.Column("ip", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index(op.f("ix_audit_events_at"), "audit_events", ["at", "id"])
    op.create_index(op.f("ix_audit_events_actor"), "audit_events", ["actor", "at", "id"])
    op.create_index(op.f("ix_audit_events_target"), "audit_events", ["target", "at", "id"])
    op.create_index(op.f("ix_audit_events_action"), "audit_events", ["action", "at", "id"])
    op.add_column("sessions", sa.Column("ip", sa.Text()))
    op.add_column("sessions", sa.Column("user_agent", sa.Text()))
    op.create_index(op.f("ix_sessions_idle_expires_at"), "sessions", ["idle_expires_at"])
    # The default is for existing rows; the application always sets the value.
    op.add_column("users", sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("users", "must_change_password", server_default=None)


def downgrade() -> None:
    op.drop_column("users", "must_change_password")
    op.drop_index(op.f("ix_sessions_idle_expires_at"), table_name="sessions")
    op.drop_column("sessions", "user_agent")
    op.drop_column("sessions", "ip")
    op.drop_table("audit_events")
    op.drop_table("attempts")
