"""Entry: who calls, what they may call, and what they ask, in the order in which a caller is told what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from envelope.calls.caller import DEFAULT_CALLER, Caller
from envelope.calls.http import HttpRequest
from envelope.calls.reading import wanted
from envelope.calls.request import ApiRequest, read_params
from envelope.calls.signing import verify
from envelope.errors import RequestError
from envelope.gateway.known import Known, KnownAccounts
from envelope.gateway.upstreams.methods import check_method
from envelope.limits import Limits
from envelope.registry.codes import (
    ACCOUNT_NOT_FOUND,
    ACCOUNT_STOPPED,
    API_MAINTENANCE,
    API_NOT_ADDED,
    API_NOT_FOUND,
    API_STOPPED,
    INVALID_CREDENTIALS,
)

__all__ = ["Entered", "Entry"]


@dataclass(frozen=True, slots=True)
class Entered:
    """A call that was read, of a caller who has proved who it is."""

    request: ApiRequest
    known: Known


_PROOF: tuple[str, ...] = ("key", "secret", "sign", "dateline")


class Entry:
    """Reads calls and checks who makes them; *clock* is in nanoseconds of the Unix time.

    The order is that of the gateway's documents: account (4004, 4005, 4007), API (4010, 4009), grant (4012, 4006),
    parameters (4014, 4003).
    """

    def __init__(
        self,
        accounts: KnownAccounts,
        *,
        apis: Collection[str],
        limits: Limits,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._accounts = accounts
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
                request = ApiRequest.from_params({**proof, "api_name": "-"})
            if known.account.strict_signature:
                # They are not taken yet, and nothing less will do.
                raise RequestError("only strict signatures are taken", code=INVALID_CREDENTIALS, path="$.sign")
            verify(request, known.secret, self._clock, params=params)
            self._check_standing(params, known)
            if fault is not None:
                raise fault
            check_method(request.method)
        except RequestError as error:
            raise _told(error, asker) from None
        return Entered(request, known)

    async def _known(self, params: dict[str, Any]) -> Known:
        key = params.get("key")
        if not isinstance(key, str) or not key:
            # What is wrong with it is told as in any call.
            ApiRequest.from_params({"key": key, "secret": "-", "api_name": "-"})
        known = await self._accounts.of(str(key))
        if known is None:
            raise RequestError("no such account", code=ACCOUNT_NOT_FOUND, path="$.key")
        return known

    def _check_standing(self, params: dict[str, Any], known: Known) -> None:
        """As far as is known here; the books have the last word when the call is admitted."""
        if known.account.state != "active":
            raise RequestError("the account is stopped", code=ACCOUNT_STOPPED, path="$.key")
        name = params.get("api_name")
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
