"""Baggage messages as faulty senders and lines make them."""

import random


def mutated(random_: random.Random, raw: bytes, seeds: list[bytes]) -> bytes:
    """Spoil a message, seldom beyond recognition."""
    text = bytearray(raw)
    for _ in range(random_.randrange(1, 6)):
        at = random_.randrange(len(text) + 1)
        match random_.randrange(7):
            case 0:
                text[at : at + 1] = bytes([random_.randrange(256)])
            case 1:
                del text[at : at + random_.randrange(1, 30)]
            case 2:
                text[at:at] = bytes(random_.choices(b"/.\r\n \x02\x03ENDPART0123456789BSM", k=4))
            case 3:
                other = random_.choice(seeds)
                text[at:at] = other[random_.randrange(len(other)) :][:40]
            case 4:
                lines = bytes(text).split(b"\n")
                random_.shuffle(lines)
                text = bytearray(b"\n".join(lines))
            case 5:
                text = bytearray(bytes(text).swapcase())
            case _:
                text[at:at] = text[at : at + 40] * random_.randrange(1, 20)
    return bytes(text)
