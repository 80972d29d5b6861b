"""Facts about the directory: who is who, from TOML, with every problem named at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.catalog import Catalog, parts_of
from bot.directory import Directory, DirectoryError, Role
from rca.case import Dataset

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "directory.example.toml"
RUNBOOK_TEAMS = {"infra", "platform", "data_eng", "data_eng_lead", "analytics_eng"}

GOOD = """
[tenants.acme]
name = "Acme"
incident_channel = "C0INC"
[tenants.globex]
name = "Globex"
[channels.C0ALERTS]
tenant = "acme"
[channels.C0QUIET]
tenant = "acme"
watch = false
[teams.infra]
name = "Infra"
pager = "log"
next = "platform"
[teams.platform]
name = "Platform"
usergroup = "S0P"
pager = "slack_mention"
[people."Dana@acme.example"]
slack = "U0DANA"
[roles]
default = "viewer"
admin = ["U0ADA", "S0LEAD"]
responder = ["S0ONCALL"]
[datasets.shopify_orders]
tenant = "acme"
relation = "raw.shopify.orders"
channel = "C0ORDERS"
aliases = ["orders"]
owner = "infra"
[datasets.globex_orders]
tenant = "globex"
name = "shopify_orders"
"""


def loaded(tmp_path: Path, text: str) -> Directory:
    file = tmp_path / "directory.toml"
    file.write_text(text, encoding="utf-8")
    return Directory.load(file)


def problems(tmp_path: Path, text: str) -> str:
    with pytest.raises(DirectoryError) as caught:
        loaded(tmp_path, text)
    return "\n".join(caught.value.problems)


def test_the_shipped_example_loads_and_has_every_team_of_the_runbook():
    """The example is a valid directory and knows the runbook's five teams."""
    directory = Directory.load(EXAMPLE)
    assert set(directory.teams) >= RUNBOOK_TEAMS
    assert directory.watches("C0ALERTS")
    assert directory.datasets("acme")[0].relation == "raw.shopify.orders"


@pytest.mark.parametrize(
    ("channel", "tenant", "watched"),
    [
        ("C0ALERTS", "acme", True),
        ("C0QUIET", "acme", False),
        ("C0INC", "acme", False),
        ("C0ORDERS", "acme", False),
        ("C0OTHER", None, False),
    ],
)
def test_a_channel_belongs_to_one_tenant(
    tmp_path: Path, channel: str, tenant: str | None, *, watched: bool
):
    """Listed channels and incident channels have a tenant; only listed ones with watch are read."""
    directory = loaded(tmp_path, GOOD)
    assert directory.tenant_of(channel) == tenant
    assert directory.watches(channel) is watched


def test_an_incident_goes_to_the_datasets_channel_before_the_tenants(tmp_path: Path):
    """The dataset's own channel wins, then the tenant's, then none."""
    directory = loaded(tmp_path, GOOD)
    assert directory.incident_channel("acme", "shopify_orders") == "C0ORDERS"
    assert directory.incident_channel("acme", "unheard_of") == "C0INC"
    assert directory.incident_channel("globex", "shopify_orders") is None
    assert directory.incident_channel("initech", "shopify_orders") is None


def test_datasets_are_those_of_the_tenant_only(tmp_path: Path):
    """Two tenants may use one name; each sees its own dataset."""
    directory = loaded(tmp_path, GOOD)
    assert directory.datasets("acme") == (
        Dataset(name="shopify_orders", relation="raw.shopify.orders"),
    )
    assert directory.datasets("globex") == (Dataset(name="shopify_orders"),)
    assert directory.datasets("initech") == ()
    assert directory.aliases("acme") == {"shopify_orders": ("orders",)}
    assert directory.aliases("globex") == {}
    assert directory.owner_of("acme", "shopify_orders") == "infra"
    assert directory.owner_of("globex", "shopify_orders") is None


