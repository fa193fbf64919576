"""Members of staff who are out: no session of theirs, none that is half begun, and where asked for no second factor.

Each is part of the caller's transaction.
"""

from stores.database import Connection


async def end_sessions(connection: Connection, member: str) -> int:
    """They are signed in nowhere any more; how many sessions there were."""
    cursor = await connection.execute("delete from staff_sessions where member = %s", [member])
    await connection.execute("delete from half_sign_ins where member = %s", [member])
    await connection.execute("delete from staff_passages where member = %s", [member])
    return cursor.rowcount


async def forget_second_factor(connection: Connection, member: str) -> bool:
    """No second factor of theirs counts any more, and no session; whether there was one."""
    cursor = await connection.execute(
        "delete from second_factors where member = %s and state = 'counts'", [member]
    )
    had = bool(cursor.rowcount)
    await connection.execute("delete from second_factors where member = %s", [member])
    await connection.execute("delete from recovery_codes where member = %s", [member])
    await end_sessions(connection, member)
    return had
