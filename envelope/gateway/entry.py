"""Entry: who calls, what they may call, and what they ask, in the order in which a caller is told what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from envelope.calls.caller import DEFAULT_CALLER, Caller
from envelope.calls.http import HttpRequest
from envelope.calls.parameters import STRICT_SCHEME
from envelope.calls.reading import wanted
from envelope.calls.request import ApiRequest, read_params
from envelope.calls.signing import verify
from envelope.calls.strict_signing import check_strictly, used_nonce
from envelope.errors import RequestError
from envelope.gateway.books.nonces import remember_nonce
from envelope.gateway.known import Known, KnownAccounts
from envelope.gateway.stores.store import Store
from envelope.gateway.upstreams.methods import check_method
from envelope.limits import Limits
from envelope.registry.codes import (
    ACCOUNT_NOT_FOUND,
    ACCOUNT_STOPPED,
    API_MAINTENANCE,
    API_NOT_ADDED,
    API_NOT_FOUND,
    API_STOPPED,
)

__all__ = ["Entered", "Entry"]


@dataclass(frozen=True, slots=True)
class Entered:
    """A call that was read, of a caller who has proved who it is."""

    request: ApiRequest
    known: Known


_PROOF: tuple[str, ...] = ("key", "secret", "sign", "dateline")


class Entry:
    """Reads calls and checks who makes them; *store* has the nonces, *clock* is in nanoseconds of the Unix time.

    The order is that of the gateway's documents: account (4004, 4005, 4007), API (4010, 4009), grant (4012, 4006),
    parameters (4014, 4003).
    """

    def __init__(
        self,
        accounts: KnownAccounts,
        store: Store,
        *,
        apis: Collection[str],
        limits: Limits,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._accounts = accounts
        self._store = store
        self._apis = frozenset(apis)
        self._limits = limits
        self._clock = clock

    async def check_key(self, http: HttpRequest) -> None:
        """`RequestError` unless the key in the query is an account's: a large body is read for nobody else."""
        params, _ = read_params(http, limits=self._limits)
        try:
            await self._known(params)
        except RequestError as error:
            raise _told(error, wanted(params, http, DEFAULT_CALLER)) from None

    async def read(self, http: HttpRequest) -> Entered:
        """The call in *http*. `RequestError`, in the caller's format and language, with the code to answer with."""
        params, api_type = read_params(http, limits=self._limits)
        asker = wanted(params, http, DEFAULT_CALLER)
        try:
            known = await self._known(params)
            fault: RequestError | None = None
            try:
                request = ApiRequest.from_params(
                    params, api_type=api_type, accepted=asker, limits=self._limits, files=http.files
                )
            except RequestError as error:  # which is told last
                fault = error
                proof = {name: params[name] for name in _PROOF if name in params}
                request = ApiRequest.from_params({**proof, "api_name": "-"}, api_type=api_type)
            await self._verify(request, known, params)
            self.check_standing(params.get("api_name"), known)
            if fault is not None:
                raise fault
            check_method(request.method)
        except RequestError as error:
            raise _told(error, asker) from None
        return Entered(request, known)

    async def _verify(self, request: ApiRequest, known: Known, params: dict[str, Any]) -> None:
        """`RequestError` unless the caller knows the account's secret; if it is to, or does, sign strictly, by that."""
        if not (known.account.strict_signature or request.sign.startswith(STRICT_SCHEME)):
            verify(request, known.secret, self._clock, params=params)
            return
        nonce, _ = check_strictly(request, known.secret, self._clock, params=params)
        account = known.account.id
        # A nonce need not outlive a power failure that its call does not outlive either: what a call costs is synced
        # later, and the nonce with it.
        if not await self._store.write(lambda db: remember_nonce(db, account, nonce), synced=False):
            raise used_nonce()

    async def known(self, key: str) -> Known | None:
        """The account with this key, at most a second old; None if there is none."""
        return await self._accounts.of(key)

    async def _known(self, params: dict[str, Any]) -> Known:
        key = params.get("key")
        if not isinstance(key, str) or not key:
            # What is wrong with it is told as in any call.
            ApiRequest.from_params({"key": key, "secret": "-", "api_name": "-"})
        known = await self._accounts.of(str(key))
        if known is None:
            raise RequestError("no such account", code=ACCOUNT_NOT_FOUND, path="$.key")
        return known

    def check_standing(self, name: object, known: Known) -> None:
        """`RequestError` if the account may not call the API of this *name*, as far as is known here.

        The books have the last word when the call is admitted.
        """
        if known.account.state != "active":
            raise RequestError("the account is stopped", code=ACCOUNT_STOPPED, path="$.key")
        if not isinstance(name, str) or not name:
            return  # which is told with the other parameters
        grant = known.account.grants.get(name)
        if name not in self._apis:
            raise RequestError("no such API", code=API_NOT_FOUND, path="$.api_name")
        if known.apis.get(name) == "maintenance":
            raise RequestError("the API is being maintained", code=API_MAINTENANCE, path="$.api_name")
        if grant is None:
            raise RequestError("the account may not call this API", code=API_NOT_ADDED, path="$.api_name")
        if grant.state != "active":
            raise RequestError("the API is stopped for this account", code=API_STOPPED, path="$.api_name")


def _told(error: RequestError, asker: Caller) -> RequestError:
    error.result_type, error.lang = asker.result_type, asker.lang
    return error
