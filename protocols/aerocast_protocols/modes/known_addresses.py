"""The aircraft a demodulator has heard for certain lately. Needs numpy (extra ``sdr``).

A reply with its address laid over its parity, and a squitter with damaged bits, are believed only
of these. Looked up for whole arrays of addresses at a time.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Addresses = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]
_ADDRESS_BITS = 24


def _changes() -> Addresses:
    """Give every way to change none, one or two bits of an address."""
    bits = [1 << position for position in range(_ADDRESS_BITS)]
    pairs = {first | second for first in bits for second in bits}
    return np.array(sorted({0, *bits, *pairs}), np.uint32)


_CHANGES = _changes()


class KnownAddresses:
    """Addresses heard with a parity of their own, each for a while.

    Parameters
    ----------
    lifetime_ticks
        How long an address is believed after it was last heard.
    """

    def __init__(self, lifetime_ticks: int) -> None:
        self._lifetime_ticks = lifetime_ticks
        self._heard: dict[int, int] = {}
        self._sorted = np.zeros(0, np.uint32)
        self._near = np.zeros(1 << (_ADDRESS_BITS - 3), np.uint8)

    def __len__(self) -> int:
        return len(self._heard)

    def confirm(self, addresses: Iterable[int], ticks: int) -> None:
        """Believe addresses from ``ticks`` on; 000000 is nobody's."""
        new = []
        for address in addresses:
            if address and address not in self._heard:
                new.append(address)
            if address:
                self._heard[address] = max(ticks, self._heard.get(address, ticks))
        if new:
            self._sort()
            self._mark(np.array(new, np.uint32))

    def forget(self, ticks: int) -> None:
        """Forget who was not heard within the lifetime before ``ticks``."""
        oldest = ticks - self._lifetime_ticks
        gone = [address for address, heard in self._heard.items() if heard < oldest]
        if gone:
            for address in gone:
                del self._heard[address]
            self._sort()
            self._near[:] = 0
            self._mark(self._sorted)

    def has(self, addresses: Addresses) -> Mask:
        """Say of each address whether it is known."""
        if not self._sorted.size:
            return np.zeros(addresses.shape, np.bool_)
        at = np.searchsorted(self._sorted, addresses)
        at[at == self._sorted.size] = 0
        found: Mask = self._sorted[at] == addresses
        return found

    def has_near(self, addresses: Addresses) -> Mask:
        """Say of each address whether at most two bits keep it from a known one."""
        if not self._sorted.size:
            return np.zeros(addresses.shape, np.bool_)
        near: Mask = (self._near[addresses >> 3] >> (addresses & 7).astype(np.uint8)) & 1 != 0
        return near

    @property
    def near_table(self) -> npt.NDArray[np.uint8]:
        """A bit for each address that `has_near`: byte ``address >> 3``, bit ``address & 7``."""
        return self._near

    def _sort(self) -> None:
        self._sorted = np.array(sorted(self._heard), np.uint32)

    def _mark(self, addresses: Addresses) -> None:
        near = (addresses[:, None] ^ _CHANGES).ravel()
        np.bitwise_or.at(self._near, near >> 3, np.uint8(1) << (near & 7).astype(np.uint8))
