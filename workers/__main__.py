"""`python -m workers journey|delivery|router|api|inbound|codec|mailbox`: one process of an installation."""

import sys

PROCESSES = ("journey", "delivery", "router", "api", "inbound", "codec", "mailbox")


def main(arguments: list[str]) -> int:
    """Run the process of this name; its exit code: 0 ended, 1 failed, 2 wrong use or settings."""
    if len(arguments) != 1 or arguments[0] not in PROCESSES:
        print(f"usage: python -m workers {'|'.join(PROCESSES)}", file=sys.stderr)  # noqa: T201 -- no log yet
        return 2
    # Each process loads only what it needs: memory and time to start.
    from workers.process import run_process

    match arguments[0]:
        case "journey":
            from workers import journey_worker, settings

            return run_process("journey", settings.JourneySettings, journey_worker.serve)
        case "delivery":
            from workers import delivery_worker, settings

            return run_process("delivery", settings.DeliverySettings, delivery_worker.serve)
        case "router":
            from workers import router, settings

            return run_process("router", settings.RouterSettings, router.serve)
        case "api":
            from workers import api, settings

            return run_process("api", settings.ApiSettings, api.serve)
        case "inbound":
            from workers import inbound, settings

            return run_process("inbound", settings.InboundSettings, inbound.serve)
        case "codec":
            from workers import codec, settings

            return run_process("codec", settings.CodecSettings, codec.serve)
        case _:
            from workers import mailbox, settings

            return run_process("mailbox", settings.MailboxSettings, mailbox.serve)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
