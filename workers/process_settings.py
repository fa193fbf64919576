"""What every process may be told, and secrets from files."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

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
    """Address that the ports for metrics listen on; 0.0.0.0 in a container."""
    ready_file: Path | None = None
    """File that the process touches each second once it works; one that is old means stuck."""
    drain_seconds: Annotated[float, Field(gt=0, le=600)] = 20.0
    """How long work under way may take to end after SIGTERM."""

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
