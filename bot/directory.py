"""Who is who: tenants, channels, teams, people, roles and datasets, from one TOML file or a folder of them.

People edit these files, so every problem is named at once, with its file and its key, and no half of a
directory is ever used. Secrets are not kept here: a team names the environment variable that holds one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from bot.ports import BotError
from bot.toml_tables import Problem, Tables, read_tables
from rca.case import Dataset
from rca.expected import expected

ChannelId = Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]{1,30}$")]
UserId = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{1,30}$")]
GroupId = Annotated[str, StringConstraints(pattern=r"^S[A-Z0-9]{1,30}$")]
UserOrGroupId = Annotated[str, StringConstraints(pattern=r"^[UWS][A-Z0-9]{1,30}$")]
EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,100}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,2000}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]

NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "pagerduty": ("routing_key_env",),
    "webhook": ("url", "secret_env"),
    "slack_mention": ("usergroup",),
    "log": (),
}
"""What a team must say for each pager we ship; a pager added later checks its own needs."""


class DirectoryError(BotError):
    """The directory cannot be used; ``problems`` names each one with its file and key."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "The directory has problems:\n" + "\n".join(f"- {p}" for p in self.problems)
        )


class Role(StrEnum):
    """What a person may do, least first."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tenant(_Entry):
    """One customer or department; sees only its own datasets and channels."""

    id: Name
    name: Name
    incident_channel: ChannelId | None = None


class Channel(_Entry):
    """A Slack channel and the tenant it belongs to; ``watch``: other bots' alerts in it are read."""

    tenant: Name
    watch: bool = True


class Team(_Entry):
    """Who is woken and by which pager; ``next`` is the team that is tried when a page is not delivered."""

    id: Name
    name: Name
    pager: Name
    usergroup: GroupId | None = None
    routing_key_env: EnvName | None = None
    url: Url | None = None
    secret_env: EnvName | None = None
    next: Name | None = None

    @property
    def secret_names(self) -> tuple[str, ...]:
        """The environment variables that hold this team's secrets."""
        return tuple(name for name in (self.routing_key_env, self.secret_env) if name)


class Person(_Entry):
    """Somebody known by e-mail, with the Slack user id to mention."""

    email: Name
    slack: UserId
    name: Name | None = None


class Roles(_Entry):
    """Slack users (U…) and user groups (S…) by role; everybody else has the default."""

    default: Role = Role.RESPONDER
    admin: tuple[UserOrGroupId, ...] = ()
    responder: tuple[UserOrGroupId, ...] = ()
    viewer: tuple[UserOrGroupId, ...] = ()

    def of(self, ids: Iterable[str]) -> Role:
        """Return the highest role that any of *ids* is listed under, or the default when none is listed."""
        wanted = set(ids)
        if wanted & set(self.admin):
            return Role.ADMIN
        if wanted & set(self.responder):
            return Role.RESPONDER
        return Role.VIEWER if wanted & set(self.viewer) else self.default


class DatasetEntry(Dataset):
    """A dataset as the directory describes it: the case's own fields, and where its incidents go."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    tenant: Name
    channel: ChannelId | None = None
    aliases: tuple[Name, ...] = ()
    owner: Name | None = None
    time_column: Name | None = None
    dimensions: tuple[Name, ...] = ()
    segments: tuple[tuple[Name, ...], ...] = ()

    def dataset(self) -> Dataset:
        """Return the case's part of this entry."""
        return Dataset.model_validate(self.model_dump(include=set(Dataset.model_fields)))


