"""Which role allows what."""

import pytest

from bot.directory import Role
from bot.policy.who_may import ALLOWED, Act, may

TABLE = {
    # act: viewer, responder, admin
    Act.VIEW: (True, True, True),
    Act.DIAGNOSE: (True, True, True),
    Act.ACKNOWLEDGE: (False, True, True),
    Act.ESCALATE: (False, True, True),
    Act.RESOLVE: (False, True, True),
    Act.SNOOZE: (False, True, True),
    Act.RUN_STEP: (False, True, True),
    Act.ANSWER: (False, True, True),
    Act.ADMIN: (False, False, True),
}


@pytest.mark.parametrize("act", Act)
def test_the_table_of_rights(act):
    """A viewer looks and asks, a responder does everything but administer, an admin everything."""
    assert tuple(may(role, act) for role in (Role.VIEWER, Role.RESPONDER, Role.ADMIN)) == TABLE[act]


def test_every_role_has_a_row():
    """A role added to the directory without rights of its own fails here and not at night."""
    assert set(ALLOWED) == set(Role)