@pytest.mark.parametrize(
    ("user", "groups", "role"),
    [
        ("U0ADA", (), Role.ADMIN),
        ("U0X", ("S0LEAD",), Role.ADMIN),
        ("U0X", ("S0ONCALL", "S0LEAD"), Role.ADMIN),
        ("U0X", ("S0ONCALL",), Role.RESPONDER),
        ("U0X", ("S0NOBODY",), Role.VIEWER),
        ("", (), Role.VIEWER),
    ],
)
def test_the_highest_listed_role_counts(
    tmp_path: Path, user: str, groups: tuple[str, ...], role: Role
):
    """A person has the highest role that they or one of their groups is listed under, else the default."""
    assert loaded(tmp_path, GOOD).role_of(user, groups) is role


def test_a_listed_viewer_stays_below_a_higher_default(tmp_path: Path):
    """Being listed as viewer is a restriction when everybody else is a responder."""
    directory = loaded(tmp_path, '[roles]\nviewer = ["U0AUDITOR"]\n')
    assert directory.role_of("U0AUDITOR") is Role.VIEWER
    assert directory.role_of("U0OTHER") is Role.RESPONDER


def test_people_and_teams_are_found_by_their_keys(tmp_path: Path):
    """E-mails are compared without case; an entry carries its own key."""
    directory = loaded(tmp_path, GOOD)
    person, team = directory.person("dana@ACME.example"), directory.team("infra")
    assert person is not None
    assert (person.slack, person.email) == ("U0DANA", "Dana@acme.example")
    assert team is not None
    assert (team.id, team.next) == ("infra", "platform")
    assert directory.person("nobody@acme.example") is None
    assert directory.team("nobody") is None


def test_an_empty_directory_knows_nobody_and_lets_everybody_respond():
    """Without a directory nothing is watched and everybody is a responder."""
    directory = Directory.empty()
    assert directory.tenant_of("C0ALERTS") is None
    assert directory.role_of("U0X") is Role.RESPONDER
    assert directory.secret_names == ()


def test_a_folder_is_one_directory(tmp_path: Path):
    """Files of a folder are read together, and references may cross them."""
    (tmp_path / "a.toml").write_text('[tenants.acme]\nname = "Acme"\n', encoding="utf-8")
    (tmp_path / "b.toml").write_text('[channels.C0ALERTS]\ntenant = "acme"\n', encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not read", encoding="utf-8")
    assert Directory.load(tmp_path).tenant_of("C0ALERTS") == "acme"


def test_a_key_said_in_two_files_is_refused(tmp_path: Path):
    """No file silently wins over another; the message names both."""
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text('[tenants.acme]\nname = "Acme"\n', encoding="utf-8")
    with pytest.raises(DirectoryError, match=r"b\.toml: tenants\.acme: already said in a\.toml"):
        Directory.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tenants.acme]\n", "directory.toml: tenants.acme.name: is missing"),
        ("[teems.infra]\nname = 'x'\n", "teems: there is no such key"),
        (
            "[teams.infra]\nname='x'\npager='log'\nnxt='y'\n",
            "teams.infra.nxt: there is no such key",
        ),
        ("[teams.infra]\nname='x'\n", "teams.infra.pager: is missing"),
        (
            "[teams.infra]\nname='x'\npager='pagerduty'\n",
            "directory.toml: teams.infra.routing_key_env: the pager pagerduty needs it",
        ),
        (
            "[teams.infra]\nname='x'\npager='webhook'\nurl='https://x.example'\n",
            "teams.infra.secret_env: the pager webhook needs it",
        ),
        ("[teams.infra]\nname='x'\npager='slack_mention'\n", "teams.infra.usergroup"),
        ("[teams.infra]\nname='x'\npager='log'\nnext='infra'\n", "its own next target"),
        ("[teams.infra]\nname='x'\npager='log'\nnext='oops'\n", "no team 'oops'; known: infra"),
        ("[channels.C0A]\ntenant='acme'\n", "no tenant 'acme'; known: none"),
        ("[channels.alerts]\ntenant='acme'\n", "channels.alerts"),
        ("[roles]\nadmin=['alice']\n", "directory.toml: roles.admin.0"),
        ("[roles]\ndefault='king'\n", "roles.default"),
        ("[datasets.o]\ntenant='acme'\n", "datasets.o.tenant: no tenant 'acme'"),
        ("[tenants.a]\nname='A'\n[datasets.o]\ntenant='a'\nowner='x'\n", "datasets.o.owner"),
        (
            "[tenants.a]\nname='A'\n[datasets.o]\ntenant='a'\nsource_owner='x'\n",
            "datasets.o.source_owner: neither a team nor a person: 'x'",
        ),
        (
            "[tenants.a]\nname='A'\n[datasets.o]\ntenant='a'\n[datasets.p]\ntenant='a'\nname='o'\n",
            "datasets.p.name: tenant 'a' has this name already, in datasets.o",
        ),
        (
            "[tenants]\na={name='A', incident_channel='C0X'}\nb={name='B', incident_channel='C0X'}\n",
            "tenants.b.incident_channel: channel C0X belongs to tenant 'a', not to 'b'",
        ),
        ("tenants = 3\n", "directory.toml: tenants: must be a table"),
        ("[tenants\n", "directory.toml: "),
        ("[entries.x]\ntenant='a'\n", "entries: there is no such key"),
    ],
)
def test_each_problem_is_named_with_its_file_and_key(tmp_path: Path, text: str, said: str):
    """A wrong directory is refused with the place of what is wrong."""
    assert said in problems(tmp_path, text)


