"""TLS to the broker, also on a gateway whose clock is plainly wrong.

A gateway without a battery boots in 1970, and every certificate is "not yet valid": the link that
would bring it to the hub stays shut until someone sets its clock. What is known even then is a time
that has passed for sure. So when the clock says less than that, a certificate must not have ended
before it; when it begins says nothing. Everything else is verified as ever, and a clock that may be
right is believed. (Of the chain's authorities the end is not looked at then.)
"""

import logging
import ssl
import time
from datetime import UTC, datetime

from aerocast_agent import clock

log = logging.getLogger(__name__)

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, openssl x509_vfy.h


def context_for(
    certificate: str | None, key: str | None, ca: str | None, passed_s: float
) -> ssl.SSLContext:
    """Give what verifies the broker and proves ourselves.

    Parameters
    ----------
    passed_s
        A time that has passed for sure, seconds since 1970.

    Raises
    ------
    OSError, ValueError
        A file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(ca)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    known = clock.claim()
    if known.quality == clock.GPS:
        passed_s = max(passed_s, known.wall_ns / 1e9)
    if time.time() < passed_s:
        day = datetime.fromtimestamp(passed_s, UTC).date()
        log.warning("this machine's clock is wrong: certificates must only last beyond %s", day)
        context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
        context.sslsocket_class = _refusing_what_ended_before(passed_s)
    return context


def _refusing_what_ended_before(passed_s: float) -> type[ssl.SSLSocket]:
    class Patient(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002  ssl's own
            super().do_handshake(block)
            ends = str((self.getpeercert() or {}).get("notAfter", ""))
            if not ends or ssl.cert_time_to_seconds(ends) < passed_s:
                raise ssl.SSLCertVerificationError(f"the certificate ended on {ends or 'no day'}")

    return Patient
