import hashlib

import msgspec
from aerocast_hub.audit.bulk import FEW, Bulk, digest_of, few_or_digest
from hypothesis import given
from hypothesis import strategies as st


def test_a_few_rows_are_told_and_many_are_counted():
    assert few_or_digest(range(FEW)) == list(range(FEW))
    rows = list(range(FEW + 1))
    content = b"".join(msgspec.msgpack.encode(each) for each in rows)
    told = few_or_digest(rows)
    assert told == Bulk(rows=FEW + 1, sha256=hashlib.sha256(content).hexdigest())


@given(st.lists(st.text(max_size=4), max_size=30), st.lists(st.text(max_size=4), max_size=30))
def test_other_rows_have_another_digest_and_the_same_have_the_same(one, other):
    assert (digest_of(one) == digest_of(other)) is (one == other)
