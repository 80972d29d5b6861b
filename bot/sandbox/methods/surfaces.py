"""views.* and files.*: modals, App Homes, and files with their upload."""

from __future__ import annotations

import mimetypes
from dataclasses import replace
from typing import Any, Final

from bot.sandbox.content import check_view
from bot.sandbox.methods.call import Call, Method, Methods
from bot.sandbox.records import Draft, File, Json, SlackRefusedError, View

MAX_FILE_BYTES: Final = 20_000_000  # enough for any chart; Slack's own limit is 1 GB


def open_(call: Call) -> dict[str, Any]:
    """Show a modal to the user whose trigger this is."""
    view = _view(call)
    if view["type"] != "modal":
        raise SlackRefusedError("invalid_arguments", "view.type must be modal")
    trigger = call.rights.use_trigger(call.args.text("trigger_id"), call.workspace.now())
    user = call.workspace.user(trigger.user_id)
    return _shown(call, call.views.open(user, call.user, call.workspace.team_id, view))


def update(call: Call) -> dict[str, Any]:
    """Change a view that is open."""
    ref = call.args.text("view_id") or call.args.text("external_id")
    return _shown(call, call.views.update(ref, _view(call), call.args.optional("hash")))


def publish(call: Call) -> dict[str, Any]:
    """Set a user's App Home."""
    view = _view(call)
    if view["type"] != "home":
        raise SlackRefusedError("invalid_arguments", "view.type must be home")
    user = call.workspace.user(call.args.text("user_id"))
    return _shown(call, call.views.publish(user, call.user, call.workspace.team_id, view))


def upload_url(call: Call) -> dict[str, Any]:
    """Hand out the address to which a file's bytes are to be sent."""
    name = call.args.text("filename")
    length = call.args.text("length")
    if not name or not _is_size(length):
        raise SlackRefusedError("invalid_arguments", "filename and a length in bytes are needed")
    file_id = call.workspace.new_id("F")
    mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
    call.workspace.files[file_id] = File(
        file_id=file_id,
        name=name,
        length=int(length),
        user_id=call.user.user_id,
        mimetype=mimetype,
    )
    return {"file_id": file_id, "upload_url": f"{call.base_url}/upload/{file_id}"}


def complete_upload(call: Call) -> dict[str, Any]:
    """Share files that were uploaded, as one message; without a channel they stay private."""
    wanted = call.args.objects("files", "invalid_arguments")
    if not wanted:
        raise SlackRefusedError("invalid_arguments", "files is needed")
    files = tuple(_uploaded(call, one) for one in wanted)
    if "channel_id" in call.args:
        channel = call.channel("channel_id")
        if call.user.user_id not in channel.member_ids:
            raise SlackRefusedError("not_in_channel")
        draft = Draft(
            text=call.args.text("initial_comment"),
            thread_ts=call.args.optional("thread_ts"),
            files=files,
        )
        call.workspace.post(channel, call.user, draft)
    return {"files": [one.to_slack() for one in files]}


def _is_size(length: str) -> bool:
    digits = length.isascii() and length.isdecimal() and len(length) <= len(str(MAX_FILE_BYTES))
    return digits and 0 < int(length) <= MAX_FILE_BYTES


def _view(call: Call) -> Json:
    view = call.args.object("view", "invalid_arguments")
    if view is None:
        raise SlackRefusedError("invalid_arguments", "view is needed")
    check_view(view)
    return view


def _shown(call: Call, view: View) -> dict[str, Any]:
    call.workspace.touch()
    return {"view": view.to_slack()}


def _uploaded(call: Call, wanted: Json) -> File:
    file = call.workspace.files.get(str(wanted.get("id")))
    if file is None or file.content is None:
        raise SlackRefusedError("file_not_found")
    title = wanted.get("title")
    titled = replace(file, title=title if isinstance(title, str) else file.name)
    call.workspace.files[file.file_id] = titled
    return titled


METHODS: Final[Methods] = {
    "views.open": Method(run=open_),
    "views.update": Method(run=update),
    "views.publish": Method(run=publish),
    "files.getUploadURLExternal": Method(run=upload_url, scope="files:write"),
    "files.completeUploadExternal": Method(run=complete_upload, scope="files:write"),
}
