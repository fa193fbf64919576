"""Whether something listens on a port of this container: `python -m deploy.listens PORT`."""

import socket
import sys

with socket.socket() as probe:
    probe.settimeout(3)
    sys.exit(0 if probe.connect_ex(("127.0.0.1", int(sys.argv[1]))) == 0 else 1)
