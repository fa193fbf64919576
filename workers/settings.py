"""What each process is told from outside: one frozen class per process, every field documented.

Names in the environment are the fields in capitals with `CLEW_` before them, and Temporal's own
`TEMPORAL_ADDRESS` and `TEMPORAL_NAMESPACE`. Logs, traces and metrics go out by the standard `OTEL_*`
variables, and only where `OTEL_EXPORTER_OTLP_ENDPOINT` is set.
"""

import base64
import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsError as UnreadableSettingError

from contracts.clock import RunClock
from workers.channel_settings import ChannelSettings, VapidSettings
from workers.encrypted_ways import (
    database_hosts_in_the_clear,
    in_the_clear,
    is_this_machine,
    web_host_in_the_clear,
)
from workers.feedback_settings import FeedbackSettings
from workers.http_settings import HttpSettings
from workers.inbound_settings import InboundDoorSettings, MailDoorSettings, ReplySettings
from workers.inbox_settings import InboxSettings
from workers.mail_settings import MailSettings
from workers.page_settings import PageSettings
from workers.process_settings import IN_THE_CLEAR, Port, ProcessSettings
from workers.signing_settings import HistorySettings
from workers.slack_settings import SlackDeskSettings, SlackSettings
from workers.temporal_tls import temporal_door
from workers.ticket_settings import TicketDeskSettings


class SettingsError(Exception):
    """Settings that are missing or wrong; the message names each, and what to set."""


class DatabaseSettings(ProcessSettings):
    """Where PostgreSQL is."""

    database_url: str = Field(repr=False)
    """PostgreSQL, as libpq takes it: postgresql://clew@host:5432/clew (the password in PGPASSWORD)."""
    database_connections: Annotated[int, Field(ge=2, le=200)] = 10
    """How many connections this process holds at most."""
    behind_pgbouncer: bool = False
    """Whether the URL leads to PgBouncer with transaction pooling: nothing is prepared then."""

    @model_validator(mode="after")
    def _database_encrypted(self) -> Self:
        for each in database_hosts_in_the_clear(self.database_url, self.unencrypted):
            raise ValueError(
                f"CLEW_DATABASE_URL: with sslmode=verify-full (and sslrootcert) {each} shows who it is;"
                f' {IN_THE_CLEAR} "{each}"'
            )
        return self


class TemporalSettings(DatabaseSettings, HistorySettings):
    """Where the Temporal server is."""

    temporal_address: str = Field(validation_alias="TEMPORAL_ADDRESS")
    """The Temporal server's gRPC address: host:7233."""
    temporal_namespace: str = Field(default="default", validation_alias="TEMPORAL_NAMESPACE")
    """The namespace that runs live in."""
    temporal_metrics_port: Port | None = None
    """Port on which Prometheus finds the Temporal SDK's own metrics; none where unset."""

    @model_validator(mode="after")
    def _temporal_encrypted(self) -> Self:
        try:
            encrypted = bool(temporal_door().tls)
        except OSError as error:
            raise ValueError(f"TEMPORAL_TLS_…: {error.strerror}: {error.filename}") from None
        host = self.temporal_address.rpartition(":")[0]
        for each in [] if encrypted else in_the_clear([host], self.unencrypted):
            raise ValueError(
                f'TEMPORAL_ADDRESS: with TEMPORAL_TLS=true {each} shows who it is; {IN_THE_CLEAR} "{each}"'
            )
        metered = self.temporal_metrics_port is not None and not is_this_machine(self.metrics_host)
        if metered and "metrics" not in self.unencrypted:
            raise ValueError(f'CLEW_METRICS_HOST: is read in the clear: {IN_THE_CLEAR} "metrics"')
        return self


class JourneySettings(TemporalSettings):
    """`python -m workers journey`: carries runs."""

    cached_runs: Annotated[int, Field(ge=0)] = 300
    """How many runs are kept in memory between their touchpoints (about 80 kB each).

    As many as are under way within the same seconds: one that is not kept is read again from its history, some
    milliseconds later. Those that wait for days are not worth their memory.
    """
    runs_at_once: Annotated[int, Field(ge=1)] = 8
    """How many runs decide at the same time; Python uses one core per process."""


class RouterSettings(TemporalSettings):
    """`python -m workers router`: takes touchpoints to runs."""

    run_clock: RunClock | None = None
    """Clock of the runs that this router starts, for rehearsals: JSON {"wall_epoch", "run_epoch", "factor"}."""
    units_at_once: Annotated[int, Field(ge=1, le=200)] = 8
    """How many customers are worked on at the same time."""


