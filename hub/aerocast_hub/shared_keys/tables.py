"""The table that shows whether a hub has the keys its database is used with."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base
from aerocast_hub.database.sealed import SealedText


class SharedKeyRow(Base):
    """What shows that a key is the one in use, without telling it.

    Attributes
    ----------
    name
        ``secret`` or ``tokens``.
    mark
        Of ``secret`` a keyed hash; of ``tokens`` the names of the public keys, blanks between.
        Sealed: who opens it has the data keys.
    """

    __tablename__ = "shared_keys"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    mark: Mapped[str] = mapped_column(SealedText("shared_keys.mark"))
