"""The edge of the door: names, origins, ids, bodies and everything odd.

Contract T1–T4, T13, T39; security S1–S8, S21, S30.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from openapi_spec_validator import OpenAPIV31SpecValidator

from ctower_desktop.kernel.endpoint import AGENTS, GRAPH, TOWER
from ctower_desktop.kernel.errors import StorageFull
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import Anyone
from ctower_desktop.web import edge, openapi
from tests.web.conftest import OWNER, PASSWORD, Client, Site, Ticking, site_of, talk


class _Word(msgspec.Struct):
    word: str


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory) -> AsyncIterator[Site]:
    """One site for all that leaves nothing behind."""
    home = Home(tmp_path_factory.mktemp("edge"))
    home.prepare()
    async with site_of(home, Ticking()) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anonymous(site) -> AsyncIterator[Client]:
    async with site.client() as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owner(site) -> AsyncIterator[Client]:
    async with site.client() as client:
        await client.sign_in()
        yield client


async def names(client: Client) -> set[str]:
    return {project["name"] for project in (await client.get("/projects")).json()["projects"]}


class _Many(msgspec.Struct):
    many: int = 1


GET = "GET /health HTTP/1.1\r\n{}\r\n\r\n"


class TestHost:
    @pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
    async def test_our_names_are_known(self, site, name):
        answer = await talk(site, GET.format(f"Host: {name}:{site.listener.port}"))
        assert answer.status == 200

    @pytest.mark.parametrize(
        "name",
        [
            *("evil.com", "127.0.0.1.nip.io", "localhost.evil.com", "0.0.0.0", "2130706433", "0x7f000001"),
            *("127.1", "localhost.", "127.0.0.1@evil.com", "[::ffff:127.0.0.1]", "", "127.0.0.1:1 evil"),
        ],
    )
    async def test_other_names_are_refused_whatever_the_path(self, site, name):
        for path in ("/health", "/projects", "/nowhere"):
            answer = await talk(site, f"GET {path} HTTP/1.1\r\nHost: {name}:{site.listener.port}\r\n\r\n")
            assert (answer.status, answer.json()["error"]) == (421, "host_not_allowed")

    @pytest.mark.parametrize("host", ["127.0.0.1:1", "127.0.0.1", "localhost:80"])
    async def test_our_name_with_another_port_is_refused(self, site, host):
        assert (await talk(site, GET.format(f"Host: {host}"))).status == 421

    async def test_a_missing_or_double_host_is_refused(self, site):
        assert (await talk(site, GET.format("Accept: */*"))).status in (400, 421)
        assert (await talk(site, GET.format("Host: HOST\r\nHost: HOST"))).status in (400, 421)
        assert (await talk(site, GET.format("Host: HOST\r\nHost: evil.com"))).status in (400, 421)

    async def test_an_absolute_target_must_be_ours_too(self, site):
        head = "GET http://{}/health HTTP/1.1\r\nHost: HOST\r\n\r\n"
        assert (await talk(site, head.format("HOST"))).status == 200
        assert (await talk(site, head.format("evil.com"))).status == 421
        assert (await talk(site, head.format("[::1"))).status in (400, 421)
        assert (await talk(site, "GET nonsense HTTP/1.1\r\nHost: HOST\r\n\r\n")).status in (400, 421)


class TestOrigin:
    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"]
    )
    async def test_pages_elsewhere_cannot_act(self, owner, origin):
        answer = await owner.post("/projects", json={"name": "Evil"}, headers={"Origin": origin})
        assert (answer.status_code, answer.json()["error"]) == (403, "origin_not_allowed")
        assert "Evil" not in await names(owner)

    @pytest.mark.parametrize("kind", ["cross-site", "same-site"])
    async def test_what_the_browser_says_is_believed(self, owner, kind):
        answer = await owner.post("/projects", json={"name": "Acme"}, headers={"Sec-Fetch-Site": kind})
        assert answer.status_code == 403

    async def test_our_own_page_the_allowed_page_and_programs_can(self, site, owner):
        pages = (
            {"Origin": site.url, "Sec-Fetch-Site": "same-origin"},
            {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            {},
        )
        for headers in pages:
            answer = await owner.post("/projects", json={"name": "Acme"}, headers=headers)
            assert answer.status_code == 200, headers

    async def test_pages_elsewhere_cannot_use_up_the_attempts_to_sign_in(self, home, clock):
        headers = {"Origin": "https://evil.example"}
        async with site_of(home, clock) as site, site.client() as client:
            for _ in range(40):
                assert (await client.get("/auth/me", headers=headers)).status_code == 403
            assert (await client.get("/auth/me")).status_code == 200


class TestHeaders:
    async def test_every_answer_carries_them(self, site, anonymous):
        answers = [
            await anonymous.get("/health"),
            await anonymous.get("/metrics"),
            await anonymous.get("/openapi.json"),
            await anonymous.get("/projects"),
            await anonymous.options("/projects"),
            await anonymous.get("/health", headers={"Host": "evil.com"}),
        ]
        for answer in answers:
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-dns-prefetch-control"] == "off"
            assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
            assert (
                answer.headers["permissions-policy"] == "camera=(), microphone=(), geolocation=(), payment=()"
            )
            policy = answer.headers["content-security-policy"]
            for rule in (
                "default-src 'self'",
                "frame-ancestors 'none'",
                "object-src 'none'",
                "base-uri 'none'",
            ):
                assert rule in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["server"] == "ctower"
            assert answer.headers["x-request-id"]
            assert "strict-transport-security" not in answer.headers

    async def test_only_the_allowed_page_may_read(self, anonymous):
        for origin in (None, "http://localhost:3000"):
            answer = await anonymous.get("/health", headers={"Origin": origin} if origin else {})
            assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
            assert answer.headers["access-control-allow-credentials"] == "true"
            assert "Origin" in answer.headers["vary"]
        answer = await anonymous.get("/health", headers={"Origin": "https://evil.example"})
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers

    async def test_preflight(self, anonymous):
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-csrf-token"}
        for path in ("/projects", "/v1/projects", "/nowhere"):
            answer = await anonymous.options(path, headers={"Origin": "http://localhost:3000", **asked})
            assert (answer.status_code, answer.content) == (204, b"")
            assert "POST" in answer.headers["access-control-allow-methods"]
            assert "x-csrf-token" in answer.headers["access-control-allow-headers"]
        answer = await anonymous.options("/projects", headers={"Origin": "https://evil.example", **asked})
        assert answer.status_code == 204
        assert "access-control-allow-origin" not in answer.headers
        assert "access-control-allow-methods" not in answer.headers

    async def test_the_allowed_page_can_be_set_or_taken_away(self, home, clock):
        async with site_of(home, clock, CORS_ORIGIN="https://ui.example") as site, site.client() as client:
            answer = await client.get("/health")
            assert answer.headers["access-control-allow-origin"] == "https://ui.example"


class TestRequestId:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [("abc!@#def", "abcdef"), ("x" * 100, "x" * 64), ("A-b_c.9", "A-b_c.9"), ("a\tb", "ab")],
    )
    async def test_is_made_harmless_and_echoed(self, anonymous, given, kept):
        for path in ("/health", "/projects", "/nowhere"):
            answer = await anonymous.get(path, headers={"x-request-id": given})
            assert answer.headers["x-request-id"] == answer.json()["request_id"] == kept

    @pytest.mark.parametrize("given", ["", "!!!", None])
    async def test_is_new_when_nothing_is_left(self, anonymous, given):
        answer = await anonymous.get("/health", headers={} if given is None else {"x-request-id": given})
        assert uuid.UUID(answer.headers["x-request-id"]).version == 4

    async def test_of_two_the_first_counts(self, site):
        answer = await talk(site, GET.format("Host: HOST\r\nx-request-id: one\r\nx-request-id: two"))
        assert answer.headers["x-request-id"] == "one"

    async def test_a_line_break_cannot_be_smuggled_into_the_answer(self, site):
        answer = await talk(site, GET.format("Host: HOST\r\nx-request-id: a%0d%0aSet-Cookie:x=1"))
        assert answer.headers["x-request-id"] == "a0d0aSet-Cookiex1"
        assert "set-cookie" not in answer.headers


class TestRoutes:
    @pytest.mark.parametrize("prefix", ["", "/v1", "/api"])
    async def test_every_path_has_its_aliases(self, anonymous, owner, prefix):
        body = (await anonymous.get(f"{prefix}/health")).json()
        assert (body["ok"], body["service"]) == (True, "server")
        assert (await anonymous.get(f"{prefix}/projects")).status_code == 401
        assert (await owner.get(f"{prefix}/projects")).status_code == 200
        assert (await owner.post(f"{prefix}/projects", json={"name": "A"})).status_code == 400

    @pytest.mark.parametrize(
        "path", ["/v1/v1/health", "/v1/api/health", "/v1", "/api", "/", "/health/", "//health"]
    )
    async def test_what_is_nearly_a_path_is_none(self, site, owner, path):
        assert (await talk(site, f"GET {path} HTTP/1.1\r\nHost: HOST\r\n\r\n")).status == 401
        async with owner.stream("GET", site.url + path) as answer:
            assert answer.status_code == 404

    async def test_nobody_learns_what_does_not_exist(self, anonymous, owner):
        for method in ("GET", "POST", "PUT", "DELETE"):
            answer = await anonymous.request(method, "/nowhere")
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
        answer = await owner.get("/nowhere")
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
        assert answer.json()["request_id"] == answer.headers["x-request-id"]

    async def test_another_method_is_refused_by_name(self, anonymous, owner):
        answer = await owner.request("DELETE", "/projects")
        assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, OPTIONS, POST"
        assert (await anonymous.request("PUT", "/health")).status_code == 405
        assert (await anonymous.get("/auth/login")).status_code == 405

    @pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "CONNECT", "PATCH"])
    async def test_methods_nobody_asked_for(self, site, method):
        target = "HOST" if method == "CONNECT" else "/health"
        answer = await talk(site, f"{method} {target} HTTP/1.1\r\nHost: HOST\r\n\r\n")
        assert 400 <= answer.status < 500

    async def test_head_is_get_without_a_body(self, site, anonymous, owner):
        got, head = await anonymous.get("/health"), await anonymous.head("/health")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
        assert (await anonymous.head("/projects")).status_code == 401
        await site.project()
        assert (await owner.head("/events/stream")).status_code == 405, "a stream has no end to measure"

    @pytest.mark.parametrize(
        "part",
        ["%2F", "%00", "..%2f..%2fetc", "%ff%fe", "%", "%zz", "a" * 4000, "%D0%B0", "-", "*", "null"],
    )
    async def test_odd_ids_are_refused(self, site, owner, part):
        headers = "".join(
            f"{name}: {value}\r\n"
            for name, value in (
                ("Cookie", f"lp_session={owner.cookies['lp_session']}"),
                ("x-csrf-token", owner.headers["x-csrf-token"]),
            )
        )
        path = f"/projects/{part}/select"
        answer = await talk(site, f"POST {path} HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n{headers}\r\n")
        assert answer.status == 400, answer.body
        assert answer.json()["error"] in ("invalid_uuid", "bad_request")

    async def test_a_fixed_segment_beats_a_parameter(self, home, clock, declared):
        @TOWER.get("/probe/{name}")
        async def read_probe(call: Anyone, name: str) -> _Word:
            """A word."""
            return _Word(name)

        @TOWER.post("/probe/{name}", csrf=False, role="viewer")
        async def do_probe(call: Anyone, name: str) -> _Word:
            """Do."""
            return _Word("done")

        @TOWER.get("/probe/fixed")
        async def read_fixed_probe(call: Anyone) -> _Word:
            """The fixed word."""
            return _Word("the fixed one")

        async with site_of(home, clock) as site, site.client() as client:
            assert (await client.get("/probe/fixed")).json()["word"] == "the fixed one"
            assert (await client.get("/probe/a%2Fb%20c")).json()["word"] == "a/b c"
            assert (await client.post("/probe/fixed")).json()["word"] == "done"
            answer = await client.request("PUT", "/probe/fixed")
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, OPTIONS, POST")


class TestBodies:
    async def test_an_empty_body_is_an_empty_object(self, owner):
        for headers in ({}, {"content-type": "application/json"}, {"content-type": "text/plain"}):
            answer = await owner.post("/projects", content=b"", headers=headers)
            assert answer.json()["details"] == [{"path": "name", "message": "Required.", "code": "too_small"}]

    @pytest.mark.parametrize(
        "body", [b"{", b"nope", b"\xff\xfe", b'{"name":"x"} trailing', b"[" * 9000, b"NaN"]
    )
    async def test_what_is_not_json(self, owner, body):
        answer = await owner.post("/projects", content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_json")

    @pytest.mark.parametrize("body", ["[]", '"Acme"', "5", "null", "true"])
    async def test_what_is_not_an_object_counts_as_an_empty_one(self, owner, body):
        answer = await owner.post("/projects", content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["error"]) == (400, "validation_error")

    @pytest.mark.parametrize("text", ["\0\0ab", "ab\0", "a\0b"])
    async def test_text_that_no_column_can_hold(self, owner, text):
        answer = await owner.post("/projects", json={"name": text})
        assert (answer.status_code, answer.json()["error"]) == (400, "validation_error")
        assert answer.json()["details"][0]["path"] == "name"
        body = {"username": text, "password": "x"}
        assert (await owner.post("/auth/login", json=body)).status_code == 400

    @pytest.mark.parametrize(
        "kind",
        [
            *("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""),
            *("text/json", "application/json-patch+json", "application/jsonx"),
        ],
    )
    async def test_only_json_is_read(self, owner, kind):
        answer = await owner.post("/projects", content=b'{"name":"Plain"}', headers={"content-type": kind})
        assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")
        assert "Plain" not in await names(owner)

    async def test_the_character_set_may_be_named(self, owner):
        headers = {"content-type": "application/json; charset=utf-8"}
        answer = await owner.post("/projects", content='{"name":"Ёлка"}'.encode(), headers=headers)
        assert answer.json()["project"]["name"] == "Ёлка"

    async def test_a_compressed_body_is_refused(self, owner):
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        assert (await owner.post("/projects", content=b"x" * 50, headers=headers)).status_code == 415

    async def test_64_kib_are_read_and_more_is_refused(self, owner):
        fits = b'{"name":"Acme","pad":"' + b"x" * (64 * 1024 - 24) + b'"}'
        assert len(fits) == 64 * 1024
        json = {"content-type": "application/json"}
        assert (await owner.post("/projects", content=fits, headers=json)).status_code == 200
        answer = await owner.post("/projects", content=fits + b" ", headers=json)
        assert (answer.status_code, answer.json()["error"]) == (413, "payload_too_large")

    async def test_chunks_are_counted_while_they_come(self, owner):
        async def chunks():
            for _ in range(70):
                yield b" " * 1024

        answer = await owner.post("/projects", content=chunks(), headers={"content-type": "application/json"})
        assert answer.status_code == 413

    async def test_a_lying_length_and_broken_chunks(self, site, owner):
        session, token = owner.cookies["lp_session"], owner.headers["x-csrf-token"]
        cookie = f"Cookie: lp_session={session}\r\nx-csrf-token: {token}"
        head = f"POST /projects HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n{cookie}\r\n"
        for rest in (
            "Content-Length: -5\r\n\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
            "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        ):
            answer = await talk(site, head + rest)
            assert answer.status == 400, rest
            assert answer.json()["error"] in ("bad_request", "validation_error")

    async def test_a_client_that_leaves_in_the_middle_is_no_error(self, site, owner, caplog):
        for _ in range(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", site.listener.port)
            del reader
            lines = (
                *("POST /projects HTTP/1.1", f"Host: 127.0.0.1:{site.listener.port}"),
                *("Content-Type: application/json", "Content-Length: 100"),
                f"Cookie: lp_session={owner.cookies['lp_session']}",
                f"x-csrf-token: {owner.headers['x-csrf-token']}",
            )
            writer.write(("\r\n".join(lines) + '\r\n\r\n{"name":"Half"').encode())
            await writer.drain()
            assert (await owner.get("/health")).status_code == 200
            writer.transport.abort()
        assert "Half" not in await names(owner)
        assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []

    async def test_a_body_that_never_ends_is_not_waited_for(self, site, owner, monkeypatch):
        monkeypatch.setattr(edge, "_SLOWEST_BODY", 0.05)
        head = "POST /projects HTTP/1.1\r\nHost: HOST\r\nContent-Length: 50\r\n"
        session, token = owner.cookies["lp_session"], owner.headers["x-csrf-token"]
        answer = await talk(site, f"{head}Cookie: lp_session={session}\r\nx-csrf-token: {token}\r\n\r\n{{")
        assert (answer.status, answer.json()["error"]) == (408, "request_timeout")

    async def test_a_client_that_waits_for_leave_gets_it(self, site, owner):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.listener.port)
        lines = (
            *("POST /projects HTTP/1.1", f"Host: 127.0.0.1:{site.listener.port}", "Expect: 100-continue"),
            *("Content-Type: application/json", "Content-Length: 15", "Connection: close"),
            f"Cookie: lp_session={owner.cookies['lp_session']}",
            f"x-csrf-token: {owner.headers['x-csrf-token']}",
        )
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b'{"name":"Acme"}')
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()

    async def test_what_is_not_http_gets_our_envelope(self, site):
        answer = await talk(site, b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
        assert answer.status == 400
        assert answer.json()["ok"] is False
        assert answer.headers["x-request-id"] == answer.json()["request_id"]
        huge = await talk(site, "GET /health HTTP/1.1\r\nHost: HOST\r\nx: " + "y" * 9000 + "\r\n\r\n")
        assert 400 <= huge.status < 500
        many = "".join(f"h{n}: 1\r\n" for n in range(200))
        assert 400 <= (await talk(site, f"GET /health HTTP/1.1\r\nHost: HOST\r\n{many}\r\n")).status < 500


class TestRetiredPaths:
    async def test_are_gone_after_signing_in(self, site, owner, anonymous):
        assert (await anonymous.get("/kag/search")).status_code == 401
        assert (await anonymous.post("/kag/search")).status_code == 401
        for path in ("/kag/search", "/v1/kag/a/b"):
            answer = await owner.get(path)
            assert (answer.status_code, answer.json()["error"]) == (410, "kag_disabled")
        assert (await owner.post("/kag/search", json={})).status_code == 410
        answer = await owner.post("/kag/search", json={}, headers={"x-csrf-token": ""})
        assert answer.json()["error"] == "csrf_invalid"

    async def test_or_unknown_when_set_so(self, home, clock):
        async with site_of(home, clock, KAG_MODE="absent") as site, site.client() as client:
            assert (await client.get("/kag/search")).status_code == 401
            await client.sign_in()
            assert (await client.get("/kag/search")).status_code == 404


class TestFailures:
    @pytest.mark.logs_errors
    async def test_a_bug_is_told_by_number_and_explained_in_the_log(self, home, clock, declared, caplog):
        @TOWER.get("/probe/bug")
        async def read_bug(call: Anyone) -> _Word:
            """Breaks."""
            raise RuntimeError("the cause, with a secret in it")

        async with site_of(home, clock) as site, site.client() as client:
            with caplog.at_level(logging.ERROR):
                answer = await client.get("/probe/bug")
            body = answer.json()
            assert (answer.status_code, body["error"]) == (500, "internal_error")
            assert body["request_id"] == answer.headers["x-request-id"]
            assert "secret" not in answer.text
            assert "Traceback" not in answer.text
            assert "the cause, with a secret in it" in caplog.text
            metrics = (await client.get("/metrics")).text
            assert re.search(r"^app_errors_total 1\.0$", metrics, re.MULTILINE)
            assert re.search(r"^app_status_5xx 1\.0$", metrics, re.MULTILINE)

    async def test_a_full_disk_is_told_in_words(self, home, clock, declared):
        @TOWER.get("/probe/full")
        async def read_full(call: Anyone) -> _Word:
            """Breaks."""
            raise StorageFull

        async with site_of(home, clock) as site, site.client() as client:
            answer = await client.get("/probe/full")
            assert (answer.status_code, answer.json()["error"]) == (503, "storage_full")
            assert "disk is full" in answer.json()["message"]


class TestOtherDoors:
    @pytest.mark.parametrize("door", [GRAPH, AGENTS], ids=["graph", "agents"])
    async def test_answer_bare_and_refuse_strictly(self, home, clock, declared, door):
        @door.get("/probe")
        async def read_probe(call: Anyone, query: _Many) -> _Word:
            """A word."""
            return _Word("x" * query.many)

        async with site_of(home, clock, door) as site, site.client() as client:
            assert (await client.get("/probe", params={"many": 3})).json() == {"word": "xxx"}
            answer = await client.get("/probe", params={"many": "no"})
            assert answer.status_code == door.misshapen
            inner = answer.json().get("error", answer.json())
            assert inner["code"].lower() == "validation_error"
            assert inner["details"]["issues"][0]["path"] == "many"
        document = openapi.document(door)
        OpenAPIV31SpecValidator(document).validate()
        answers = document["paths"]["/probe"]["get"]["responses"]
        assert answers["200"]["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/_Word"
        }
        assert str(door.misshapen) in answers

    @pytest.mark.parametrize(
        ("door", "shape"),
        [(GRAPH, ["code", "message", "details", "detail"]), (AGENTS, ["error"])],
        ids=["graph", "agents"],
    )
    async def test_speak_their_own_dialect(self, home, clock, door, shape):
        async with site_of(home, clock, door) as site, site.client() as client:
            answer = await client.get("/anything")
            assert answer.status_code == 401
            assert list(answer.json()) == shape
            inner = answer.json().get("error", answer.json())
            assert inner["code"] == ("UNAUTHORIZED" if door is GRAPH else "unauthorized")
            assert inner["details"]["request_id"] == answer.headers["x-request-id"]


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(home, clock) -> AsyncIterator[Client]:
    """The first client of a new site."""
    async with site_of(home, clock) as site, site.client() as client:
        yield client


async def test_metrics_name_what_the_contract_names(fresh):
    assert (await fresh.get("/nowhere")).status_code == 401
    await fresh.sign_in()
    await fresh.get("/projects")
    answer = await fresh.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert {line.split("{")[0].split(" ")[0] for line in lines} >= {
        *("app_requests_total", "app_responses_total", "app_errors_total"),
        *("app_status_2xx", "app_status_4xx", "app_status_5xx"),
        *("app_sse_connections_total", "app_sse_projects_subscribed"),
        *("app_response_status_total", "app_route_requests_total"),
        *("app_route_response_avg_ms", "app_route_response_max_ms"),
    }
    assert set(lines) >= {
        'app_route_requests_total{route="__unknown__"} 1.0',
        'app_route_requests_total{route="/projects"} 1.0',
        'app_response_status_total{status="401"} 1.0',
        "app_status_4xx 1.0",
        "app_status_2xx 2.0",
        "app_requests_total 4.0",
        "app_responses_total 3.0",
    }


async def test_nothing_of_the_password_reaches_the_log(fresh, caplog):
    with caplog.at_level(logging.DEBUG):
        await fresh.post("/auth/login", json={"username": OWNER, "password": PASSWORD})
        await fresh.post("/auth/login", json={"username": OWNER, "password": "canary-7f3a"})
        await fresh.get("/projects", headers={"X-API-Key": "lp_canary-7f3a"})
    assert PASSWORD not in caplog.text
    assert "canary-7f3a" not in caplog.text
