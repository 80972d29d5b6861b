# ruff: noqa: E501, RUF001 - the tools write lines as long as these, and Turkish has letters of its own
"""What other places call things: domains with their columns and values, and the words of the tools that fail there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """One line of business: its tables, the columns of the main one and the dimensions people watch."""

    tenant: str
    source_kind: str
    table: str
    siblings: tuple[str, ...]
    id_column: str
    columns: tuple[tuple[str, str], ...]
    dimensions: tuple[tuple[str, tuple[str, ...]], ...]
    fresh: tuple[str, ...]
    zone: str


DOMAINS: Final = (
    Domain(
        tenant="sparkasse-nord", source_kind="postgres", table="ueberweisungen",
        siblings=("konten", "kunden", "mandate"), id_column="buchungs_id",
        columns=(("betrag", "num"), ("waehrung", "text"), ("valuta", "date"), ("kanal", "text"),
                 ("verwendungszweck", "text"), ("gegenkonto", "text"), ("ist_echtzeit", "bool")),
        dimensions=(("kanal", ("online", "filiale", "app", "beleglos", "telefon")),
                    ("waehrung", ("EUR", "CHF", "USD", "DKK", "GBP", "PLN", "SEK")),
                    ("buchungsart", ("SEPA-Überweisung", "Dauerauftrag", "Lastschrift", "Echtzeit"))),
        fresh=("Wero", "QR-Rechnung", "Sofort-Überweisung", "Krypto", "Überseeisch"),
        zone="Europe/Berlin",
    ),
    Domain(
        tenant="aqualectra", source_kind="mqtt", table="sensor_readings",
        siblings=("devices", "gateways", "firmware"), id_column="reading_id",
        columns=(("device_id", "text"), ("metric_value", "num"), ("unit", "text"), ("rssi", "int"),
                 ("battery_pct", "num"), ("measured_at", "time"), ("site", "text")),
        dimensions=(("metric", ("temperature", "humidity", "flow_l_min", "pressure", "ph", "co2")),
                    ("firmware", ("1.8.2", "1.9.0", "2.0.1", "2.1.0-rc3")),
                    ("site", ("P-01", "P-02", "P-03", "P-07", "P-11", "P-12", "P-19", "P-23"))),
        fresh=("3.0.0", "turbidity", "P-31", "conductivity", "P-40"),
        zone="America/Curacao",
    ),
    Domain(
        tenant="chu-rennes", source_kind="mssql", table="sejours_hospitaliers",
        siblings=("patients", "actes", "lits"), id_column="sejour_id",
        columns=(("patient_ref", "text"), ("service", "text"), ("date_entree", "time"),
                 ("date_sortie", "time"), ("mode_entree", "text"), ("ghm", "text"), ("cout", "num")),
        dimensions=(("service", ("Urgences", "Pédiatrie", "Cardiologie", "Chirurgie", "Maternité",
                                 "Réanimation", "Gériatrie")),
                    ("mode_entree", ("domicile", "mutation", "transfert", "régulation SAMU"))),
        fresh=("Hôpital de jour", "Télé-consultation", "Oncologie", "hospitalisation à domicile"),
        zone="Europe/Paris",
    ),
    Domain(
        tenant="kumo-games", source_kind="s3", table="match_events",
        siblings=("players", "purchases", "sessions"), id_column="event_uuid",
        columns=(("player_uuid", "text"), ("event_name", "text"), ("platform", "text"),
                 ("build", "text"), ("score", "int"), ("occurred_at", "time"), ("payload", "json")),
        dimensions=(("platform", ("ios", "android", "steam", "switch", "ps5")),
                    ("event_name", ("match_start", "match_end", "level_up", "item_bought", "quit",
                                    "チュートリアル完了")),
                    ("region", ("ap-northeast-1", "us-east-1", "eu-central-1", "sa-east-1"))),
        fresh=("xbox", "ガチャ", "battle_pass", "epic", "ap-south-1"),
        zone="Asia/Tokyo",
    ),
    Domain(
        tenant="transporte-veloz", source_kind="oracle", table="TB_REMESSAS",
        siblings=("TB_CLIENTES", "TB_ROTAS", "TB_VEICULOS"), id_column="ID_REMESSA",
        columns=(("PESO_KG", "num"), ("STATUS_ENTREGA", "text"), ("UF_DESTINO", "text"),
                 ("DT_COLETA", "time"), ("FRETE", "num"), ("MODAL", "text"), ("CEP", "text")),
        dimensions=(("STATUS_ENTREGA", ("entregue", "em trânsito", "coletado", "devolvido",
                                        "extraviado")),
                    ("UF_DESTINO", ("SP", "RJ", "MG", "RS", "PR", "BA", "PE", "CE", "SC", "GO", "AM")),
                    ("MODAL", ("rodoviário", "aéreo", "cabotagem"))),
        fresh=("ferroviário", "aguardando retirada", "drone", "dutoviário"),
        zone="America/Sao_Paulo",
    ),
    Domain(
        tenant="biblioteka-wro", source_kind="mysql", table="wypozyczenia",
        siblings=("czytelnicy", "egzemplarze", "filie"), id_column="wypozyczenie_id",
        columns=(("czytelnik_id", "int"), ("egzemplarz_id", "int"), ("filia", "text"),
                 ("data_wypozyczenia", "time"), ("termin_zwrotu", "date"), ("kara", "num")),
        dimensions=(("filia", ("Śródmieście", "Krzyki", "Fabryczna", "Psie Pole", "Biskupin")),
                    ("rodzaj", ("książka", "audiobook", "film", "gra", "czasopismo"))),
        fresh=("e-book", "Książkomat", "winyl", "Ołtaszyn"),
        zone="Europe/Warsaw",
    ),
    Domain(
        tenant="kiwi-energy", source_kind="sftp", table="meter_intervals",
        siblings=("premises", "tariffs", "outages"), id_column="interval_id",
        columns=(("icp", "text"), ("kwh", "num"), ("read_type", "text"), ("tariff_code", "text"),
                 ("interval_start", "time"), ("network", "text"), ("quality", "text")),
        dimensions=(("read_type", ("actual", "estimated", "substituted")),
                    ("network", ("VECT", "ORON", "POCO", "WELE", "UNET", "MPOW")),
                    ("tariff_code", ("LU-24", "SU-24", "TOU-3", "EV-N", "CTRL-16", "UNM"))),
        fresh=("TOU-5", "customer", "SOLAR-X", "NELS", "forecast"),
        zone="Pacific/Auckland",
    ),
    Domain(
        tenant="otobilet", source_kind="mongodb", table="bilet_satislari",
        siblings=("seferler", "yolcular", "iadeler"), id_column="satis_no",
        columns=(("sefer_no", "text"), ("tutar", "num"), ("odeme_tipi", "text"), ("acente", "text"),
                 ("satis_zamani", "time"), ("koltuk", "int"), ("kalkis", "text")),
        dimensions=(("odeme_tipi", ("kredi kartı", "havale", "nakit", "cüzdan")),
                    ("kalkis", ("İstanbul", "Ankara", "İzmir", "Bursa", "Antalya", "Adana", "Muğla")),
                    ("acente", ("web", "mobil", "gişe", "çağrı merkezi", "OBilet"))),
        fresh=("taksitli ödeme", "kiosk", "Şanlıurfa", "WhatsApp", "ön ödemeli"),
        zone="Europe/Istanbul",
    ),
    Domain(
        tenant="uni-admissions", source_kind="salesforce", table="Application__c",
        siblings=("Contact", "Program__c", "Interview__c"), id_column="Id",
        columns=(("Status__c", "text"), ("Program_Code__c", "text"), ("CreatedDate", "time"),
                 ("Score__c", "num"), ("Channel__c", "text"), ("IsDeleted", "bool")),
        dimensions=(("Channel__c", ("Portal", "Agent", "UCAS", "Referral", "Fair")),
                    ("Program_Code__c", ("BSC-CS", "BA-HIS", "MSC-DS", "MBA", "LLB", "BENG-ME"))),
        fresh=("CommonApp", "MSC-AI", "Partner", "PGDip", "TikTok"),
        zone="Europe/London",
    ),
    Domain(
        tenant="crewdesk", source_kind="zendesk", table="tickets",
        siblings=("users", "satisfaction_ratings", "organizations"), id_column="ticket_id",
        columns=(("subject", "text"), ("priority", "text"), ("via_channel", "text"),
                 ("created_at", "time"), ("group_id", "int"), ("csat", "num"), ("locale", "text")),
        dimensions=(("via_channel", ("email", "chat", "web_form", "api", "voice")),
                    ("priority", ("low", "normal", "high", "urgent", "(null)")),
                    ("locale", ("en-US", "de", "fr-CA", "ja", "pt-BR", "nl"))),
        fresh=("sms", "instagram_dm", "ko", "blocker", "es-419"),
        zone="America/Denver",
    ),
)  # fmt: skip

TYPES: Final = {
    "snowflake": {"id": "NUMBER(38,0)", "int": "NUMBER(38,0)", "num": "NUMBER(18,2)", "text": "VARCHAR(16777216)",
                  "time": "TIMESTAMP_NTZ(9)", "date": "DATE", "bool": "BOOLEAN", "json": "VARIANT"},
    "bigquery": {"id": "INT64", "int": "INT64", "num": "NUMERIC", "text": "STRING", "time": "TIMESTAMP",
                 "date": "DATE", "bool": "BOOL", "json": "JSON"},
    "redshift": {"id": "bigint", "int": "integer", "num": "numeric(18,2)", "text": "character varying(65535)",
                 "time": "timestamp without time zone", "date": "date", "bool": "boolean", "json": "super"},
    "postgres": {"id": "uuid", "int": "int4", "num": "numeric", "text": "text", "time": "timestamptz",
                 "date": "date", "bool": "bool", "json": "jsonb"},
    "databricks": {"id": "string", "int": "int", "num": "decimal(18,2)", "text": "string", "time": "timestamp",
                   "date": "date", "bool": "boolean", "json": "map<string,string>"},
}  # fmt: skip

SYNC_ERRORS: Final[dict[str | None, tuple[str | None, ...]]] = {
    "auth_error": (
        "HTTP Status Code: 401. Error: Unauthorized.",
        "Invalid login: the refresh token for this connection has been revoked by the user.",
        "tap_zendesk: 403 Client Error: Forbidden for url: https://support.example/api/v2/incremental",
        "ORA-01017: invalid username/password; logon denied",
        "FATAL: Passwort-Authentifizierung für Benutzer »stitch_ro« fehlgeschlagen",
        "AccessDenied: User is not authorized to perform: s3:ListBucket",
        "認証に失敗しました。アクセストークンの有効期限が切れています。",
    ),
    "rate_limit": (
        "HTTP 429 Too Many Requests; Retry-After: 3600",
        "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.",
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute'",
        "Limite d'appels atteinte, veuillez réessayer plus tard (429)",
    ),
    "source_timeout": (
        "Read timed out. (read timeout=300) while fetching page 118",
        "canceling statement due to conflict with recovery",
        "No data received from source for 90 minutes, heartbeat exceeded",
        "java.net.SocketTimeoutException: connect timed out (10.4.2.19:1521)",
    ),
    "destination_timeout": (
        "Destination did not accept the batch within 24000 s",
        "SnowflakeSQLException: Statement reached its statement or warehouse timeout of 3,600 second(s)",
        "BigQuery load job job_9fA2 did not finish before deadline",
    ),
    "schema_change": (
        "Source schema has breaking changes, sync was stopped until they are reviewed",
        "Discovered schema does not match the catalog: primary key changed",
    ),
    "partial_streams": (
        "Some streams were unsuccessful due to a source error. See logs for details.",
        "1 of 4 streams finished INCOMPLETE",
    ),
    "platform": (
        "Worker pod was evicted: node had disk pressure",
        "Orchestrator lost contact with the replication process (exit code 137)",
        "meltano: Run invocation could not be completed as block failed: Cannot start plugin",
    ),
    "other": (
        "Unexpected error while reading record 188231: KeyError('items')",
        "ObjectNotFound: das Objekt 'V_EXPORT' existiert nicht",
        "line 1 column 1 (char 0): Expecting value",
    ),
    None: (None, "", "Something went wrong in the connector. See the logs for more details.", "exit status 1"),
}  # fmt: skip

PARTIAL_MESSAGES: Final = (
    "Some streams were unsuccessful due to a source error. See logs for details.",
    "Sync completed with warnings: 3 of 12 pages could not be read",
    "Nur ein Teil der Partitionen wurde übertragen (Verbindung getrennt)",
    "tap stopped after 2 of 9 shards: cursor expired",
)

MISSING_COLUMN: Final = {
    "snowflake": "Database Error in model {model} (models/{model}.sql)\n  000904 (42000): SQL compilation error: error line 7 at position 4\n  invalid identifier '{upper}'",
    "bigquery": "Database Error in model {model} (models/{model}.sql)\n  Unrecognized name: {column} at [12:5]",
    "redshift": 'Database Error in model {model} (models/{model}.sql)\n  column "{column}" does not exist in {table}',
    "postgres": 'Database Error in model {model} (models/{model}.sql)\n  column "{column}" does not exist\n  LINE 9:     {column},',
    "databricks": "Runtime Error in model {model} (models/{model}.sql)\n  [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name `{column}` cannot be resolved.",
}  # fmt: skip

WRONG_TYPE: Final = {
    "snowflake": "Database Error in model {model} (models/{model}.sql)\n  100038 (22018): Numeric value 'n/a' is not recognized",
    "bigquery": "Database Error in model {model} (models/{model}.sql)\n  No matching signature for operator * for argument types: STRING, NUMERIC",
    "redshift": "Database Error in model {model} (models/{model}.sql)\n  operator does not exist: character varying * numeric",
    "postgres": 'Database Error in model {model} (models/{model}.sql)\n  function sum(text) does not exist (column "{column}")',
    "databricks": "Runtime Error in model {model} (models/{model}.sql)\n  [DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES] Cannot resolve due to data type mismatch: STRING and DECIMAL",
}  # fmt: skip

MODEL_ERRORS: Final = (
    "Compilation Error in model {model} (models/{model}.sql)\n  'get_currency_rate' is undefined",
    'Database Error in model {model} (models/{model}.sql)\n  syntax error at or near "fro"',
    'Database Error in model {model} (models/{model}.sql)\n  Syntax error: Expected ")" but got keyword GROUP at [31:1]',
    "Database Error in model {model} (models/{model}.sql)\n  001003 (42000): SQL compilation error: syntax error line 22 at position 0 unexpected 'WHERE'.",
    "Runtime Error in model {model} (models/{model}.sql)\n  [DIVIDE_BY_ZERO] Division by zero. Use try_divide to tolerate divisor being 0.",
    "Database Error in model {model} (models/{model}.sql)\n  UPDATE/MERGE must match at most one source row for each target row",
    "Database Error in model {model} (models/{model}.sql)\n  Resources exceeded during query execution: not enough memory for sort",
    "Database Error in model {model} (models/{model}.sql)\n  division by zero",
)  # fmt: skip

CHECKS: Final = (
    ("soda", "row_count > 0 [{dataset}]", None),
    ("soda", "missing_percent({column}) < 1%", "column"),
    ("great_expectations", "expect_column_values_to_not_be_null", "column"),
    ("great_expectations", "expect_table_row_count_to_be_between", None),
    ("elementary", "elementary_volume_anomalies_{dataset}", None),
    ("elementary", "elementary_dimension_anomalies_{dataset}", None),
    ("montecarlo", "Volume monitor · {dataset}", None),
    ("montecarlo", "Field health: {column}", "column"),
    ("datadog", "[{dataset}] row count below forecast", None),
    ("openmetadata", "columnValuesToBeInSet:{column}", "column"),
)

PEOPLE: Final = ("jörg", "aiko", "camila", "mbali", "siobhán", "wei", "łukasz", "priya")
