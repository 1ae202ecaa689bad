"""What a client is told once, and what each call may be told: the same for both clients."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypedDict, get_args

from envelope.calls.addresses import checked_address
from envelope.client.events import AttemptEvent
from envelope.client.plan import FailOver, Rests
from envelope.formats import ResultType, ResultTypeName
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import Dialect
from envelope.registry.codes import REGISTRY, CodeRegistry
from envelope.registry.languages import Lang

if TYPE_CHECKING:
    from envelope.calls.request import Carrier
    from envelope.client.cache import Cache

__all__ = ["CallOptions", "ClientOptions", "Settings", "SignWith", "check_timeout", "new_settings"]

SignWith = Literal["md5", "strict", "secret"]
"""How a call proves that its caller knows the secret: by the gateway's own signature, by the strict one
(`envelope.calls.sign_strictly`), or by sending the secret itself."""


class ClientOptions(TypedDict, total=False):
    """The options of a client; each is described in `Settings`."""

    api_type: str
    api_name: str
    result_type: ResultType | ResultTypeName
    lang: Lang | str
    carrier: Carrier
    sign: SignWith
    timeout: float
    retries: int
    failover: FailOver
    rest: float
    cache: Cache | None
    fresh: float
    payload: str
    dialects: Mapping[str, Dialect]
    limits: Limits
    registry: CodeRegistry
    on_attempt: Callable[[AttemptEvent], None] | None
    clock: Callable[[], int]
    monotonic: Callable[[], float]
    idempotency_key: Callable[[], str]


class CallOptions(TypedDict, total=False):
    """The options of one call; the first six are the client's unless they are given.

    ``result_type``      the format of the answer, ``lang`` its language, ``api_type`` and ``api_name`` the path.
    ``timeout``          seconds for the whole call, whatever is tried in it.
    ``version``          passed on.
    ``cache``            False: no cached answer, neither of the client's cache nor of the gateway's, and none is kept.
    ``idempotency_key``  the same for calls that are one and the same to the gateway; by default each call has its own.
    """

    result_type: ResultType | ResultTypeName
    lang: Lang | str
    api_type: str
    api_name: str
    timeout: float
    version: str
    cache: bool
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A client's settings.

    ``addresses``        of one gateway, in the order in which they are tried: ``https://host`` with its mount point.
    ``key``, ``secret``  the caller's; ``sign`` says how the call proves the secret (`SignWith`).
    ``api_type``, ``api_name``, ``result_type``, ``lang``  what calls have unless they say otherwise.
    ``carrier``          how parameters are sent: ``form``, ``json`` or ``query``.
    ``timeout``          seconds for a whole call, at most 10⁹.
    ``retries``          how many more rounds over all addresses follow the first one.
    ``failover``         ``always``, or ``unsent``: only while nothing was sent (`FailOver`).
    ``rest``             seconds in which an address that failed is tried only after all others.
    ``cache``            `MemoryCache`, `SqliteCache`, or whatever has their methods; ``fresh`` is for how many seconds
                         an answer is served from it; older ones are served while every address fails.
    ``payload``, ``dialects``, ``limits``  how answers are read, as in `envelope.calls.Engine`.
    ``registry``         what the codes mean, for verdicts.
    ``on_attempt``       is called with an `AttemptEvent` after each attempt; what it raises is logged and dropped.
    ``clock``            the time in nanoseconds, ``monotonic`` that of time-outs in seconds.
    ``idempotency_key``  returns a new key; by default 32 random hexadecimal digits.
    """

    addresses: Sequence[str]
    key: str = field(repr=False)
    secret: str = field(repr=False)
    api_type: str = "openai"
    api_name: str = "custom"
    result_type: ResultType | ResultTypeName = "json"
    lang: Lang | str = "cn"
    carrier: Carrier = "form"
    sign: SignWith = "md5"
    timeout: float = 60.0
    retries: int = 2
    failover: FailOver = "always"
    rest: float = 30.0
    cache: Cache | None = None
    fresh: float = 86_400.0
    payload: str = "response"
    dialects: Mapping[str, Dialect] = field(default_factory=dict)
    limits: Limits = DEFAULT_LIMITS
    registry: CodeRegistry = REGISTRY
    on_attempt: Callable[[AttemptEvent], None] | None = None
    clock: Callable[[], int] = time.time_ns
    monotonic: Callable[[], float] = time.monotonic
    idempotency_key: Callable[[], str] = field(default=lambda: secrets.token_hex(16))
    random: Callable[[], float] = random.random
    rests: Rests = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.addresses, str) or not self.addresses:
            raise TypeError('addresses are a list, like ["https://a.example", "https://b.example"]')
        object.__setattr__(self, "addresses", tuple(checked_address(address) for address in self.addresses))
        for name in ("key", "secret"):
            if type(getattr(self, name)) is not str or not getattr(self, name):
                raise TypeError(f"a client needs a {name}, a str that is not empty")
        for name, allowed in (("sign", SignWith), ("failover", FailOver)):
            if getattr(self, name) not in get_args(allowed):
                raise TypeError(f"{name} is {' or '.join(get_args(allowed))}")
        check_timeout(self.timeout)
        if self.retries < 0:
            raise ValueError("retries is 0 or more")
        object.__setattr__(self, "rests", Rests(len(self.addresses), self.rest))


def check_timeout(seconds: float) -> None:
    """`ValueError` for more *seconds* than a socket can wait, or for NaN; no time at all is a time."""
    if not seconds <= _LONGEST:
        raise ValueError("a timeout is at most 1,000,000,000 seconds")


_LONGEST = 10**9


def new_settings(
    addresses: Sequence[str], key: str, secret: str, options: ClientOptions
) -> Settings | TypeError | ValueError:
    """The settings, or what is wrong with them: an error that does not hold the frames in which the secret is."""
    try:
        return Settings(addresses=addresses, key=key, secret=secret, **options)
    except (TypeError, ValueError) as error:
        return error.with_traceback(None)
