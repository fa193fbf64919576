"""What is held against the rules says who turned out to be whom: nobody is taken for lost who became somebody else."""

from stores.customers import CustomerStore
from stores.database import Pool
from stores.evidence import EvidenceStore
from stores.staff_merges import MergeStore


async def test_of_customers_who_became_one_the_evidence_knows_who_they_are(pool: Pool) -> None:
    customers = CustomerStore(pool)
    anna, cookie, ben = [await customers.known(name) for name in ("anna", "cookie-1", "ben")]

    merge = await MergeStore(pool).merge("anna", "cookie-1", by="eva", why="the same person")

    stays, goes = (anna, cookie) if merge.stays == anna else (cookie, anna)
    became = (await EvidenceStore(pool).seen()).became
    assert became == {goes: stays}
    assert ben not in became