class DeliverySettings(
    TemporalSettings,
    ReplySettings,
    MailSettings,
    ChannelSettings,
    SlackDeskSettings,
    TicketDeskSettings,
):
    """`python -m workers delivery`: sends messages."""

    calls_secret: SecretStr | None = None
    """Signs calls to services outside: whsec_ and base64, as Standard Webhooks writes it; made from
    CLEW_SECRET where unset (`clew calls-secret` prints it)."""
    calls_allowed: list[str] = []
    """Hosts that calls may reach at private addresses: JSON ["stock.internal"]."""
    deliveries_at_once: Annotated[int, Field(ge=1, le=1_000)] = 20
    """How many messages of each purpose are under way at the same time."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        self.calls_key()
        return self

    def calls_key(self) -> bytes:
        """What calls to services outside are signed with."""
        told = self.calls_secret
        return calls_key(self.secret.get_secret_value(), told.get_secret_value() if told else None)


StaffToken = Annotated[SecretStr | None, Field(min_length=16)]
"""Nothing locks out who guesses: it must be too long for that. `openssl rand -hex 32` makes one."""


class ApiSettings(
    HttpSettings,
    DatabaseSettings,
    InboundDoorSettings,
    FeedbackSettings,
    VapidSettings,
    PageSettings,
    InboxSettings,
    SlackSettings,
):
    """`python -m workers api`: ingest, staff, customers' own pages, the console."""

    run_clock: RunClock | None = None
    """The clock of the runs that are shown, as the router's."""
    temporal_namespace: str = Field(default="default", validation_alias="TEMPORAL_NAMESPACE")
    """The namespace in which those pages look."""

    api_host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 in a container."""
    api_port: Port = 8000
    """Port to listen on."""
    staff_token: StaffToken = None
    """Opens the staff's part of the API to programs that send it as bearer; off where unset."""
    requests_at_once: Annotated[int, Field(ge=1)] = 64
    """How many requests ingest carries at once; more are asked to come again."""
    key_messages_per_second: Annotated[float, Field(ge=0)] = 10_000
    """How many messages each write key may send on average, by this process; 0: as many as it likes."""

    @model_validator(mode="after")
    def _reached_encrypted(self) -> Self:
        self.encrypted_beyond_this_machine(self.api_host, "CLEW_API_HOST")
        return self


class MailboxSettings(HttpSettings):
    """`python -m workers mailbox`: catches mail instead of sending it, and shows it."""

    mailbox_host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 in a container."""
    mailbox_smtp_port: Port = 1025
    """Port for mail."""
    mailbox_http_port: Port = 8025
    """Port for the browser."""
    mailbox_folder: Path = Path(tempfile.gettempdir()) / "clew-mailbox"
    """Where mails are kept."""

    @model_validator(mode="after")
    def _reached_encrypted(self) -> Self:
        self.encrypted_beyond_this_machine(self.mailbox_host, "CLEW_MAILBOX_HOST")
        return self


class CodecSettings(HttpSettings, DatabaseSettings, HistorySettings):
    """`python -m workers codec`: opens history for the Temporal Web UI."""

    codec_host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 in a container."""
    codec_port: Port = 8081
    """Port to listen on."""
    codec_url: str = "http://127.0.0.1:8081"
    """Where this is in the browser."""
    public_url: str = "http://127.0.0.1:8000"
    """Where the API is in the browser: staff sign in at its inbox, and come here from there."""
    codec_web_ui: str | None = None
    """Where Temporal's Web UI is, seen from here, such as http://temporal-ui:8080: it is shown to staff who
    signed in, with a button to sign out on each page. Whoever reaches it otherwise finds no login there."""
    codec_origin: str = "http://127.0.0.1:8233"
    """Where, with CLEW_CODEC_OPEN, a Web UI is in the browser whose every user may read."""
    codec_open: bool = False
    """Whether whoever opens that Web UI may read histories: for a machine of one's own."""
    staff_token: StaffToken = None
    """Programs that have it may read histories, as those with a named staff token."""

    @model_validator(mode="after")
    def _open_at_home_only(self) -> Self:
        if self.codec_open and self.codec_host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError(
                "CLEW_CODEC_OPEN: only where CLEW_CODEC_HOST is 127.0.0.1; elsewhere staff sign in"
            )
        for each in web_host_in_the_clear(self.codec_web_ui or "", self.unencrypted):
            raise ValueError(f'CLEW_CODEC_WEB_UI: write https://, or {IN_THE_CLEAR} "{each}"')
        self.encrypted_beyond_this_machine(self.codec_host, "CLEW_CODEC_HOST")
        return self


class InboundSettings(DatabaseSettings, MailDoorSettings):
    """`python -m workers inbound`: takes the mail that customers answer with."""


Settings = TypeVar("Settings", bound=ProcessSettings)


def read_settings(kind: type[Settings], given: Mapping[str, Any] | None = None) -> Settings:
    """The settings of a process: those given, by name, and the others from its environment.

    Raises: `SettingsError` naming all that are missing or wrong.
    """
    try:
        return kind(**given or {})
    except ValidationError as error:
        lines = [_in_words(kind, told) for told in error.errors()]
        raise SettingsError("\n".join(dict.fromkeys(lines))) from None
    except UnreadableSettingError as error:
        raise SettingsError(f"{error}: expected JSON") from None


def calls_key(secret: str, told: str | None = None) -> bytes:
    """The key that signs calls: as told, or made from the installation's secret. Raises: `ValueError`."""
    if told is None:
        return hashlib.sha256(b"calls" + secret.encode()).digest()
    try:
        return base64.b64decode(told.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ValueError("CLEW_CALLS_SECRET: write whsec_ and base64") from None


def _in_words(kind: type[ProcessSettings], told: Any) -> str:
    place: tuple[int | str, ...] = told["loc"]
    if not place:
        return str(told["msg"]).removeprefix("Value error, ")
    name, field = _setting(kind, str(place[0]))
    description = " ".join(((field.description if field else None) or "").split())
    if told["type"] == "missing":
        return f"{name} is not set. {description}"
    return f"{name}: {str(told['msg']).removeprefix('Value error, ')}. {description}"


def _setting(kind: type[ProcessSettings], place: str) -> tuple[str, FieldInfo | None]:
    """The name in the environment, and the field, of where pydantic found something."""
    for name, field in kind.model_fields.items():
        if place.lower() in (name, str(field.validation_alias).lower()):
            alias = field.validation_alias
            return (alias if isinstance(alias, str) else f"CLEW_{name.upper()}"), field
    return place, None
