"""What the daemon runs beside itself to renew: cryptography's memory goes when this ends.

``python -m aerocast_agent.enrolment renew|ask URL FOLDER``: prints one JSON line, `Outcome`.
"""

import sys
from pathlib import Path

import msgspec

from aerocast_agent.enrolment.enrolling import ask_standing, renew
from aerocast_agent.enrolment.hub import EnrolmentError, HubAddress
from aerocast_agent.enrolment.identity import Outcome, web_authorities


def main(verb: str, url: str, folder: Path) -> Outcome:
    """Renew, or only ask whether the present certificate is good."""
    hub = HubAddress(url, web_authorities(folder))
    try:
        if verb == "renew":
            renew(hub, folder)
        else:
            ask_standing(hub, folder)
    except EnrolmentError as error:
        return Outcome(error=str(error), refused=error.refused)
    except (OSError, ValueError) as error:
        return Outcome(error=f"{folder}: {error}")
    return Outcome()


if __name__ == "__main__":
    told = main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
