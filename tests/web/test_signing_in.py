"""Signing in and out over HTTP: cookies, tokens, limits, sessions that end (contract T5–T7, T12)."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest

from tests.web.conftest import OWNER, PASSWORD, site_of


def cookies_of(answer):
    found = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        found.load(line)
    return found


async def test_sets_both_cookies_and_names_the_token(anonymous):
    answer = await anonymous.post(
        "/auth/login", json={"username": f"  {OWNER.upper()} ", "password": PASSWORD}
    )
    body = answer.json()
    assert answer.status_code == 200
    assert body["ok"] is True
    assert (body["username"], body["user_id"], body["role"]) == (OWNER, None, "owner")
    assert body["active_project_id"] is None
    assert body["request_id"] == answer.headers["x-request-id"]
    session, csrf = (cookies_of(answer)[name] for name in ("lp_session", "csrf_token"))
    assert len(session.value) == 64
    assert csrf.value == body["csrf_token"]
    assert len(csrf.value) == 48
    assert body["csrf_cookie_name"] == "csrf_token"
    for cookie in (session, csrf):
        assert (cookie["path"], cookie["samesite"], cookie["max-age"]) == ("/", "Lax", "1209600")
        assert not cookie["secure"]
        assert not cookie["domain"]
    assert session["httponly"]
    assert not csrf["httponly"]


async def test_the_database_holds_no_secret_of_a_session(site, owner):
    token = owner.cookies["lp_session"]
    rows = await site.tower.db.read(lambda db: str(list(db.execute("SELECT * FROM session"))))
    assert token not in rows
    assert owner.headers["x-csrf-token"] not in rows


@pytest.mark.parametrize("username", [OWNER, "somebody else"])
async def test_a_wrong_password_and_an_unknown_user_look_the_same(anonymous, username):
    answer = await anonymous.post("/auth/login", json={"username": username, "password": "wrong"})
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_credentials"
    assert "set-cookie" not in answer.headers


async def test_a_password_is_not_trimmed(anonymous):
    answer = await anonymous.post("/auth/login", json={"username": OWNER, "password": PASSWORD + " "})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"password": "x"}, "username"),
        ({"username": "  ", "password": "x"}, "username"),
        ({"username": "x" * 201, "password": "x"}, "username"),
        ({"username": "x"}, "password"),
        ({"username": "x", "password": ""}, "password"),
        ({"username": ["x"], "password": "x"}, "username"),
    ],
)
async def test_says_which_field_does_not_fit(anonymous, body, path):
    answer = await anonymous.post("/auth/login", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "validation_error"
    assert answer.json()["details"][0]["path"] == path


async def test_the_eleventh_attempt_waits_even_with_the_right_password(anonymous, clock):
    wrong = {"username": OWNER, "password": "wrong"}
    for _ in range(10):
        assert (await anonymous.post("/auth/login", json=wrong)).status_code == 401
    right = {"username": OWNER, "password": PASSWORD}
    answer = await anonymous.post("/auth/login", json=right)
    assert answer.status_code == 429
    assert answer.json()["error"] == "login_rate_limited"
    assert answer.headers["retry-after"] == "900"
    other = await anonymous.post("/auth/login", json={"username": "other", "password": "wrong"})
    assert other.status_code == 401, "others are not locked out"
    clock.advance(901)
    assert (await anonymous.post("/auth/login", json=right)).status_code == 200


async def test_success_clears_the_failures(anonymous):
    for _ in range(2):
        for _ in range(9):
            await anonymous.post("/auth/login", json={"username": OWNER, "password": "wrong"})
        answer = await anonymous.post("/auth/login", json={"username": OWNER, "password": PASSWORD})
        assert answer.status_code == 200


async def test_requests_about_signing_in_are_paced_by_address(anonymous):
    for _ in range(30):
        assert (await anonymous.get("/auth/me")).status_code == 200
    answer = await anonymous.get("/auth/me")
    assert (answer.status_code, answer.json()["error"]) == (429, "rate_limited")


async def test_me_without_a_session(anonymous):
    body = (await anonymous.get("/auth/me")).json()
    assert body.pop("request_id")
    assert body == {"ok": True, "authenticated": False}


async def test_me_resolves_the_project(site, owner):
    first = (await owner.get("/auth/me")).json()
    assert first["authenticated"] is True
    assert first["active_project_id"] is None
    assert first["csrf_token"] == owner.headers["x-csrf-token"]
    older, _newer = await site.project("Older"), await site.project("Newer")
    hinted = (await owner.get("/auth/me", params={"project_ids": f"nonsense,{older.id}"})).json()
    assert hinted["active_project_id"] == older.id
    assert hinted["account_scope_id"] == older.account_scope_id
    assert hinted["created_at"] == hinted["last_seen_at"] == "2026-11-20T10:00:00.000Z"
    assert (await owner.get("/auth/me")).json()["active_project_id"] == older.id


async def test_a_stale_cookie_is_cleared(anonymous):
    anonymous.cookies["lp_session"] = "0" * 64
    answer = await anonymous.get("/projects")
    assert answer.status_code == 401
    assert cookies_of(answer)["lp_session"]["max-age"] == "0"
    assert cookies_of(answer)["csrf_token"]["max-age"] == "0"
    anonymous.cookies["lp_session"] = "0" * 64
    answer = await anonymous.get("/auth/me")
    assert answer.json()["authenticated"] is False
    assert cookies_of(answer)["lp_session"]["max-age"] == "0"


async def test_a_session_ends_after_fourteen_idle_days_and_slides_until_then(site, owner, clock):
    for _ in range(3):
        clock.advance(13 * 86_400)
        assert (await owner.get("/projects")).status_code == 200
    clock.advance(14 * 86_400 + 1)
    assert (await owner.get("/projects")).status_code == 401
    async with site.client() as other:
        await other.sign_in()
    rows = await site.tower.db.read(lambda db: list(db.execute("SELECT count(*) FROM session")))
    assert rows == [(1,)], "signing in sweeps what is over"


async def test_signing_out(site, owner):
    assert (await owner.post("/auth/logout")).status_code == 200
    assert "lp_session" not in owner.cookies
    answer = await owner.post("/auth/logout")
    assert answer.status_code == 200, "also without a session"
    assert cookies_of(answer)["lp_session"]["max-age"] == "0"


async def test_signing_out_needs_no_token_but_refuses_a_wrong_one(site, owner):
    session = owner.cookies["lp_session"]
    owner.headers["x-csrf-token"] = "0" * 48
    answer = await owner.post("/auth/logout")
    assert (answer.status_code, answer.json()["error"]) == (403, "csrf_invalid")
    assert (await owner.get("/projects")).status_code == 200
    del owner.headers["x-csrf-token"]
    assert (await owner.post("/auth/logout")).status_code == 200
    async with site.client(cookie=f"lp_session={session}") as thief:
        assert (await thief.get("/projects")).status_code == 401, "the session is over, not only the cookie"


async def test_sessions_live_side_by_side_and_tokens_are_bound_to_theirs(site, owner):
    async with site.client() as other:
        await other.sign_in()
        other.headers["x-csrf-token"] = owner.headers["x-csrf-token"]
        answer = await other.post("/projects", json={"name": "Acme"})
        assert (answer.status_code, answer.json()["error"]) == (403, "csrf_invalid")
    assert (await owner.get("/projects")).status_code == 200


async def test_a_changed_password_ends_the_sessions(home, clock):
    async with site_of(home, clock) as site, site.client() as client:
        await client.sign_in()
        cookie = client.cookies["lp_session"]
    async with site_of(home, clock) as site, site.client(cookie=f"lp_session={cookie}") as client:
        assert (await client.get("/projects")).status_code == 200, "a restart ends no session"
    changed = {"AUTH_CREDENTIALS": f"{OWNER}:another one"}
    async with site_of(home, clock, **changed) as site, site.client(cookie=f"lp_session={cookie}") as client:
        assert (await client.get("/projects")).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/auth/signup/status", "signup_disabled"),
        ("POST", "/auth/signup/start", "signup_disabled"),
        ("POST", "/auth/signup/confirm", "signup_disabled"),
        ("POST", "/auth/telegram/webhook", "telegram_disabled"),
    ],
)
async def test_retired_ways_in_are_gone(anonymous, method, path, code):
    answer = await anonymous.request(method, path, json={"any": "body"} if method == "POST" else None)
    assert answer.status_code == 410
    body = answer.json()
    assert body["ok"] is False
    assert body["error"] == code
    if path.endswith("status"):
        assert {k: body[k] for k in ("enabled", "has_telegram_token", "owner_bound", "reason")} == {
            "enabled": False,
            "has_telegram_token": False,
            "owner_bound": False,
            "reason": "signup_disabled",
        }


async def test_cookie_names_can_be_set(home, clock):
    names = {"SESSION_COOKIE_NAME": "sid", "CSRF_COOKIE_NAME": "xsrf"}
    async with site_of(home, clock, **names) as site, site.client() as client:
        body = await client.sign_in()
        assert body["csrf_cookie_name"] == "xsrf"
        assert set(client.cookies) == {"sid", "xsrf"}
        assert (await client.get("/projects")).status_code == 200
