"""The upstreams of a gateway: how a call is asked of them, which one is asked, and what came of it."""

from typing import TYPE_CHECKING

from envelope.lazy import door

if TYPE_CHECKING:
    from envelope.gateway.upstreams.call import UpstreamCall as UpstreamCall
    from envelope.gateway.upstreams.methods import check_method as check_method
    from envelope.gateway.upstreams.outcome import Attempted as Attempted
    from envelope.gateway.upstreams.outcome import Outcome as Outcome
    from envelope.gateway.upstreams.pool import Upstreams as Upstreams
    from envelope.gateway.upstreams.settings import UpstreamSettings as UpstreamSettings
    from envelope.gateway.upstreams.settings import read_upstreams as read_upstreams
    from envelope.gateway.upstreams.stream import Stream as Stream
    from envelope.gateway.upstreams.usage import Usage as Usage
else:
    __getattr__, __dir__, __all__ = door(
        __name__,
        {
            "call": "UpstreamCall",
            "methods": "check_method",
            "outcome": "Attempted Outcome",
            "pool": "Upstreams",
            "settings": "UpstreamSettings read_upstreams",
            "stream": "Stream",
            "usage": "Usage",
        },
    )
