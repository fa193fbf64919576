"""What a run can be found by in the Temporal Web UI. A worker refuses to start where one is not registered."""

from temporalio.common import SearchAttributeKey

JOURNEY = SearchAttributeKey.for_keyword("ClewJourney")
VERSION = SearchAttributeKey.for_keyword("ClewVersion")
CUSTOMER = SearchAttributeKey.for_keyword("ClewCustomer")

SEARCH_ATTRIBUTES = [JOURNEY, VERSION, CUSTOMER]
