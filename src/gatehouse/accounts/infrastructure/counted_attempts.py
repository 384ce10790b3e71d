"""What the throttle has counted, for those who may set somebody free. The keys are made in application/passwords.py."""

from typing import Final

from gatehouse.accounts.application.ports import ForgottenAttempts
from gatehouse.accounts.domain.username import Username
from gatehouse.common.infrastructure.transaction import SqlTransaction

# A username has five characters or more, and what cannot be one is counted as None: neither is a group of an IPv6
# address.
KEY_PARTS: Final = "regexp_match(key, '^(password|sign-up):(?:(None|[^:]{5,20}):)?(.+)$')"
# Locked in the order in which attempts are counted, so that the two do not deadlock.
_FORGET: Final = """
    DELETE FROM attempts WHERE key = ANY (ARRAY(SELECT key FROM attempts WHERE {condition} ORDER BY key FOR UPDATE))
    RETURNING {parts} AS parts, count AS number, next_at
"""
_OF_ACCOUNT: Final = "key >= %(first)s AND key < %(last)s"
_OF_ADDRESS: Final = f"({KEY_PARTS})[3] = %(address)s"


class SqlCountedAttempts:
    def __init__(self, transaction: SqlTransaction) -> None:
        self._transaction = transaction

    async def forget(self, *, username: Username | None, address: str | None) -> list[ForgottenAttempts]:
        conditions, parameters = [], dict[str, str]()
        if username is not None:  # ';' is the character after ':'
            conditions.append(_OF_ACCOUNT)
            parameters |= {"first": f"password:{username}:", "last": f"password:{username};"}
        if address is not None:
            conditions.append(_OF_ADDRESS)
            parameters |= {"address": address}
        statement = _FORGET.format(condition=" OR ".join(conditions), parts=KEY_PARTS)
        rows = await self._transaction.connection.exec_driver_sql(statement, parameters)
        return [
            ForgottenAttempts(kind, username, of, row.number, row.next_at)
            for row in rows
            for kind, username, of in [row.parts]
        ]
