"""Offers: written, approved by whom it may be, sent, signed, rejected, written anew."""

from __future__ import annotations

import pytest

from ctower_desktop.accounts.actions import list_audit
from ctower_desktop.accounts.model import AuditQuery
from ctower_desktop.crm.actions import archive_account, create_account, create_opportunity
from ctower_desktop.crm.model import (
    AccountArchived,
    AccountNotFound,
    NewAccount,
    NewOpportunity,
    OpportunityNotFound,
)
from ctower_desktop.crm.offers.actions import (
    approve_discount,
    approve_sending,
    edit_offer,
    list_offers,
    read_offer,
    read_offer_document,
    reject_offer,
    renew_offer,
    sign_offer,
)
from ctower_desktop.crm.offers.model import (
    AccountMismatch,
    Decision,
    DiscountNeedsOwner,
    EditOffer,
    FourEyesRequired,
    ListOffers,
    NewItem,
    NewOffer,
    OfferInvalidState,
    OfferNotFound,
    OfferVersionExists,
    ReadDocument,
)
from ctower_desktop.crm.offers.settings import Offers
from ctower_desktop.crm.settings import Crm
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.endpoint import ENDPOINTS
from ctower_desktop.kernel.errors import Invalid, InvalidUuid
from ctower_desktop.kernel.tower import desktop
from ctower_desktop.projects.actions import NewProject, create_project
from tests.crm.offers.conftest import lines

UNKNOWN = "00000000-0000-4000-8000-00000000dead"
STATES = ("draft", "approved", "sent", "signed", "rejected")


async def titles(call, **query):
    return [o.title for o in (await list_offers(call, ListOffers(**query))).offers]