class SourceEntry(BaseModel):
    """A system that facts are read from; ``options`` are what its kind of source reads, checked by that kind.

    ``tenant`` None: it knows about every tenant's datasets, and each dataset still says itself which part is its.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    id: Name
    kind: Name
    tenant: Name | None = None

    @property
    def options(self) -> Mapping[str, object]:
        """Everything but who it is and whom it serves."""
        return dict(self.model_extra or {})

    @property
    def secret_names(self) -> tuple[str, ...]:
        """The environment variables that its options ending in ``_env`` name."""
        named = (value for key, value in self.options.items() if key.endswith("_env"))
        return tuple(name for name in named if isinstance(name, str))


class WebhookEntry(_Entry):
    """A sender that signs what it posts to ``/alerts/{format}``, and the tenant whose alerts these are."""

    id: Name
    format: Name
    tenant: Name
    secret_env: EnvName


class Directory(_Entry):
    """Everything the bot knows about people, teams, channels, tenants and datasets. Frozen."""

    tenants: Mapping[str, Tenant] = Field(default_factory=dict)
    channels: Mapping[ChannelId, Channel] = Field(default_factory=dict)
    teams: Mapping[str, Team] = Field(default_factory=dict)
    people: Mapping[str, Person] = Field(default_factory=dict)
    roles: Roles = Field(default_factory=Roles)
    entries: Mapping[str, DatasetEntry] = Field(default_factory=dict, alias="datasets")
    sources: Mapping[str, SourceEntry] = Field(default_factory=dict)
    webhooks: Mapping[str, WebhookEntry] = Field(default_factory=dict)

    @classmethod
    def empty(cls) -> Self:
        """Return a directory that knows nobody; everybody is a responder."""
        return cls()

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a TOML file, or all ``*.toml`` files of a folder, which share one set of tables.

        Raises:
            DirectoryError: a file cannot be read, or something in it is wrong; names every problem.
        """
        read = read_tables(Path(path))
        if read.problems:
            raise DirectoryError(read.problems)
        try:
            directory = cls.model_validate(_with_keys(read.tables))
        except ValidationError as error:
            raise DirectoryError(read.placed(_described(error))) from None
        if problems := tuple(read.placed(_cross_checks(directory))):
            raise DirectoryError(problems)
        return directory

    def tenant_of(self, channel_id: str) -> str | None:
        """Return the tenant that owns a channel: as listed, or as one of its incident channels."""
        if channel_id in self.channels:
            return self.channels[channel_id].tenant
        owners = (tenant for channel, tenant, _ in _claims(self) if channel == channel_id)
        return next(owners, None)

    def watches(self, channel_id: str) -> bool:
        """Return whether other bots' messages in this channel are read as alerts."""
        return channel_id in self.channels and self.channels[channel_id].watch

    def incident_channel(self, tenant_id: str, dataset: str) -> str | None:
        """Return where an incident of *dataset* goes when it has no thread: its own channel, or the tenant's."""
        entry = self.entry(tenant_id, dataset)
        if entry and entry.channel:
            return entry.channel
        tenant = self.tenants.get(tenant_id)
        return tenant.incident_channel if tenant else None

    def team(self, team_id: str) -> Team | None:
        """Return a team by its id, or None."""
        return self.teams.get(team_id)

    def role_of(self, user_id: str, groups: Iterable[str] = ()) -> Role:
        """Return what a Slack user may do, by their own id and by the user groups they are in."""
        return self.roles.of((user_id, *groups))

    def datasets(self, tenant_id: str) -> tuple[Dataset, ...]:
        """Return the tenant's datasets, by name."""
        found = (entry.dataset() for entry in self.entries.values() if entry.tenant == tenant_id)
        return tuple(sorted(found, key=lambda dataset: dataset.name))

    def aliases(self, tenant_id: str) -> Mapping[str, tuple[str, ...]]:
        """Return the other names people and tools use, by dataset name: the second argument of a Catalog."""
        mine = (entry for entry in self.entries.values() if entry.tenant == tenant_id)
        return {entry.name: entry.aliases for entry in mine if entry.aliases}

    def owner_of(self, tenant_id: str, dataset: str) -> str | None:
        """Return who owns a dataset: a team id or a person's e-mail."""
        entry = self.entry(tenant_id, dataset)
        return entry.owner if entry else None

    def person(self, email: str) -> Person | None:
        """Return somebody by e-mail, in any case, or None."""
        wanted = email.casefold()
        return next((p for key, p in self.people.items() if key.casefold() == wanted), None)

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Every environment variable that a team's pager, a source or a webhook needs, once each, sorted."""
        teams = {name for team in self.teams.values() for name in team.secret_names}
        sources = {name for source in self.sources.values() for name in source.secret_names}
        hooks = {hook.secret_env for hook in self.webhooks.values()}
        return tuple(sorted(teams | sources | hooks))

    def entry(self, tenant_id: str, dataset: str) -> DatasetEntry | None:
        """Return what the directory says of a dataset, or None when it says nothing."""
        mine = (e for e in self.entries.values() if e.tenant == tenant_id and e.name == dataset)
        return next(mine, None)


PLAIN_PROBLEMS: Final = {
    "extra_forbidden": "there is no such key",
    "missing": "is missing",
}
_KEY_FIELD: Final = {
    "tenants": "id",
    "teams": "id",
    "people": "email",
    "sources": "id",
    "webhooks": "id",
}


