"""index users for paging by keyset"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_users_by_username", "users", ["role", "is_active", "username"])
    op.create_index("ix_users_by_created_at", "users", ["role", "is_active", "created_at", "id"])
    op.create_index("ix_users_by_updated_at", "users", ["role", "is_active", "updated_at", "id"])
    op.create_index("ix_users_by_id", "users", ["role", "is_active", "id"])


def downgrade() -> None:
    for order in ("username", "created_at", "updated_at", "id"):
        op.drop_index(f"ix_users_by_{order}", table_name="users")