async def test_the_way_of_an_offer(call, write):
    """T28: discount 0 is born approved; 10 is a draft of 900; each approval works once."""
    assert (await write(discount_pct=0.0)).status == "approved"
    offer = await write(currency="eur")
    assert (offer.status, offer.total, offer.currency, offer.created_by) == ("draft", 900.0, "EUR", "desktop")
    with pytest.raises(OfferNotFound):
        await approve_sending(call, offer.id, Decision())
    found = (await approve_discount(call, offer.id.upper(), Decision(comment="ok"))).offer
    assert (found.status, found.discount_pct) == ("approved", 10.0)
    with pytest.raises(OfferNotFound):
        await approve_discount(call, offer.id, Decision())
    sent = (await approve_sending(call, offer.id, Decision())).offer
    assert (sent.status, sent.sent_at) == ("sent", call.tower.clock.text())
    with pytest.raises(OfferNotFound):
        await approve_sending(call, offer.id, Decision())


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"title": ""}, "title"), ({"subtotal": -1}, "subtotal"), ({"subtotal": 1.1e9}, "subtotal"),
        ({"discount_pct": 100.1}, "discount_pct"), ({"currency": "ROUBLES"}, "currency"),
        ({"items": [{"title": "x", "kind": "gift"}]}, "items.0.kind"),
        ({"items": [{"title": "x", "quantity": 0}]}, "items.0.quantity"),
        ({"items": [{"title": "x"}] * 201}, "items"), ({"evidence_refs": {"a": 1}}, "evidence_refs"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(wrong, path):
    with pytest.raises(Invalid) as refused:
        check({"title": "t"} | wrong, NewOffer)
    assert [issue.path for issue in refused.value.issues] == [path]


async def test_what_is_left_out_is_taken_for_granted(call, write):
    offer = await write(currency="", valid_until="", evidence_refs=["cwmsg:1", "cwmsg:1"])
    assert (offer.currency, offer.valid_until, offer.version) == ("USD", None, 1)
    assert [ref.ref for ref in offer.evidence_refs] == ["cwmsg:1"]
    await call.tower.settings.change(Crm, {"currency": "RUB"})
    assert (await write(valid_until="2027-01-31T10:00:00Z")).currency == "RUB"
    with pytest.raises(Invalid):
        await write(valid_until="next week")


async def test_lines_make_the_subtotal_and_a_discount_line_is_a_discount(call, write):
    items = [*lines(2), NewItem(title="Скидка", kind="discount", unit_price=20.0)]
    offer = await write(items=items, subtotal=5.0, discount_pct=0.0)
    assert (offer.subtotal, offer.total, offer.status, offer.granted_pct) == (180.0, 180.0, "draft", 10.0)
    found = await read_offer(call, offer.id)
    assert [(i.kind, i.title, i.amount) for i in found.items] == [
        ("package", "Работа 1", 100.0), ("package", "Работа 2", 100.0), ("discount", "Скидка", -20.0),
    ]  # fmt: skip


async def test_offers_are_looked_through_by_pages(call, write, clock):
    """Fault absent: lists of offers without offset."""
    for number in range(4):
        clock.advance(1)
        await write(title=f"{number}", discount_pct=number and 10.0)
    assert await titles(call) == ["3", "2", "1", "0"]
    assert await titles(call, limit=2, offset=1) == ["2", "1"]
    assert await titles(call, status="approved") == ["0"]
    assert await titles(call, status="x") == await titles(call, account_id=UNKNOWN) == []


async def test_an_offer_refers_to_what_is_there(call, write, account, opportunity):
    offer = await write(opportunity_id=opportunity.id.upper())
    assert (offer.account_id, offer.account_name) == (account.id, account.name)
    assert await titles(call, opportunity_id=opportunity.id) == await titles(call, account_id=account.id)
    other = (await create_account(call, NewAccount(name="Other"))).account
    for wrong, error in (
        ({"account_id": UNKNOWN}, AccountNotFound), ({"opportunity_id": UNKNOWN}, OpportunityNotFound),
        ({"account_id": "acme"}, InvalidUuid), ({"opportunity_id": "1"}, InvalidUuid),
        ({"account_id": other.id, "opportunity_id": opportunity.id}, AccountMismatch),
    ):  # fmt: skip
        with pytest.raises(error):
            await write(**wrong)
        with pytest.raises(error):
            await edit_offer(call, offer.id, EditOffer(**wrong))
    new = NewOpportunity(title="t", account_id=other.id, next_step="call")
    theirs = (await create_opportunity(call, new)).opportunity
    moved = (await edit_offer(call, offer.id, EditOffer(opportunity_id=theirs.id))).offer
    assert (moved.account_id, moved.opportunity_id) == (other.id, theirs.id)
    bare = (await edit_offer(call, offer.id, EditOffer(opportunity_id=None, account_id=None))).offer
    assert (bare.account_id, bare.opportunity_id) == (None, None)
    third = (await create_account(call, NewAccount(name="Third"))).account
    await archive_account(call, third.id)
    with pytest.raises(AccountArchived):
        await write(account_id=third.id)


async def test_an_edit_asks_for_approval_anew(call, offer_in, clock):
    offer = await offer_in("approved", items=lines(2))
    clock.advance(60)
    found = (await edit_offer(call, offer.id, EditOffer(title="Сайт 2", notes="50 % вперёд"))).offer
    assert (found.title, found.status, found.updated_at) == ("Сайт 2", "draft", clock.text())
    assert len((await read_offer(call, offer.id)).items) == 2
    found = (await edit_offer(call, offer.id, EditOffer(discount_pct=0.0, items=lines(3)))).offer
    assert (found.subtotal, found.total, found.status) == (300.0, 300.0, "approved")
    found = (await edit_offer(call, offer.id, EditOffer(items=[], currency="rub"))).offer
    assert (found.subtotal, found.currency) == (300.0, "RUB")
    assert (await edit_offer(call, offer.id, EditOffer(subtotal=5.5))).offer.total == 5.5
    with pytest.raises(Invalid):
        await edit_offer(call, offer.id, EditOffer(items=lines(1, kind="discount")))
    assert (await read_offer(call, offer.id)).items == []


@pytest.mark.parametrize("status", ["sent", "signed", "rejected"])
async def test_what_went_out_is_changed_no_more(call, offer_in, status):
    offer = await offer_in(status)
    with pytest.raises(OfferInvalidState):
        await edit_offer(call, offer.id, EditOffer(title="x"))
    assert (await read_offer(call, offer.id)).offer.title == "Сайт"


@pytest.mark.parametrize("status", STATES)
async def test_an_offer_can_be_signed_and_rejected(call, offer_in, status):
    """Fault absent: no endpoint to sign or reject an offer."""
    offer = await offer_in(status)
    for act, allowed, after in (
        (sign_offer, ("sent",), "signed"), (reject_offer, ("draft", "approved", "sent"), "rejected"),
    ):  # fmt: skip
        fresh = offer if act is sign_offer else await offer_in(status)
        if status not in allowed:
            with pytest.raises(OfferInvalidState):
                await act(call, fresh.id, Decision())
            continue
        found = (await act(call, fresh.id, Decision(comment="по телефону"))).offer
        assert (found.status, getattr(found, f"{after}_at")) == (after, call.tower.clock.text())


async def test_a_rejected_offer_is_written_anew_once(call, offer_in):
    offer = await offer_in("rejected", items=lines(2), notes="n", valid_until="2027-01-01")
    new = (await renew_offer(call, offer.id)).offer
    assert (new.version, new.previous_id, new.status) == (2, offer.id, "draft")
    assert (new.title, new.total, new.notes, new.valid_until) == (offer.title, offer.total, "n", "2027-01-01")
    assert (await read_offer(call, new.id)).items == (await read_offer(call, offer.id)).items
    with pytest.raises(OfferVersionExists):
        await renew_offer(call, offer.id)
    with pytest.raises(OfferInvalidState):
        await renew_offer(call, new.id)


async def test_four_eyes(call, write, as_user):
    """Fault absent: an author approves their own discount (with the switch on)."""
    anna, boris = as_user("anna"), as_user("boris")
    own = await write(by=anna)
    assert (await approve_discount(anna, own.id, Decision())).offer.status == "approved"
    await call.tower.settings.change(Offers, {"four_eyes": True})
    offer, plain = await write(by=anna), await write(by=anna, discount_pct=0.0)
    for act, found in ((approve_discount, offer), (approve_sending, plain)):
        with pytest.raises(FourEyesRequired):
            await act(anna, found.id, Decision())
        with pytest.raises(FourEyesRequired):
            await act(as_user("apikey:x", "owner", "api_key"), found.id, Decision())
    await edit_offer(boris, offer.id, EditOffer(discount_pct=12.0))
    with pytest.raises(FourEyesRequired):
        await approve_discount(boris, offer.id, Decision())
    vera = as_user("vera")
    assert (await approve_discount(vera, offer.id, Decision())).offer.status == "approved"
    assert (await approve_sending(vera, offer.id, Decision())).offer.status == "sent"
    assert (await sign_offer(anna, offer.id, Decision())).offer.status == "signed"


async def test_a_large_discount_is_the_owners_word(call, write, as_user):
    """Fault absent: any role approves any discount."""
    pm, owner = as_user("anna"), as_user("olga", "owner")
    assert (await approve_discount(pm, (await write(discount_pct=18.0)).id, Decision())).offer
    hidden = [*lines(1), NewItem(title="s", kind="discount", unit_price=20.0)]
    for values in ({"discount_pct": 18.01}, {"discount_pct": 0.0, "items": hidden}):
        offer = await write(**values)
        with pytest.raises(DiscountNeedsOwner):
            await approve_discount(pm, offer.id, Decision())
        assert (await approve_discount(owner, offer.id, Decision())).offer.status == "approved"
        assert (await approve_sending(pm, offer.id, Decision())).offer.status == "sent"
    await call.tower.settings.change(Offers, {"max_discount_pct": 50.0})
    assert (await approve_discount(pm, (await write(discount_pct=50.0)).id, Decision())).offer


async def test_every_step_is_kept_with_who_took_it(call, offer_in):
    offer = await offer_in("sent")
    await sign_offer(call, offer.id, Decision(comment="договор 7", evidence_refs=["cwmsg:7"]))
    found = (await read_offer(call, offer.id)).approvals
    assert [a.action for a in found] == ["sign", "approve_send", "approve_discount"]
    assert (found[0].actor_username, found[0].comment, found[0].evidence_refs[0].ref) == (
        "desktop", "договор 7", "cwmsg:7",
    )  # fmt: skip
    audit = (await list_audit(call, AuditQuery())).events
    mine = [(e.action, e.payload["offer_status"]) for e in audit if e.entity_id == offer.id]
    assert mine == [("offer.sign", "signed"), ("offer.approve_send", "sent"), 
                    ("offer.approve_discount", "approved"), ("offer.create", "draft")]  # fmt: skip
    assert audit[0].request_id == found[0].request_id


async def test_another_projects_offer_is_not_there(call, write, account):
    offer = await write(account_id=account.id)
    other = (await create_project(desktop(call.tower, "t"), NewProject(name="Other"))).project
    there = desktop(call.tower, "t", other)
    assert await titles(there) == []
    for act in (approve_discount, approve_sending, sign_offer, reject_offer):
        with pytest.raises(OfferNotFound):
            await act(there, offer.id, Decision())
    for asking in (
        read_offer(there, offer.id), edit_offer(there, offer.id, EditOffer(title="x")),
        renew_offer(there, offer.id), read_offer_document(there, offer.id, ReadDocument()),
    ):  # fmt: skip
        with pytest.raises(OfferNotFound):
            await asking
    with pytest.raises(AccountNotFound):
        await write(by=there, account_id=account.id)
    assert (await read_offer(call, offer.id)).offer == offer


def test_who_may_decide():
    """Fault absent: viewers approve, sign and reject."""
    deciding = ("approve_discount", "approve_sending", "sign_offer", "reject_offer")
    assert {ENDPOINTS[f"tower.{name}"].role for name in deciding} == {"pm"}
