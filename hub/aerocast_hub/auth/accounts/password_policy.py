"""Which passwords are refused (NIST SP 800-63B-4 §3.1.1.2, OWASP ASVS 5 §6.2).

Length and what is known to be bad count; which kinds of characters it is made of does not, and it
never has to be changed without a reason. What is known to be bad is the library zxcvbn's: lists of
the commonest leaked passwords, names and words, found also when they are written with 3 for e, put
together, repeated or typed along the keyboard.
"""

from collections.abc import Sequence

SHORTEST, LONGEST = 12, 1024
WORST_SCORE = 3
"""zxcvbn's, 0 to 4: 3 takes at least 10^8 guesses, 4 10^10."""
OUR_WORDS = ("aerocast", "airport", "baggage", "bags", "belt")
LEAST_LEFT = 8  # characters beside those words
_LOOKED_AT = 72  # zxcvbn's bound: what is longer is judged by its beginning


def weakness(password: str, about: Sequence[str] = ()) -> str | None:
    """Say why nobody should be given a password; None when it will do.

    Parameters
    ----------
    about
        Words others would try first: the account's name.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        return f"a password has {SHORTEST} to {LONGEST} characters, not {len(password)}"

    left = password.casefold()
    for word in (*about, *OUR_WORDS):
        if len(word) > 2:
            left = left.replace(word.casefold(), "")
    if len(left) < LEAST_LEFT:
        return "this password is little more than the account's name and words of this house"

    from zxcvbn import zxcvbn  # noqa: PLC0415  its word lists take a while and some memory

    judged = zxcvbn(password[:_LOOKED_AT], user_inputs=[*about, *OUR_WORDS])
    if judged["score"] >= WORST_SCORE:
        return None
    why = judged["feedback"]["warning"].rstrip(".") or "It is easy to guess"
    return f"this password is among the first to be tried: {why[:1].lower()}{why[1:]}"