def test_all_problems_are_named_at_once(tmp_path: Path):
    """Nobody mends a file, starts, and is told of the next mistake."""
    text = problems(
        tmp_path,
        "[teams.infra]\nname='x'\npager='pagerduty'\nnext='oops'\n[channels.C0A]\ntenant='acme'\n",
    )
    assert len(text.splitlines()) == 3


def said_of(path: Path) -> str:
    """The one problem of a directory at *path*."""
    with pytest.raises(DirectoryError) as caught:
        Directory.load(path)
    (problem,) = caught.value.problems
    return problem


def test_a_missing_file_and_an_empty_folder_are_sentences(tmp_path: Path):
    """What cannot be read is named by its whole path, with the command that makes one."""
    missing = tmp_path / "my files" / "nowhere.toml"
    assert said_of(missing) == (
        f"{missing}: there is no such file; "
        f"make one with: cp deploy/directory.example.toml '{missing}'"
    )
    assert said_of(tmp_path) == (
        f"{tmp_path}: the folder holds no .toml file; "
        f"make one with: cp deploy/directory.example.toml {tmp_path / 'directory.toml'}"
    )
    assert (Path(__file__).parents[2] / "deploy" / "directory.example.toml").is_file()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tenants.a]\nname=3\n", "tenants.a.name: must be text"),
        ("[tenants.a]\nnmae='A'\n", "tenants.a.nmae: there is no such key"),
        (
            "[tenants.a]\nname='A'\n[datasets.d]\ntenant='a'\nexpected_sync_interval_s='soon'\n",
            "datasets.d.expected_sync_interval_s: must be a number",
        ),
    ],
)
def test_a_wrong_value_is_told_plainly(tmp_path: Path, text: str, said: str):
    """Whoever wrote the file reads which key it is and what it must be, in no library's words."""
    assert said in problems(tmp_path, text)
    assert "Input" not in problems(tmp_path, text)


def test_a_path_that_cannot_be_read_is_a_sentence(tmp_path: Path):
    """A file where a folder should be is said plainly, without an error's number."""
    (tmp_path / "file").touch()
    text = said_of(tmp_path / "file" / "directory.toml")
    assert text.endswith(": cannot be read: Not a directory")
    assert "Errno" not in text


def test_a_secret_written_in_place_of_a_name_is_not_repeated(tmp_path: Path):
    """Whoever pastes a key where a variable's name belongs does not find it in the log."""
    text = problems(
        tmp_path,
        "[teams.infra]\nname='x'\npager='pagerduty'\nrouting_key_env='r0ut1ngk3y-canary'\n",
    )
    assert "teams.infra.routing_key_env" in text
    assert "canary" not in text


HOOK = (
    "[tenants.a]\nname='A'\n[tenants.b]\nname='B'\n"
    "[webhooks.one]\nformat='dbt_cloud'\ntenant='a'\nsecret_env='KEY'\n"
)


