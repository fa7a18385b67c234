"""What became of a tool call, by its row in ``composio_audit_events``: one reading of the fact.

The word of the status and the code of the error say the same, and a row may have only one of them.
"""

from typing import Final

REFUSED: Final = """coalesce(
    status = 'auth_expired' or error_code in ('AUTH_EXPIRED', 'OAUTH_EXPIRED'), false)"""
LIMITED: Final = """coalesce(
    status = 'rate_limit' or error_code in ('RATE_LIMIT', 'RATE_LIMIT_EXCEEDED'), false)"""
# Of the partner itself: neither a consent that ended nor a quota that is used up.
FAILED: Final = f"""(
    coalesce(status in ('error', 'failed') or error_code is not null, false)
    and not {REFUSED}
    and not {LIMITED}
)"""
