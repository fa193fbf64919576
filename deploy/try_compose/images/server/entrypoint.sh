#!/bin/sh
# 1.29 carries no configuration of its own: this one reads the variables that the image of 1.31 reads.
set -eu
address=$(getent hosts "$(hostname)" | awk '{print $1; exit}')
mkdir -p /tmp/config
role() {
    printf '  %s: {rpc: {grpcPort: %s, membershipPort: %s, bindOnIP: "%s"}}\n' "$1" "$2" "$3" "$BIND_ON_IP"
}
store() {
    printf '    %s: {sql: {pluginName: "%s", databaseName: "%s", connectAddr: "%s:%s", connectProtocol: tcp, user: "%s", password: "%s", maxConns: 20, maxIdleConns: 20, maxConnLifetime: 1h}}\n' \
        "$1" "$DB" "$2" "$POSTGRES_SEEDS" "$DB_PORT" "$POSTGRES_USER" "$POSTGRES_PWD"
}
{
    echo 'log: {stdout: true, level: warn}'
    echo 'persistence:'
    echo '  defaultStore: state'
    echo '  visibilityStore: visibility'
    echo "  numHistoryShards: ${NUM_HISTORY_SHARDS:-4}"
    echo '  datastores:'
    store state temporal
    store visibility temporal_visibility
    echo "global: {membership: {maxJoinDuration: 30s, broadcastAddress: \"$address\"}}"
    echo 'services:'
    role frontend 7233 6933
    role history 7234 6934
    role matching 7235 6935
    role worker 7239 6939
    echo 'clusterMetadata: {enableGlobalNamespace: false, failoverVersionIncrement: 10, masterClusterName: active, currentClusterName: active, clusterInformation: {active: {enabled: true, initialFailoverVersion: 1, rpcName: frontend, rpcAddress: "127.0.0.1:7233"}}}'
    echo 'dcRedirectionPolicy: {policy: noop}'
    echo "dynamicConfigClient: {filepath: /etc/temporal/$DYNAMIC_CONFIG_FILE_PATH, pollInterval: 60s}"
} >/tmp/config/production.yaml
exec temporal-server --root /tmp --config config --env production --allow-no-auth start
