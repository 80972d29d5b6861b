"""The image, the compose file and the Slack manifests are what the documents say, as far as reading them tells."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

MANIFESTS = ("deploy/slack/manifest.yaml", "deploy/slack/manifest-http.yaml")

# Web API methods by the scopes of which one must be granted. Source: Slack's reference of each method.
SCOPES = {
    "chat_postMessage": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "chat_update": {"chat:write"},
    "chat_delete": {"chat:write"},
    "conversations_history": {"channels:history"},
    "conversations_replies": {"channels:history"},
    "conversations_info": {"channels:read"},
    "conversations_list": {"channels:read"},
    "conversations_members": {"channels:read"},
    "conversations_join": {"channels:join"},
    "conversations_open": {"im:write"},
    "files_upload_v2": {"files:write"},
    "files_getUploadURLExternal": {"files:write"},
    "pins_add": {"pins:write"},
    "reactions_add": {"reactions:write"},
    "usergroups_list": {"usergroups:read"},
    "usergroups_users_list": {"usergroups:read"},
    "users_info": {"users:read"},
    "users_list": {"users:read"},
    "users_lookupByEmail": {"users:read.email"},
    "auth_test": set(),
    "chat_getPermalink": set(),
    "views_open": set(),
    "views_update": set(),
    "views_publish": set(),
}
METHOD = re.compile(
    r"\.((?:chat|conversations|files|pins|reactions|usergroups|users|views|auth)_[a-zA-Z_0-9]+)\("
)
# Scopes that events and features need, beside the methods' own.
EVENT_SCOPES = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
}


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def stages(root: Path) -> list[list[str]]:
    """The instructions of the Dockerfile, stage by stage, with continuation lines joined."""
    text = (root / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    found: list[list[str]] = []
    for line in filter(None, lines):
        if line.startswith("FROM "):
            found.append([])
        found[-1].append(line)
    return found


def _values(stage: list[str], instruction: str) -> list[str]:
    return [line.partition(" ")[2].strip() for line in stage if line.startswith(f"{instruction} ")]


def test_the_image_has_a_build_and_a_run_stage(stages: list[list[str]]) -> None:
    """Build tools stay in the first stage; both start from the same pinned tag."""
    bases = [_values(stage, "FROM")[0].split(" ")[0] for stage in stages]
    assert len(stages) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+-slim", bases[0])


def test_the_image_runs_as_nobody_special(stages: list[list[str]]) -> None:
    """The last user is a number that is not root's, so that an orchestrator can check it."""
    assert int(_values(stages[-1], "USER")[-1]) > 0


def test_the_image_knows_whether_it_is_well(stages: list[list[str]]) -> None:
    """The health check asks /healthz and needs no program that the image lacks."""
    (check,) = _values(stages[-1], "HEALTHCHECK")
    assert "/healthz" in check
    assert "urllib.request" in check
    assert "curl" not in check


def test_the_image_is_made_from_locks(stages: list[list[str]]) -> None:
    """Every pip install is either hashed or cut off from the index, and no tool for developers gets in."""
    commands = [c.strip() for run in _values(stages[0], "RUN") for c in run.split("&&")]
    installs = [c for c in commands if c.startswith("pip ") and " install " in c]
    assert installs
    assert [c for c in installs if "--require-hashes" not in c and "--no-index" not in c] == []
    assert "requirements-dev.lock" not in " ".join(stages[0] + stages[1])
    assert _values(stages[-1], "RUN")[0].startswith("useradd")


def test_the_image_starts_the_program(stages: list[list[str]]) -> None:
    """``docker run rca-bot`` serves, ``docker run rca-bot doctor`` does something else."""
    assert _values(stages[-1], "ENTRYPOINT") == ['["rca-bot"]']
    assert _values(stages[-1], "CMD")[-1] == '["serve"]'


def test_what_the_image_copies_is_let_in(root: Path, stages: list[list[str]]) -> None:
    """.dockerignore refuses everything but what the Dockerfile copies, and all of that is here."""
    ignored = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    copied = {word for line in _values(stages[0], "COPY") for word in line.split()[:-1]}
    assert "*" in ignored
    assert copied == let_in
    assert [name for name in copied if not (root / name).exists()] == []


def test_compose_holds_no_secret(root: Path) -> None:
    """Passwords and tokens come from outside; the file names them only."""
    text = (root / "deploy/compose.yaml").read_text(encoding="utf-8")
    services = _yaml(root / "deploy/compose.yaml")["services"]
    for service in services.values():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|SECRET|KEY", key):
                assert value.startswith("${")
    assert not re.search(r"xox[abp]-\w|xapp-\w|:[^$@/\s]+@", text)


def test_compose_waits_for_what_it_needs(root: Path) -> None:
    """The bot starts after the database is well and the tables are up to date, and pins its images."""
    services = _yaml(root / "deploy/compose.yaml")["services"]
    assert services["database"]["healthcheck"]["test"]
    assert services["bot"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert services["bot"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert [
        s["image"] for s in services.values() if not re.search(r":(?!latest)\w", s["image"])
    ] == []


def test_compose_sets_only_what_is_read(root: Path) -> None:
    """Every variable that the compose file gives the bot is one of its settings."""
    documented = (root / "docs/settings.md").read_text(encoding="utf-8")
    given = _yaml(root / "deploy/compose.yaml")["services"]["bot"]["environment"]
    assert [name for name in given if name not in documented] == []


def test_the_manifests_differ_in_transport_only(root: Path) -> None:
    """The same scopes, events, commands and features, whichever way Slack reaches the bot."""
    socket, http = (_yaml(root / name) for name in MANIFESTS)
    assert socket["settings"].pop("socket_mode_enabled") is True
    assert http["settings"].pop("socket_mode_enabled") is False
    urls = [
        http["settings"]["event_subscriptions"].pop("request_url"),
        http["settings"]["interactivity"].pop("request_url"),
        *(command.pop("url") for command in http["features"]["slash_commands"]),
    ]
    assert {url.partition("/slack/")[2] for url in urls} == {"events"}
    assert socket == http


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_scopes_are_those_that_the_code_needs(root: Path, name: str) -> None:
    """Every method that we call and every event that we ask for has its scope, and no scope is left over."""
    manifest = _yaml(root / name)
    granted = set(manifest["oauth_config"]["scopes"]["bot"])
    code = "".join(
        p.read_text(encoding="utf-8")
        for p in (root / "bot").rglob("*.py")
        if "sandbox" not in p.parts
    )
    called = set(METHOD.findall(code))
    needed = {"commands"}
    for method in called:
        needed |= SCOPES[method]
    for event in manifest["settings"]["event_subscriptions"]["bot_events"]:
        needed |= EVENT_SCOPES[event]
    assert called
    assert granted == needed
