"""One HTTP exchange that may have an effect: asked once, and every way it can end by its name.

Reading is repeated until it works (connectors/wire.py); handing over a message is not. What matters here
is whether the vendor can have taken it: before the request left it certainly has not, after that only the
vendor's own words say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from ctower_desktop.connectors.wire import excerpt, retry_after
from ctower_desktop.inbox.outbound.channel import DeliveryFailed, DeliveryRefused, DeliveryUncertain
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.http import Answer, Unreachable, checked_url
from ctower_desktop.kernel.tower import Tower

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.InvalidURL,
    httpx.UnsupportedProtocol,
)
_PATIENCE = 30.0


class Line:
    """The line to one vendor, for handing over. `secret` never appears in an error."""

    def __init__(
        self, tower: Tower, title: str, base: str, headers: Mapping[str, str], secret: str, *, private: bool
    ) -> None:
        self._tower, self._title, self._base, self._private = tower, title, base, private
        self._headers, self._secret = dict(headers), secret

    async def hand_over(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """A POST, once. Raise DeliveryFailed when it did not leave, DeliveryUncertain when nobody knows."""
        try:
            return await self._asked("POST", path, None, body, headers)
        except Unreachable as error:
            if isinstance(error.__cause__, _NOT_SENT):
                raise DeliveryFailed(self.clean(str(error))) from None
            raise DeliveryUncertain(
                f"{self._title} did not answer: {self.clean(str(error))} It may have taken the message."
            ) from None

    async def ask(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """A GET; raise DeliveryFailed when there is no answer."""
        try:
            return await self._asked("GET", path, params, None, None)
        except Unreachable as error:
            raise DeliveryFailed(self.clean(str(error))) from None

    async def _asked(
        self, method: str, path: str, params: Any, body: Any, headers: Mapping[str, str] | None
    ) -> Answer:
        try:
            base = await checked_url(self._base, private=self._private)
        except (Invalid, Unreachable) as error:
            raise DeliveryFailed(str(error)) from error
        return await self._tower.http.request(
            method,
            base + path,
            headers={**self._headers, **(headers or {})},
            params=params,
            json=body,
            timeout=_PATIENCE,
        )

    def clean(self, text: str) -> str:
        """Words of a vendor as they may be told and kept: without our credentials."""
        return text.replace(self._secret, "[redacted]") if self._secret else text

    def told(self, answer: Answer) -> str:
        """What an answer says, shortened."""
        return self.clean(excerpt(answer.body))

    def refusal(self, answer: Answer, said: str) -> DeliveryFailed | DeliveryUncertain | None:
        """What an HTTP status means for a message that was handed over; None: it was taken."""
        status = answer.status
        if 200 <= status < 300:
            return None
        if status in (401, 403):
            return DeliveryFailed(f"{self._title} does not accept the token ({status}): {said}")
        if status in (408, 425, 429, 503):  # these say that nothing was done
            return DeliveryFailed(
                f"{self._title} cannot take it now ({status}): {said}", retry_after=retry_after(answer)
            )
        if status >= 500:
            return DeliveryUncertain(
                f"{self._title} has a problem of its own ({status}): it may have taken the message."
            )
        return DeliveryRefused(f"{self._title} does not take the message ({status}): {said}")


def decoded(kind: type[Any], answer: Answer) -> Any:
    """The answer as a `kind`, or None when it is something else."""
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
