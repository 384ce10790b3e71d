"""add last login and erasure"""

import sqlalchemy as sa
from alembic import op

from gatehouse.migrations.concurrently import create_index

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Narrower than the right to update: it puts a pseudonym in the place of one name, in events up to an erasure that is
# itself recorded under that pseudonym. As owner, since the server's role only inserts and reads. Of the caller's
# settings none is left that names other tables. It reads by index alone, however long the trail is.
ERASE = """
    CREATE OR REPLACE FUNCTION erase_from_audit_events(erased text, pseudonym text, batch integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET plan_cache_mode = force_custom_plan AS $$
    DECLARE
        latest timestamptz := (
            SELECT max(at) FROM audit_events WHERE target = pseudonym AND action = 'erase_user'
        );
        changed integer;
    BEGIN
        IF latest IS NULL OR pseudonym NOT LIKE '~%' THEN
            RAISE EXCEPTION 'no erasure is recorded under this pseudonym' USING ERRCODE = 'insufficient_privilege';
        END IF;
        -- What was being recorded, or counted, meanwhile. Where the name is taken anew, these events may be another's.
        IF NOT EXISTS (SELECT FROM users WHERE username = erased) THEN
            latest := latest + interval '2 minutes';
        END IF;
        WITH found AS (
            (SELECT id, at FROM audit_events WHERE actor = erased AND at <= latest LIMIT batch)
            UNION ALL
            (SELECT id, at FROM audit_events WHERE target = erased AND at <= latest LIMIT batch)
            UNION ALL
            (
                SELECT id, at FROM audit_events
                WHERE subject_id = erased AND subject_kind IN ('attempts', 'user') AND at <= latest LIMIT batch
            )
        ), events AS (SELECT DISTINCT id, at FROM found LIMIT batch)
        UPDATE audit_events AS event SET
            actor = CASE WHEN actor = erased THEN pseudonym ELSE actor END,
            target = CASE WHEN target = erased THEN pseudonym ELSE target END,
            subject_id = CASE
                WHEN subject_id = erased AND subject_kind IN ('attempts', 'user') THEN pseudonym ELSE subject_id
            END,
            subject_label = CASE
                WHEN subject_label = erased AND subject_kind IN ('attempts', 'user') THEN pseudonym ELSE subject_label
            END,
            -- An address of somebody else who acted on the account stays.
            ip = CASE WHEN coalesce(actor, target) = erased THEN NULL ELSE ip END
        FROM events WHERE event.id = events.id AND event.at = events.at;
        GET DIAGNOSTICS changed = ROW_COUNT;
        RETURN changed;
    END $$
"""


def upgrade() -> None:
    # Each by itself, and safe to repeat. The first locks the table for a moment; the check is then validated under a
    # lock that hinders neither readers nor writers.
    with op.get_context().autocommit_block():
        op.execute("""
            ALTER TABLE users ADD COLUMN IF NOT EXISTS last_login_at timestamptz,
                DROP CONSTRAINT ck_users_role_is_known,
                ADD CONSTRAINT ck_users_role_is_known
                    CHECK (role IN ('user', 'admin', 'super_admin', 'erased')) NOT VALID
        """)
        op.execute("ALTER TABLE users VALIDATE CONSTRAINT ck_users_role_is_known")
    last_login_or_never = sa.text("COALESCE(last_login_at, '-infinity'::timestamp with time zone)")
    create_index("ix_users_by_last_login_at", "users", ["role", "is_active", last_login_or_never, "id"])
    op.create_table(
        "erased_names",
        sa.Column("name_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name_hash", name=op.f("pk_erased_names")),
    )
    op.create_table(
        "erasures",
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("look_again_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("pseudonym", name=op.f("pk_erasures")),
    )
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.get_bind().exec_driver_sql(ERASE.format(schema=schema).replace("%", "%%"))
    op.execute("REVOKE ALL ON FUNCTION erase_from_audit_events FROM PUBLIC")


def downgrade() -> None:
    op.execute("DROP FUNCTION erase_from_audit_events")
    op.drop_table("erasures")
    op.drop_table("erased_names")
    op.drop_index("ix_users_by_last_login_at", table_name="users")
    op.drop_column("users", "last_login_at")
    op.execute("UPDATE users SET role = 'user' WHERE role = 'erased'")
    op.drop_constraint("ck_users_role_is_known", "users")
    op.create_check_constraint("ck_users_role_is_known", "users", "role IN ('user', 'admin', 'super_admin')")
