"""The demo's own upstream: an ASGI application, deterministic, shaped like OpenAI's, with faults on request."""

from typing import TYPE_CHECKING

from envelope.lazy import door

if TYPE_CHECKING:
    from envelope.gateway.demo.app import Demo as Demo
    from envelope.gateway.demo.faults import FAULTS as FAULTS
    from envelope.gateway.demo.log import Served as Served
    from envelope.gateway.demo.serving import DemoUpstream as DemoUpstream
    from envelope.gateway.demo.serving import demo_upstream as demo_upstream
else:
    __getattr__, __dir__, __all__ = door(
        __name__,
        {"app": "Demo", "faults": "FAULTS", "log": "Served", "serving": "DemoUpstream demo_upstream"},
    )
