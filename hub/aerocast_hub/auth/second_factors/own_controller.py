"""One's own second factors, for programs and for the page's script."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException, ValidationException
from litestar.params import FromPath, JSONBody

from aerocast_hub.auth.accounts.own_controller import OWN
from aerocast_hub.auth.caller import party_of
from aerocast_hub.auth.second_factors.codes import FactorError
from aerocast_hub.auth.second_factors.own_factors import (
    Added,
    NewApp,
    NewPasskey,
    OwnFactors,
    PasskeyOptions,
)
from aerocast_hub.auth.second_factors.store import Factors
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.settings import Settings

Mine = Request[Principal, Any, State]


class Code(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code of an authenticator app."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]


class MadePasskey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A passkey a browser made.

    Attributes
    ----------
    challenge
        As the options gave it.
    credential
        The browser's credential as JSON text.
    """

    name: Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[^\x00]*$")] = ""
    challenge: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    credential: Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]


class OwnFactorsController(Controller):
    """What one shows beside the password. Changes want a login of the last 15 minutes."""

    path = "/auth/me/second-factors"
    tags = ("Own account",)
    opt = OWN | {"errors": {400: "What was sent does not fit, or the login was too long ago."}}

    @get("/", operation_id="ListOwnSecondFactors")
    async def all(self, request: Mine, own_factors: NamedDependency[OwnFactors]) -> Factors:
        """Give one's own second factors."""
        return await own_factors.list(request.user)

    @post("/app", operation_id="BeginAuthenticatorApp")
    async def begin_app(self, request: Mine, own_factors: NamedDependency[OwnFactors]) -> NewApp:
        """Make a secret for an authenticator app; it is in use once a code of it was sent.

        Raises
        ------
        ValidationException
            There is one in use, or the login is too long ago.
        """
        with refusing():
            return await own_factors.begin_app(request.user)

    @post("/app/confirmation", operation_id="ConfirmAuthenticatorApp", status_code=200)
    async def confirm_app(
        self, data: JSONBody[Code], request: Mine, own_factors: NamedDependency[OwnFactors]
    ) -> Added:
        """Take the app into use by its first code; gives recovery codes with the first factor.

        Raises
        ------
        ValidationException
            The code is wrong, or the login is too long ago.
        """
        with refusing():
            return await own_factors.confirm_app(request.user, data.code)

    @delete("/app", operation_id="RemoveAuthenticatorApp")
    async def remove_app(self, request: Mine, own_factors: NamedDependency[OwnFactors]) -> None:
        """Forget the authenticator app.

        Raises
        ------
        ValidationException
            The login is too long ago.
        """
        with refusing():
            await own_factors.remove_app(request.user)

    @post("/passkeys/options", operation_id="BeginPasskey", status_code=200)
    async def begin_passkey(
        self,
        request: Mine,
        own_factors: NamedDependency[OwnFactors],
        settings: NamedDependency[Settings],
    ) -> PasskeyOptions:
        """Give what a browser needs to make a passkey.

        Raises
        ------
        ValidationException
            The hub has no name browsers take passkeys for, or the login is too long ago.
        """
        with refusing():
            return await own_factors.begin_passkey(request.user, party_of(request, settings))

    @post("/passkeys", operation_id="AddPasskey")
    async def add_passkey(
        self,
        data: JSONBody[MadePasskey],
        request: Mine,
        own_factors: NamedDependency[OwnFactors],
        settings: NamedDependency[Settings],
    ) -> Added:
        """Take a passkey into use; gives recovery codes with the first factor.

        Raises
        ------
        ValidationException
            It was made for another challenge or site, or the login is too long ago.
        """
        new = NewPasskey(data.name, data.challenge, data.credential)
        with refusing():
            return await own_factors.add_passkey(request.user, party_of(request, settings), new)

    @delete("/passkeys/{passkey_id:str}", operation_id="RemovePasskey")
    async def remove_passkey(
        self,
        passkey_id: FromPath[str],
        request: Mine,
        own_factors: NamedDependency[OwnFactors],
    ) -> None:
        """Forget a passkey.

        Raises
        ------
        NotFoundException
            There is none of this id.
        ValidationException
            The login is too long ago.
        """
        with refusing():
            if not await own_factors.remove_passkey(request.user, passkey_id):
                raise NotFoundException("there is no such passkey")

    @post("/recovery-codes", operation_id="MakeRecoveryCodes", status_code=200)
    async def recovery_codes(
        self, request: Mine, own_factors: NamedDependency[OwnFactors]
    ) -> Added:
        """Give ten new codes for paper, in place of all before; each is good once.

        Raises
        ------
        ValidationException
            There is no second factor, or the login is too long ago.
        """
        with refusing():
            return await own_factors.new_recovery_codes(request.user)


@contextmanager
def refusing() -> Iterator[None]:
    """Answer what cannot be done with its reason."""
    try:
        yield
    except FactorError as error:
        raise ValidationException(str(error)) from error
