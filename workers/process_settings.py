"""What every process may be told, and secrets from files."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast, get_args

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from workers.encrypted_ways import is_this_machine, web_host_in_the_clear

IN_THE_CLEAR = "where its network is private, let CLEW_UNENCRYPTED name"
"""How one allows it, in the words of what refuses it."""

_COLLECTORS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    *(f"OTEL_EXPORTER_OTLP_{kind}_ENDPOINT" for kind in ("LOGS", "TRACES", "METRICS")),
)

Port = Annotated[int, Field(ge=0, le=65_535)]


class ProcessSettings(BaseSettings):
    """What every process may be told.

    Each secret may stand in a file instead, named by the setting with _FILE behind it.
    """

    model_config = SettingsConfigDict(
        env_prefix="CLEW_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """From which level on log lines are written."""
    metrics_port: Port | None = None
    """Port on which Prometheus finds this process's metrics under /metrics; none where unset."""
    metrics_host: str = "127.0.0.1"
    """Address that the ports for metrics listen on; 0.0.0.0 in a container, with "metrics" in CLEW_UNENCRYPTED."""
    unencrypted: list[str] = []
    """Hosts beyond this machine that are reached without TLS, since their network is private: JSON
    ["postgres", "temporal"]; "metrics" stands for who reads ours."""
    ready_file: Path | None = None
    """File that the process touches each second once it works; one that is old means stuck."""
    drain_seconds: Annotated[float, Field(gt=0, le=600)] = 20.0
    """How long work under way may take to end after SIGTERM."""

    @model_validator(mode="after")
    def _overheard_by_nobody(self) -> Self:
        host = self.metrics_host
        told = self.metrics_port is None or "metrics" in self.unencrypted
        if not told and not is_this_machine(host):
            raise ValueError(
                f'CLEW_METRICS_HOST: {host} is read in the clear: {IN_THE_CLEAR} "metrics"'
            )
        for collector in _COLLECTORS:
            for each in web_host_in_the_clear(os.environ.get(collector, ""), self.unencrypted):
                raise ValueError(f'{collector}: write https://, or {IN_THE_CLEAR} "{each}"')
        return self

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        read = dict(cast("dict[str, Any]", given))
        for name, field in cls.model_fields.items():
            secret = field.annotation is SecretStr or SecretStr in get_args(field.annotation)
            variable = f"CLEW_{name.upper()}_FILE"
            path = os.environ.get(variable)
            if not secret or not path or name in read:
                continue
            try:
                read[name] = Path(path).read_text().strip()
            except OSError as error:
                raise ValueError(f"{variable}: {error.strerror}: {path}") from None
        return read
