"""How far off a transmitted position may be: navigation integrity category by version.

Version 1 and 2 transmitters say it by the type code of a position and supplement bits: A (with the
operational status), B (with an airborne position), C (with the operational status on the ground).
Version 0 has no NIC: its type code means NUCp (`codes.NUC_P`). RTCA DO-260A and DO-260B.
"""

_SINGLE = {
    0: 0,
    5: 11,
    6: 10,
    9: 11,
    10: 10,
    12: 7,
    13: 6,
    14: 5,
    15: 4,
    17: 1,
    18: 0,
    20: 11,
    21: 10,
    22: 0,
}
# By type code: NIC for supplements (A, other), where the supplements matter.
_VERSION_1 = {7: (8, 8, 9, 9), 8: (0, 0, 0, 0), 11: (8, 8, 9, 9), 16: (2, 2, 3, 3)}
_VERSION_2 = {7: (8, 8, 9, 9), 8: (0, 6, 6, 7), 11: (8, 8, 8, 9), 16: (2, 2, 2, 3)}
# Metres: the true position is nearer than this; None where it may be anywhere.
RADIUS_M = (
    None, 37_040.0, 14_816.0, 7_408.0, 3_704.0, 1_852.0, 1_111.2, 370.4, 185.2, 75.0, 25.0, 7.5,
)  # fmt: skip


def nic_of(version: int, typecode: int, supplement_a: int, supplement: int) -> int | None:
    """Give the navigation integrity category of a position, 0 (unknown) to 11 (7.5 m).

    Parameters
    ----------
    version
        ADS-B version of the transmitter's operational status.
    typecode
        Of the position frame.
    supplement_a, supplement
        Supplement A; and B of an airborne position, or C of a surface one.

    Returns
    -------
    None for version 0 and frames that are no position.
    """
    if version not in (1, 2):
        return None
    by_supplements = (_VERSION_1 if version == 1 else _VERSION_2).get(typecode)
    if by_supplements is not None:
        return by_supplements[supplement_a << 1 | supplement]
    return _SINGLE.get(typecode)


# By version, type code and supplements (A twice, then the other).
NIC_TABLE = tuple(
    tuple(
        tuple(nic_of(version, typecode, both >> 1, both & 1) for both in range(4))
        for typecode in range(32)
    )
    for version in range(8)
)