def test_a_webhook_that_signs_has_a_tenant_and_a_secret(tmp_path: Path):
    """Its name is its key, and its secret is one of those the settings need."""
    (tmp_path / "d.toml").write_text(HOOK, encoding="utf-8")
    directory = Directory.load(tmp_path / "d.toml")
    hook = directory.webhooks["one"]
    assert (hook.id, hook.format, hook.tenant, hook.secret_env) == ("one", "dbt_cloud", "a", "KEY")
    assert directory.secret_names == ("KEY",)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("tenant='c'\nsecret_env='K'", "webhooks.two.tenant: no tenant 'c'; known: a, b"),
        ("tenant='b'\nsecret_env='KEY'", "webhooks.two.secret_env: tenant 'a' signs dbt_cloud"),
        ("tenant='b'", "webhooks.two.secret_env: is missing"),
        ("tenant='b'\nsecret_env='k'", "webhooks.two.secret_env: must match the pattern"),
    ],
)
def test_what_is_wrong_with_a_webhook_is_named(tmp_path: Path, more: str, said: str):
    """A signature decides the tenant, so two tenants cannot share a secret for one format."""
    text = problems(tmp_path, f"{HOOK}[webhooks.two]\nformat='dbt_cloud'\n{more}\n")
    assert said in text


def test_one_tenant_may_use_a_secret_twice(tmp_path: Path):
    """The same secret for another format, or for the same tenant, is nobody's danger."""
    more = "[webhooks.two]\nformat='dbt_cloud'\ntenant='a'\nsecret_env='KEY'\n"
    other = "[webhooks.three]\nformat='openmetadata'\ntenant='b'\nsecret_env='KEY'\n"
    (tmp_path / "d.toml").write_text(HOOK + more + other, encoding="utf-8")
    assert set(Directory.load(tmp_path / "d.toml").webhooks) == {"one", "two", "three"}


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_a_directory_or_a_directory_error(tmp_path_factory, text: str):
    """No file content makes the loader raise anything else."""
    file = tmp_path_factory.mktemp("any") / "directory.toml"
    file.write_text(text, encoding="utf-8", errors="replace")
    said: tuple[str, ...] = ()
    directory = None
    try:
        directory = Directory.load(file)
    except DirectoryError as error:
        said = error.problems
    assert (directory is None) == bool(said)


# ── catalog ───────────────────────────────────────────────────────────────────────────────────────────────

ORDERS = Dataset(
    name="shopify_orders",
    relation='"RAW"."Shopify"."Orders"',
    connector_id="9F0C-1",
    stream="Orders",
    dbt_node="source.shop.shopify.orders",
)
CUSTOMERS = Dataset(name="crm_customers", relation="raw.crm.customers", connector_id="c-2")
LEGACY = Dataset(name="legacy_orders", relation="raw.legacy.orders", connector_id="c-3")
CONTACTS = Dataset(name="crm_contacts", relation="raw.crm.contacts", connector_id="c-2")
BARE = Dataset(name="dim_day")
CATALOG = Catalog(
    (ORDERS, CUSTOMERS, LEGACY, CONTACTS, BARE), {"shopify_orders": ("Shop orders", "o.r.d")}
)


