"""SIGHUP: the settings are read again, and calls that come from then on are answered by them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from envelope.errors import DecodeError, EnvelopeError, ValidationError
from envelope.gateway.running import Running, Unusable
from envelope.gateway.settings import GatewaySettings, read_settings

__all__ = ["reload"]


async def reload(path: Path, running: Running) -> None:
    """Take over the settings in the file at *path*. If they will not do, the log says which field, and all stays.

    The store stays in any case: another one needs a restart.
    """
    before = running.current
    if running.is_draining:
        return
    try:
        settings = await asyncio.to_thread(read_settings, path)
        if settings.store != before.settings.store:
            before.log.alarm("settings", result="kept", path="$.store", reason="another store needs a restart")
            settings = settings.model_copy(update={"store": before.settings.store})
        await running.renew(settings)
    except Exception as error:  # whatever it is, the old settings stay
        running.metrics.reloads.labels("refused").inc()
        field, reason = _told(error)
        before.log.alarm("settings", result="refused", path=field, reason=reason)
        return
    running.metrics.reloads.labels("taken").inc()
    running.current.log.note("settings", result="taken", changed=_changed(before.settings, settings))


def _told(error: Exception) -> tuple[str, str]:
    """The field that will not do, and why; never its value."""
    if isinstance(error, DecodeError | ValidationError | Unusable):
        return error.path, error.reason
    if isinstance(error, OSError):
        return "$", error.strerror or type(error).__name__
    return "$", str(error) if isinstance(error, EnvelopeError) else type(error).__name__


def _changed(before: GatewaySettings, after: GatewaySettings) -> list[str]:
    return [name for name in GatewaySettings.model_fields if getattr(before, name) != getattr(after, name)]
