"""Headers every answer carries: security, cross-origin rules, request id."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

_NOT_AN_ID = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST_ID = 64

_CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# No Strict-Transport-Security and no Secure cookies: there is no TLS on the loopback interface.
_SECURITY = {
    "Server": "ctower",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Content-Security-Policy": _CONTENT_POLICY,
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Origin",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "content-type, x-csrf-token, x-api-key, x-request-id, x-idempotency-key",
    "Access-Control-Max-Age": "600",
}


def request_id_from(given: str | None) -> str:
    """The client's request id made harmless, or a new one."""
    kept = _NOT_AN_ID.sub("", (given or "")[:_LONGEST_ID])
    return kept or str(uuid.uuid4())


def headers_for(
    request_id: str, origin: str | None, allowed: str, *, preflight: bool = False
) -> Mapping[str, str]:
    """What an answer to a page of `origin` carries; `allowed` is the one foreign origin that may read it."""
    found = {**_SECURITY, "x-request-id": request_id}
    if allowed and origin in (None, allowed):
        found["Access-Control-Allow-Origin"] = allowed
        found["Access-Control-Allow-Credentials"] = "true"
        found["Access-Control-Expose-Headers"] = "x-request-id, retry-after"
        if preflight:
            found.update(_PREFLIGHT)
    return found
