"""What one production server is told: its database, its ports, and where it finds the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.production.server_tables import PLUGIN, STATE, VISIBILITY, PostgresPlace
from workers.embedded.child_process import free_port

ROLES = ("frontend", "history", "matching", "worker")
DYNAMIC: Mapping[str, Any] = {
    # A search attribute is usable at once after it was registered.
    "system.forceSearchAttributesCacheRefreshOnRead": True,
}


@dataclass(frozen=True)
class RolePorts:
    """Where one role of a server listens: for calls, and for news of the other servers."""

    grpc: int
    membership: int


def free_ports() -> dict[str, RolePorts]:
    """Ports for all roles of one server."""
    return {role: RolePorts(free_port(), free_port()) for role in ROLES}


def write_config(
    folder: Path,
    database_url: str,
    ports: Mapping[str, RolePorts],
    *,
    shards: int,
    dynamic: Mapping[str, Any] | None = None,
) -> None:
    """Write `production.yaml` and `dynamic.yaml` into the server's folder."""
    values = {name: [{"value": value}] for name, value in {**DYNAMIC, **(dynamic or {})}.items()}
    (folder / "dynamic.yaml").write_text(yaml.safe_dump(values))
    place = PostgresPlace.of(database_url)
    config = {
        "log": {"stdout": True, "level": "warn"},
        "persistence": {
            "defaultStore": "state",
            "visibilityStore": "visibility",
            "numHistoryShards": shards,
            "datastores": {
                "state": {"sql": _store(place, STATE, 20)},
                "visibility": {"sql": _store(place, VISIBILITY, 10)},
            },
        },
        # Each server writes its address into cluster_membership, and finds the others there.
        "global": {"membership": {"maxJoinDuration": "30s", "broadcastAddress": "127.0.0.1"}},
        "services": {
            role: {
                "rpc": {
                    "grpcPort": each.grpc,
                    "membershipPort": each.membership,
                    "bindOnLocalHost": True,
                }
            }
            for role, each in ports.items()
        },
        "clusterMetadata": {
            "enableGlobalNamespace": False,
            "failoverVersionIncrement": 10,
            "masterClusterName": "active",
            "currentClusterName": "active",
            "clusterInformation": {
                "active": {
                    "enabled": True,
                    "initialFailoverVersion": 1,
                    "rpcName": "frontend",
                    "rpcAddress": f"127.0.0.1:{ports['frontend'].grpc}",
                }
            },
        },
        "dcRedirectionPolicy": {"policy": "noop"},
        "dynamicConfigClient": {"filepath": str(folder / "dynamic.yaml"), "pollInterval": "10s"},
    }
    (folder / "production.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def _store(place: PostgresPlace, database: str, connections: int) -> dict[str, Any]:
    return {
        "pluginName": PLUGIN,
        "databaseName": database,
        "connectAddr": f"{place.tcp_host}:{place.port}",
        "connectProtocol": "tcp",
        "user": place.user,
        "password": place.password,
        "maxConns": connections,
        "maxIdleConns": connections,
        "maxConnLifetime": "1h",
        "connectAttributes": {"host": place.socket} if place.socket else {},
    }