@pytest.mark.parametrize(
    ("hints", "name"),
    [
        (("shopify_orders",), "shopify_orders"),
        (("SHOPIFY_ORDERS",), "shopify_orders"),
        (("`shopify_orders`",), "shopify_orders"),
        (('"RAW"."SHOPIFY"."ORDERS"',), "shopify_orders"),
        (("raw.shopify.orders",), "shopify_orders"),
        (("[raw].[shopify].[orders]",), "shopify_orders"),
        (("shopify.orders",), "shopify_orders"),
        (("proj.raw.shopify.orders",), "shopify_orders"),
        (("source.shop.shopify.orders",), "shopify_orders"),
        (("9f0c-1",), "shopify_orders"),
        (("9f0c-1/orders",), "shopify_orders"),
        (("9f0c-1/customers",), None),  # another stream of the same connector
        (("c-3/anything",), "legacy_orders"),  # the catalog names no stream
        (
            ("raw.shopify.orders", "shop.orders"),
            "shopify_orders",
        ),  # a dbt source's name is no schema
        (("shop orders",), "shopify_orders"),
        (("o.r.d",), "shopify_orders"),
        (("customers",), "crm_customers"),
        (("analytics.main.dim_day",), "dim_day"),
        (("model.shop.customers",), "crm_customers"),
        (("no such thing", "customers"), "crm_customers"),
        (("orders", "raw.legacy.orders"), "legacy_orders"),
        (("orders",), None),  # two relations end so
        (("raw.other.orders", "orders"), None),  # the first hint rules both out
        (("other.customers", "customers"), None),
        (("model.shop.orders",), "legacy_orders"),  # the other one is known to be a different node
        (("c-2",), None),  # a connector of two datasets
        (("stg_orders",), None),
        (("",), None),
        ((".",), None),
        (("'; drop table",), None),
        ((), None),
    ],
)
def test_hints_resolve_in_any_case_and_quoting(hints: tuple[str, ...], name: str | None):
    """Each way of writing a name finds its dataset; what is unclear finds none."""
    found = CATALOG.resolve(hints)
    assert (found.name if found else None) == name


def test_a_connector_covers_all_its_datasets():
    """A failed connection concerns every stream of it; a plain name concerns one dataset."""
    assert [d.name for d in CATALOG.all_of(("c-2",))] == ["crm_contacts", "crm_customers"]
    assert CATALOG.all_of(("customers",)) == (CUSTOMERS,)
    assert CATALOG.all_of(("nothing",)) == ()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("shopfy_orders", "shopify_orders"),
        ("SHOPIFY_ODERS", "shopify_orders"),
        ("crm_custmers", "crm_customers"),
        ("legacy", "legacy_orders"),
        ("shop order", "shopify_orders"),
    ],
)
def test_a_misspelt_name_gets_its_nearest_first(text: str, first: str):
    """Near matches are dataset names, nearest first."""
    assert CATALOG.near(text)[0] == first


@pytest.mark.parametrize(
    "text", ["raw.shopify.ordrs", "RAW.shopfy.orders", "other_db.other.shopfy_orders"]
)
def test_a_misspelt_relation_gets_the_dataset_too(text: str):
    """An alert calls a table by its relation; what looks like the relation, or like its table, is meant."""
    assert "shopify_orders" in CATALOG.near(text)


def test_among_thousands_of_names_the_nearest_is_found():
    """Only some are compared letter by letter, and the one with a letter missing is among them."""
    many = Catalog(Dataset(name=f"shop_{number % 97}_orders_{number}") for number in range(5_000))
    assert many.near("shop_12_ordrs_109") == many.near("SHOP_12_ORDRS_109")
    assert many.near("shop_12_ordrs_109")[0] == "shop_12_orders_109"


def test_near_is_bounded_and_has_no_doubles():
    """Never more than asked for, no name twice, nothing for nothing."""
    many = Catalog(Dataset(name=f"orders_{number}") for number in range(50))
    assert len(many.near("orders_")) == 3
    assert len(many.near("orders_", limit=5)) == 5
    assert many.near("") == ()
    assert many.near("zzzz") == ()
    assert many.near("orders", limit=0) == ()


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_hint_resolves_to_a_known_dataset_or_none(text: str):
    """No text breaks the catalog, and what it answers is one of its own."""
    assert CATALOG.resolve((text,)) in (None, *CATALOG.datasets)
    assert set(CATALOG.near(text)) <= {d.name for d in CATALOG.datasets}


@settings(deadline=None)
@given(
    st.lists(st.from_regex(r"[A-Za-z0-9_ .]{1,8}", fullmatch=True).filter(str.strip), min_size=1)
)
def test_quoting_and_case_do_not_change_the_parts(parts: list[str]):
    """A quoted upper-case name has the same parts as the plain words it is made of."""
    quoted = ".".join(f'"{part.upper()}"' for part in parts)
    assert parts_of(quoted[:500]) == parts_of(quoted[:500].lower())
    if len(quoted) <= 500:
        assert parts_of(quoted) == tuple(part.strip().casefold() for part in parts)
