"""Drafts, edits, approval, calling off: what may become of a message before it is sent."""

from __future__ import annotations

import pytest

from ctower_desktop.accounts.model import IdempotencyKeyReuse
from ctower_desktop.inbox.outbound.actions import (
    approve_outbound,
    cancel_outbound,
    draft_outbound,
    edit_outbound,
    list_outbound,
    preview_outbound,
    read_outbound,
)
from ctower_desktop.inbox.outbound.model import (
    ApproveOutbound,
    EditOutbound,
    ListOutbound,
    NewOutbound,
    OutboundExists,
    OutboundInvalidState,
    OutboundNotEditable,
    OutboundNotFound,
)
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Invalid


async def listed(post, **query):
    return (await list_outbound(post.call, ListOutbound(**query))).outbound


async def test_a_draft_is_kept_whole(post):
    """Contract endpoint 62."""
    made = await post.draft(
        payload={"subject": "Счёт", "text": "Добрый день"}, evidence_refs=["cwmsg:1:1"], max_retries=3
    )
    assert (made.status, made.retry_count, made.max_retries, made.next_attempt_at) == ("draft", 0, 3, None)
    assert made.payload == {"subject": "Счёт", "text": "Добрый день"}
    assert [(ref.source, ref.ref) for ref in made.evidence_refs] == [("cw_messages", "cwmsg:1:1")]
    assert len(made.dedupe_key) == 64
    assert await post.audited() == [("outbound.draft", "ok")]
    assert await post.rows("SELECT source_pk FROM evidence_item") == [("cwmsg:1:1",)]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"channel": "email", "recipient_ref": "a@b.c"}, "idempotency_key"),
        ({"channel": "email", "recipient_ref": "a@b.c", "idempotency_key": " "}, "idempotency_key"),
        ({"channel": "fax", "recipient_ref": "a@b.c", "idempotency_key": "k"}, "channel"),
        ({"channel": "email", "recipient_ref": "", "idempotency_key": "k"}, "recipient_ref"),
        ({"channel": "email", "recipient_ref": "x" * 501, "idempotency_key": "k"}, "recipient_ref"),
        (
            {"channel": "email", "recipient_ref": "a", "idempotency_key": "k", "max_retries": 21},
            "max_retries",
        ),
        ({"channel": "email", "recipient_ref": "a", "idempotency_key": "k", "payload": []}, "payload"),
    ],
)
def test_what_does_not_fit_is_refused(body, path):
    """Contract T29: without an idempotency key 400."""
    with pytest.raises(Invalid) as refused:
        check(body, NewOutbound)
    assert [issue.path for issue in refused.value.issues] == [path]


async def test_one_key_is_one_message(post):
    """Contract T29: the same key gives the same id, and a draft takes over what is new."""
    first = await post.draft(key="one", payload={"text": "first"})
    second = await post.draft(key="one", payload={"text": "second"}, max_retries=2)
    assert second.id == first.id
    assert (second.payload, second.max_retries) == ({"text": "second"}, 2)
    assert second.dedupe_key != first.dedupe_key
    with pytest.raises(IdempotencyKeyReuse):
        await post.draft(key="one", to="other@north.example", payload={"text": "second"})


async def test_a_sent_message_is_not_changed_by_its_key(post):
    """Fault absent: a re-used idempotency key rewrote a message whatever its status."""
    made = await post.approved(key="one", payload={"text": "said"})
    sent = await post.send(made)
    with pytest.raises(OutboundNotEditable):
        await post.draft(key="one", payload={"text": "never said"})
    assert await post.now(made) == sent
    again = await post.draft(key="one", payload={"text": "said"})
    assert again == sent


async def test_the_same_content_is_written_once(post):
    """Fault absent: the same content to the same recipient ended in a 500."""
    first = await post.draft(key="one", payload={"text": "same"})
    with pytest.raises(OutboundExists):
        await post.draft(key="two", payload={"text": "same"})
    await post.draft(key="three", payload={"text": "same"}, to="boris@north.example")
    await post.draft(key="four", payload={"text": "same"}, channel="telegram", to="@anna_north")
    await post.draft(key="five", payload={"text": "same"}, dedupe_key="on purpose")
    with pytest.raises(OutboundExists):
        await post.draft(key="six", payload={"text": "other"}, dedupe_key="on purpose")
    await cancel_outbound(post.call, first.id)
    again = await post.draft(key="seven", payload={"text": "same"})
    assert again.id != first.id


async def test_the_list_is_the_newest_first_by_state_and_in_pages(post):
    """Contract endpoint 61 and T37."""
    made = []
    for _ in range(5):
        post.clock.advance(1)
        made.append(await post.draft())
    await approve_outbound(post.call, made[1].id, ApproveOutbound())
    assert [m.id for m in await listed(post)] == [m.id for m in reversed(made)]
    assert [m.id for m in await listed(post, limit=2, offset=1)] == [made[3].id, made[2].id]
    assert [m.id for m in await listed(post, status="approved")] == [made[1].id]
    assert await listed(post, status="nonsense") == []
    for given, limit, offset in (("0", 1, 0), ("abc", 50, 0), ("999", 200, 10_000), ("-1", 1, 0)):
        query = list_outbound.arguments({}, {"limit": given, "offset": "99999" if limit == 200 else "x"}, b"")
        assert (query["query"].limit, query["query"].offset) == (limit, offset)


