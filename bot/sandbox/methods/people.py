"""auth.*, api.test, users.* and usergroups.*: who is who."""

from __future__ import annotations

from typing import Any, Final

from bot.sandbox.methods.call import Call, Method, Methods
from bot.sandbox.records import SlackRefusedError

PAGE: Final = 200


def auth_test(call: Call) -> dict[str, Any]:
    """Say whose token this is."""
    return {
        "url": f"https://{call.workspace.domain}.slack.com/",
        "team": call.workspace.domain,
        "team_id": call.workspace.team_id,
        "user": call.user.name,
        "user_id": call.user.user_id,
        "bot_id": call.user.bot_id,
        "is_enterprise_install": False,
    }


def list_(call: Call) -> dict[str, Any]:
    """List everybody."""
    people = [one.to_slack(call.workspace.team_id) for one in call.workspace.users]
    return call.page(people, PAGE, PAGE).answer("members")


def info(call: Call) -> dict[str, Any]:
    """Describe one user."""
    user = call.workspace.user(call.args.text("user"))
    return {"user": user.to_slack(call.workspace.team_id)}


def lookup_by_email(call: Call) -> dict[str, Any]:
    """Find the user with an e-mail address."""
    email = call.args.text("email").casefold()
    for user in call.workspace.users:
        if user.email is not None and user.email.casefold() == email:
            return {"user": user.to_slack(call.workspace.team_id)}
    raise SlackRefusedError("users_not_found")


def groups(call: Call) -> dict[str, Any]:
    """List the user groups; their members only when ``include_users`` is set."""
    listed = [one.to_slack(call.workspace.team_id) for one in call.workspace.groups]
    if not call.args.flag("include_users"):
        for one in listed:
            del one["users"]
    return {"usergroups": listed}


def group_users(call: Call) -> dict[str, Any]:
    """List the ids of a group's members."""
    wanted = call.args.text("usergroup")
    for group in call.workspace.groups:
        if group.group_id == wanted:
            return {"users": list(group.member_ids)}
    raise SlackRefusedError("no_such_subteam")


METHODS: Final[Methods] = {
    "auth.test": Method(run=auth_test),
    "users.list": Method(run=list_, scope="users:read"),
    "users.info": Method(run=info, scope="users:read"),
    "users.lookupByEmail": Method(run=lookup_by_email, scope="users:read.email"),
    "usergroups.list": Method(run=groups, scope="usergroups:read"),
    "usergroups.users.list": Method(run=group_users, scope="usergroups:read"),
}
