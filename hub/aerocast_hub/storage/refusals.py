"""Why a store did not do what was asked, in a line that names the mend.

obstore tells it in text alone: S3's status and ``<Code>``, or what the system said.
"""

import re

MENDS = {
    "NoSuchBucket": "there is no such bucket: make it there, or see OBJECTS_URL",
    "NoSuchKey": "it is not there: see aerocast-hub objects list",
    "InvalidAccessKeyId": "it does not know S3_ACCESS_KEY",
    "SignatureDoesNotMatch": "S3_SECRET_KEY is not the one of S3_ACCESS_KEY",
    "AccessDenied": "S3_ACCESS_KEY may not do this there: see its rights on the bucket",
    "RequestTimeTooSkewed": "its clock and this machine's differ: see both",
    "PermanentRedirect": "the bucket is in another region: see S3_REGION",
    "AuthorizationHeaderMalformed": "the bucket is in another region: see S3_REGION",
    "QuotaExceeded": "it is full",
}
NO_ANSWER = "it does not answer: see that it runs, S3_ENDPOINT, and the way there"
LONGEST = 200
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")


def why_refused(said: str) -> str:
    """Give the reason and the mend.

    Parameters
    ----------
    said
        The error's text, as obstore or the system gives it.
    """
    code = _CODE.search(said)
    if code is not None:
        return MENDS.get(code[1], f"it answers {code[1]}")
    status = _STATUS.search(said)
    if status is not None:
        # An answer to HEAD has no body to tell more.
        if status[1] == "403":
            return "it refuses S3_ACCESS_KEY: see it, S3_SECRET_KEY, and what they may do there"
        return MENDS["NoSuchKey"] if status[1] == "404" else f"it answers {status[1]}"
    first = said.partition("\n")[0]
    if "HTTP error" in first:
        return NO_ANSWER
    if "os error 2)" in first:
        return MENDS["NoSuchKey"]
    return first[:LONGEST]