def _with_keys(tables: Tables) -> dict[str, object]:
    """Give each entry its own key as a field, so that it can be handed on alone; a dataset may say another name."""
    filled: dict[str, object] = dict(tables)
    for table, key_field in _KEY_FIELD.items():
        entries = tables.get(table, {})
        filled[table] = {
            k: {**v, key_field: k} if isinstance(v, dict) else v for k, v in entries.items()
        }
    datasets = tables.get("datasets", {})
    filled["datasets"] = {
        k: {"name": k, **v} if isinstance(v, dict) else v for k, v in datasets.items()
    }
    return filled


def _described(error: ValidationError) -> Iterator[Problem]:
    for problem in error.errors(include_url=False, include_input=False):
        path = tuple(str(part) for part in problem["loc"] if part != "[key]")
        yield Problem(path=path, text=plain_problem(problem))


def plain_problem(problem: ErrorDetails) -> str:
    """Return pydantic's *problem* with a key, in words for somebody who only sees the TOML file."""
    return PLAIN_PROBLEMS.get(problem["type"]) or expected(problem)


def _cross_checks(directory: Directory) -> Iterator[Problem]:
    """What no entry can know alone: that the names it uses exist, and that no two tenants share a channel."""
    yield from _unknown_tenants(directory)
    yield from _team_problems(directory)
    yield from _shared_channels(directory)
    yield from _dataset_problems(directory)
    yield from _webhook_problems(directory)


def _at(*path: str, text: str) -> Problem:
    return Problem(path=path, text=text)


def _unknown_tenants(directory: Directory) -> Iterator[Problem]:
    known = ", ".join(sorted(directory.tenants)) or "none"
    named: tuple[
        tuple[str, Mapping[str, Channel | DatasetEntry | SourceEntry | WebhookEntry]], ...
    ] = (
        ("channels", directory.channels),
        ("datasets", directory.entries),
        ("sources", directory.sources),
        ("webhooks", directory.webhooks),
    )
    for table, entries in named:
        for key, entry in entries.items():
            if entry.tenant is not None and entry.tenant not in directory.tenants:
                yield _at(table, key, "tenant", text=f"no tenant {entry.tenant!r}; known: {known}")


def _team_problems(directory: Directory) -> Iterator[Problem]:
    known = ", ".join(sorted(directory.teams))
    for key, team in directory.teams.items():
        for need in NEEDS.get(team.pager, ()):
            if getattr(team, need) is None:
                yield _at("teams", key, need, text=f"the pager {team.pager} needs it")
        if team.next == key:
            yield _at("teams", key, "next", text="a team cannot be its own next target")
        elif team.next is not None and team.next not in directory.teams:
            yield _at("teams", key, "next", text=f"no team {team.next!r}; known: {known}")


def _claims(directory: Directory) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Every (channel, tenant, path) by which a tenant claims a channel without a channels entry."""
    for key, tenant in directory.tenants.items():
        if tenant.incident_channel:
            yield tenant.incident_channel, tenant.id, ("tenants", key, "incident_channel")
    for key, entry in directory.entries.items():
        if entry.channel:
            yield entry.channel, entry.tenant, ("datasets", key, "channel")


def _shared_channels(directory: Directory) -> Iterator[Problem]:
    """A channel sees only its tenant's data, so it can have but one."""
    owners = {channel_id: channel.tenant for channel_id, channel in directory.channels.items()}
    for channel_id, tenant, path in _claims(directory):
        owner = owners.setdefault(channel_id, tenant)
        if owner != tenant:
            text = f"channel {channel_id} belongs to tenant {owner!r}, not to {tenant!r}"
            yield _at(*path, text=text)


def _dataset_problems(directory: Directory) -> Iterator[Problem]:
    seen: dict[tuple[str, str], str] = {}
    for key, entry in directory.entries.items():
        first = seen.setdefault((entry.tenant, entry.name), key)
        if first != key:
            text = f"tenant {entry.tenant!r} has this name already, in datasets.{first}"
            yield _at("datasets", key, "name", text=text)
        for who in ("owner", "source_owner"):
            name = getattr(entry, who)
            if name and name not in directory.teams and directory.person(name) is None:
                yield _at("datasets", key, who, text=f"neither a team nor a person: {name!r}")


def _webhook_problems(directory: Directory) -> Iterator[Problem]:
    """A signature decides the tenant, so no two tenants can sign one format with one secret."""
    owners: dict[tuple[str, str], str] = {}
    for key, hook in directory.webhooks.items():
        owner = owners.setdefault((hook.format, hook.secret_env), hook.tenant)
        if owner != hook.tenant:
            text = f"tenant {owner!r} signs {hook.format} with {hook.secret_env} already"
            yield _at("webhooks", key, "secret_env", text=text)
