"""Who this machine is to Amazon: as AWS's own programs find it, in variables, files, or the role of the machine."""

import threading
from typing import cast

from botocore.credentials import Credentials, ReadOnlyCredentials

from activities.message_channel import ProviderBusyError


class MachineCredentials:
    """Call it, in a thread, for credentials that are good now: those of a role run out and are renewed."""

    def __init__(self) -> None:
        self._found: Credentials | None = None
        self._one_at_a_time = threading.Lock()

    def __call__(self) -> ReadOnlyCredentials:
        """The credentials. Raises: `ProviderBusyError` where there are none."""
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session

        try:
            with self._one_at_a_time:
                self._found = self._found or Session().get_credentials()
                if self._found is not None:
                    return cast("ReadOnlyCredentials", self._found.get_frozen_credentials())
        except BotoCoreError as error:
            raise ProviderBusyError(f"no credentials for SES: {error}") from error
        raise ProviderBusyError(
            "no credentials for SES: set CLEW_SES_ACCESS_KEY_ID and CLEW_SES_SECRET_ACCESS_KEY,"
            " or give the machine a role that may send"
        )
