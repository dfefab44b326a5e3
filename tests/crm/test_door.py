"""Sales through the HTTP door: what is sent twice is done once."""

from __future__ import annotations

import pytest

from tests.web.conftest import site_of


@pytest.fixture
async def site(home, clock):
    async with site_of(home, clock) as found:
        await found.project()
        yield found


@pytest.fixture
async def owner(site):
    async with site.client() as client:
        await client.sign_in()
        yield client


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        ("/crm/accounts", {"name": "Acme"}, {"name": "Other"}),
        ("/offers", {"title": "Сайт", "subtotal": "12000", "discount_pct": 10}, {"title": "Other"}),
    ],
)
async def test_a_key_sent_again_brings_the_same_answer(owner, path, body, wrong):
    """T27. Fault absent: any idempotency key replays across routes and bodies."""
    headers = {"x-idempotency-key": "k1"}
    first = await owner.post(path, json=body, headers=headers)
    again = await owner.post(path, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    other = await owner.post(path, json=wrong, headers=headers)
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_key_reuse")
    listed = (await owner.get(path)).json()
    assert len(listed[path.rsplit("/", 1)[1]]) == 1


async def test_money_and_shares_leave_as_numbers(owner):
    account = (await owner.post("/crm/accounts", json={"name": "Acme"})).json()["account"]
    body = {"title": "t", "account_id": account["id"], "next_step": "call", "amount_estimate": "5000",
            "probability": "0.35", "evidence_refs": ["cwmsg:1"]}  # fmt: skip
    found = (await owner.post("/crm/opportunities", json=body)).json()["opportunity"]
    assert (found["amount_estimate"], found["probability"]) == (5000.0, 0.35)
    offer = (await owner.post("/offers", json={"title": "t", "subtotal": 1000, "discount_pct": 10})).json()[
        "offer"
    ]
    assert (offer["subtotal"], offer["discount_pct"], offer["total"]) == (1000.0, 10.0, 900.0)


async def test_wrong_input_has_its_words(owner):
    """Fault absent: duplicate account name, bad account_id, ids that are no UUIDs → 500."""
    await owner.post("/crm/accounts", json={"name": "Acme"})
    good = {"title": "t", "account_id": "00000000-0000-4000-8000-00000000dead", "next_step": "call"}
    for path, body, status, code in (
        ("/crm/accounts", {"name": "acme"}, 409, "account_exists"),
        ("/crm/accounts", {"name": "B2", "owner_user_id": "nobody"}, 400, "invalid_owner_user_id"),
        ("/crm/opportunities", good, 404, "account_not_found"),
        ("/crm/opportunities", good | {"account_id": "x"}, 400, "invalid_uuid"),
        ("/crm/opportunities", good | {"next_step": "abc"}, 400, "validation_error"),
        ("/crm/opportunities", good | {"expected_close_date": "soon"}, 400, "validation_error"),
        ("/crm/opportunities/1/stage", {"stage": "won"}, 400, "invalid_uuid"),
        ("/offers", {"title": "t", "account_id": good["account_id"]}, 404, "account_not_found"),
        ("/offers/x/approve-discount", {}, 400, "invalid_uuid"),
        (f"/offers/{good['account_id']}/approve-send", {}, 404, "offer_not_found"),
    ):
        answer = await owner.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]) == (status, code), path


async def test_a_button_that_sends_no_body_works(owner):
    """Fault absent: an empty body with a JSON content type → 500."""
    offer = (await owner.post("/offers", json={"title": "t", "discount_pct": 5})).json()["offer"]
    headers = {"content-type": "application/json"}
    for step, status in (("approve-discount", "approved"), ("approve-send", "sent"), ("sign", "signed")):
        answer = await owner.post(f"/offers/{offer['id']}/{step}", headers=headers)
        assert (answer.status_code, answer.json()["offer"]["status"]) == (200, status)
    document = await owner.get(offer["generated_doc_url"])
    assert document.headers["content-type"] == "application/pdf"
    assert document.content.startswith(b"%PDF-")
    shown = await owner.get(f"/offers/{offer['id']}/document?format=markdown")
    assert shown.headers["content-type"] == "text/markdown; charset=utf-8"