async def test_approval_lets_a_draft_go_once(post):
    """Contract endpoint 63; approving again changes neither who approved nor when."""
    made = await post.draft()
    post.clock.advance(60)
    first = (await approve_outbound(post.call, made.id, ApproveOutbound(evidence_refs=["cw:1"]))).outbound
    assert (first.status, first.approved_by, first.approved_at) == ("approved", "desktop", post.clock.text())
    assert first.next_attempt_at == first.approved_at
    assert [ref.ref for ref in first.evidence_refs] == ["cw:1"]
    post.clock.advance(60)
    assert (await approve_outbound(post.call, made.id, ApproveOutbound())).outbound == first
    sent = await post.send(made)
    assert (await approve_outbound(post.call, made.id, ApproveOutbound())).outbound == sent
    cancelled = await post.draft()
    await cancel_outbound(post.call, cancelled.id)
    with pytest.raises(OutboundInvalidState):
        await approve_outbound(post.call, cancelled.id, ApproveOutbound())
    assert ("outbound.approve", "ok") in await post.audited()


async def test_a_draft_cannot_be_sent(post):
    """Contract T29: sending a draft is 409."""
    await post.refused(await post.draft(), OutboundInvalidState)
    assert post.smtp.inbox == []


async def test_what_is_changed_needs_approval_again(post):
    made = await post.approved(payload={"text": "one"})
    changed = (await edit_outbound(post.call, made.id, EditOutbound(payload={"text": "two"}))).outbound
    assert (changed.status, changed.approved_at, changed.next_attempt_at) == ("draft", None, None)
    assert changed.payload == {"text": "two"}
    kept = (await edit_outbound(post.call, made.id, EditOutbound(max_retries=1))).outbound
    assert (kept.payload, kept.max_retries, kept.dedupe_key) == ({"text": "two"}, 1, changed.dedupe_key)
    moved = (await edit_outbound(post.call, made.id, EditOutbound(recipient_ref="b@north.example"))).outbound
    assert (moved.recipient_ref, moved.dedupe_key == kept.dedupe_key) == ("b@north.example", False)
    await post.draft(key="other", payload={"text": "there"}, to="b@north.example")
    with pytest.raises(OutboundExists):
        await edit_outbound(post.call, made.id, EditOutbound(payload={"text": "there"}))
    with pytest.raises(Invalid):
        await edit_outbound(post.call, made.id, EditOutbound(payload={"text": 5}))
    await approve_outbound(post.call, made.id, ApproveOutbound())
    await post.send(made)
    with pytest.raises(OutboundInvalidState):
        await edit_outbound(post.call, made.id, EditOutbound(payload={"text": "late"}))


async def test_a_key_of_its_own_survives_an_edit(post):
    made = await post.draft(dedupe_key="mine")
    changed = (await edit_outbound(post.call, made.id, EditOutbound(payload={"text": "x"}))).outbound
    assert changed.dedupe_key == "mine"


async def test_calling_off(post):
    made = await post.approved()
    off = (await cancel_outbound(post.call, made.id)).outbound
    assert (off.status, off.next_attempt_at) == ("cancelled", None)
    for again in (cancel_outbound,):
        with pytest.raises(OutboundInvalidState):
            await again(post.call, made.id)
    await post.refused(made, OutboundInvalidState)
    sent = await post.approved()
    await post.send(sent)
    with pytest.raises(OutboundInvalidState):
        await cancel_outbound(post.call, sent.id)


async def test_another_project_sees_and_changes_nothing(post):
    """Contract T14: ids of another project are 404."""
    made = await post.approved()
    other = await post.other_project()
    assert (await list_outbound(other, ListOutbound())).outbound == []
    for attempt in (
        read_outbound(other, made.id),
        edit_outbound(other, made.id, EditOutbound(max_retries=1)),
        approve_outbound(other, made.id, ApproveOutbound()),
        cancel_outbound(other, made.id),
    ):
        with pytest.raises(OutboundNotFound):
            await attempt
    post.call = other
    await post.refused(made, OutboundNotFound)
    await draft_outbound(
        other,
        NewOutbound(
            channel="email", recipient_ref=made.recipient_ref, idempotency_key=made.idempotency_key,
            payload=made.payload,
        ),
    )  # fmt: skip
    assert post.smtp.inbox == []


async def test_a_message_names_whom_it_is_for(post):
    anna = await post.contact(1)
    talk = await post.talk(anna)
    assert (await post.draft(to=anna)).recipient_name == "Анна"
    draft = await post.draft(to=talk, channel="chatwoot")
    assert draft.recipient_name == "Анна"
    assert (await post.now(draft)).recipient_name == "Анна"
    assert (await post.draft(to="+7 900 000-00-00", channel="telegram")).recipient_name is None


async def test_checks_carry_their_figures_and_names(post):
    checks = (await preview_outbound(post.call, (await post.draft()).id)).checks
    facts = {check.name: check.facts for check in checks}
    assert facts["state"] == {"status": "draft", "approved_by": None}
    assert facts["frequency_cap"] == {"sent": 0, "cap": 3, "hours": 24}
    assert facts["recipient"] == {"to": "anna@north.example"}
    assert facts["channel"] == {"title": "E-mail", "missing": None}
