"""docker-compose.yml tried for real on one machine: see `python -m deploy.try_compose`."""
