"""How Temporal is reached: in the clear, by TLS, with a certificate of our own or a key; by the SDK's own variables.

`TEMPORAL_TLS`, `TEMPORAL_TLS_SERVER_CA_CERT_PATH`, `TEMPORAL_TLS_SERVER_NAME`, `TEMPORAL_TLS_CLIENT_CERT_PATH`,
`TEMPORAL_TLS_CLIENT_KEY_PATH`, `TEMPORAL_API_KEY` (https://docs.temporal.io/develop/environment-configuration).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from temporalio.envconfig import ClientConfigProfile
from temporalio.service import TLSConfig


@dataclass(slots=True, frozen=True, kw_only=True)
class TemporalDoor:
    """What a client says at Temporal's door. `tls` False: nothing is encrypted."""

    tls: TLSConfig | bool = False
    api_key: str | None = None


def temporal_door(environment: Mapping[str, str] = os.environ) -> TemporalDoor:
    """As the environment says it. Raises: `OSError` where a file that it names cannot be read."""
    told = {
        name: value
        for name, value in environment.items()
        if value and (name == "TEMPORAL_API_KEY" or name.startswith("TEMPORAL_TLS"))
    }
    found = ClientConfigProfile.load(disable_file=True, override_env_vars=told)
    config = found.to_client_connect_config()
    return TemporalDoor(tls=config.get("tls") or False, api_key=config.get("api_key"))
