"""index audit events by actor or target with action"""

import sqlalchemy as sa
from alembic import op

from gatehouse.migrations.concurrently import create_index

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_audit_events_actor_action", "audit_events", ["actor", "action", "at", "id"])
    has_target = sa.text("target IS NOT NULL")
    create_index("ix_audit_events_target_action", "audit_events", ["target", "action", "at", "id"], where=has_target)


def downgrade() -> None:
    op.drop_index("ix_audit_events_target_action", table_name="audit_events")
    op.drop_index("ix_audit_events_actor_action", table_name="audit_events")
