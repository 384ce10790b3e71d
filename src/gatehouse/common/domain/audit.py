"""What is written down of what happens."""

from enum import StrEnum


class Action(StrEnum):
    """Named as the use cases that do them."""

    SIGN_UP = "sign_up"
    LOG_IN = "log_in"
    LOG_OUT = "log_out"
    CREATE_USER = "create_user"
    INACTIVATE_USER = "inactivate_user"
    REACTIVATE_USER = "reactivate_user"
    GRANT_ADMIN = "grant_admin"
    REVOKE_ADMIN = "revoke_admin"
    CHANGE_PASSWORD = "change_password"
    END_SESSION = "end_session"
    END_OTHER_SESSIONS = "end_other_sessions"
    END_USER_SESSIONS = "end_user_sessions"
    CREATE_SUPER_ADMIN = "create_super_admin"
    REVOKE_SUPER_ADMIN = "revoke_super_admin"


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
