"""What recipients allow: who wants nothing, when a message stops, how often somebody is written to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from PySide6.QtWidgets import QCheckBox, QFormLayout, QSpinBox, QVBoxLayout, QWidget

from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.outbound_deeds import say
from ctower_desktop.gui.outbound_words import channel_words, channels
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.rowlines import RowLine
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import ago, number, tr, trn, when
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.widgets import Label
from ctower_desktop.gui.worklist import Deed, WorkList
from ctower_desktop.inbox.outbound.actions import list_channel_policies, set_channel_policy
from ctower_desktop.inbox.outbound.model import ListPolicies, Policy, PolicyAnswer, SetPolicy
from ctower_desktop.kernel.errors import TowerError

_MOST, _LAST = 500, 10_000
_LONGEST, _OFTEN = 720, 200  # hours of a window, messages in it: what the tower clamps to


class RulesView(WorkList):
    """The list of recipients with rules, and the rules of the one in front."""

    def __init__(self, page: Page) -> None:
        self.who = Chips(tr("Whose rules"), [("", tr("Everybody")), ("out", tr("Opted out"))])
        many = (
            Deed("opt_out", tr("Wants no messages"), self._opt_out, lambda p: not p.opted_out),
            Deed("opt_in", tr("May be written to"), self._opt_in, lambda p: p.opted_out),
        )
        super().__init__(
            page,
            tr("Recipients"),
            tables={"channel_policy"},
            deeds=many,
            chips=(self.who,),
            most=_MOST,
        )

    async def read(self, offset: int, limit: int) -> list[Any]:
        """Rules, the last changed first."""
        if offset > _LAST:
            return []
        query = ListPolicies(opted_out=self.who.value == "out", limit=min(limit, _MOST), offset=offset)
        return list((await list_channel_policies(self.call(), query)).policies)

    def line(self, row_: Policy) -> RowLine:
        """Who, on which channel, and what they allow."""
        mark, token = ("×", "warning") if row_.opted_out else ("✓", "success")
        allowed = tr("wants no messages") if row_.opted_out else tr("may be written to")
        parts = (channel_words(row_.channel), allowed, often_words(row_))
        return RowLine(
            mark=mark,
            token=token,
            title=name_words(row_),
            meta=" · ".join(parts),
            aside=ago(row_.updated_at, self.tower.clock.now()),
            strong=row_.opted_out,
        )

    def columns(self) -> Sequence[Column[Policy]]:
        """The columns of a file."""
        return (
            Column(tr("Recipient"), name_words),
            Column(tr("Channel"), lambda p: channel_words(p.channel)),
            Column(tr("Opted out"), lambda p: tr("yes") if p.opted_out else tr("no")),
            Column(tr("Stops when they answer"), lambda p: tr("yes") if p.stop_on_reply else tr("no")),
            Column(tr("At most"), lambda p: str(p.frequency_cap)),
            Column(tr("In hours"), lambda p: str(p.frequency_window_hours)),
            Column(tr("Sent in this window"), lambda p: str(p.sent_in_window)),
            Column(tr("Last message to them"), lambda p: p.last_outbound_at or ""),
        )

    def nothing(self) -> EmptyState:
        """The defaults hold for everybody."""
        return EmptyState(
            "no_data",
            tr("No rules of their own yet"),
            tr("For everybody holds: a message stops when they answer, and three in a day are enough."),
            tr("New rule…"),
            self.write,
        )

    async def _empty(self) -> EmptyState:
        """Rules are made here: nothing has to be synced first."""
        if self.page.context.has_project() and not self.filtered:
            return self.nothing()
        return await super()._empty()

    async def detail(self, row_: Policy) -> QWidget:
        """The rules of one recipient."""
        shown = self.facts.widget()
        if not (isinstance(shown, RuleForm) and shown.policy.id == row_.id):
            shown = RuleForm(self)
        shown.show_policy(row_)
        return shown

    # -- doing

    def set_rule(self, body: SetPolicy, before: SetPolicy, said: str) -> None:
        """Keep a rule; it can be taken back."""

        async def keep(rule: SetPolicy) -> PolicyAnswer:
            return await set_channel_policy(self.call(), rule)

        def kept(_: PolicyAnswer) -> None:
            undoable(self.page, said, lambda: keep(before))
            self.refresh()

        start(self, keep(body), kept, self._refused)

    def _refused(self, error: TowerError) -> None:
        say(self, error)
        self.refresh()

    def _opt_out(self, rows: list[Any]) -> None:
        self._all(rows, out=True)

    def _opt_in(self, rows: list[Any]) -> None:
        self._all(rows, out=False)

    def _all(self, rows: Sequence[Policy], *, out: bool) -> None:
        for each in rows:
            before = _as_rule(each, opted_out=not out)
            said = tr("Noted: no messages.") if out else tr("Noted: may be written to.")
            self.set_rule(_as_rule(each, opted_out=out), before, said)

    def write(self) -> None:
        """Ask for a rule for somebody who has none."""
        choice = [("yes", tr("wants no messages")), ("no", tr("may be written to"))]
        fields = [
            Field("contact_global_id", tr("Recipient"), hint=tr("An e-mail address, a number, a chat")),
            Field("channel", tr("Channel"), choices=channels()),
            Field("opted_out", tr("Opted out"), parse=lambda typed: typed == "yes", choices=choice),
        ]
        FieldsDialog(
            self.page, tr("New rule"), fields, SetPolicy,
            send=lambda body: set_channel_policy(self.call(), body),
            then=lambda answer: self.listing.choose(answer.policy.id),
            does=tr("Save"),
            about=tr("It holds for every message to them on this channel."),
        ).open()  # fmt: skip


def name_words(policy: Policy) -> str:
    """Whom a rule is about."""
    return policy.contact_name or policy.contact_global_id


def often_words(policy: Policy) -> str:
    """How often somebody may be written to, and was."""
    time = trn("{n} hour", "{n} hours", policy.frequency_window_hours)
    sent, cap = number(policy.sent_in_window), number(policy.frequency_cap)
    return tr("{sent} of {cap} messages in {time}.", sent=sent, cap=cap, time=time)


def _as_rule(policy: Policy, **changes: Any) -> SetPolicy:
    body = SetPolicy(contact_global_id=policy.contact_global_id, channel=policy.channel)
    return msgspec.structs.replace(body, **changes)


class RuleForm(QWidget):
    """The rules of one recipient; each is kept when it is changed."""

    policy: Policy

    def __init__(self, view: RulesView) -> None:
        super().__init__()
        self._view, self._showing = view, False
        self.title = Label("", "section", wrap=True)
        self.title.setMinimumWidth(1)
        self.meta = Label("", "meta", "text_2", wrap=True)
        self.out, self.stop = QCheckBox(tr("Wants no messages")), QCheckBox(tr("Stop when they answer"))
        self.cap, self.hours = QSpinBox(), QSpinBox()
        self.cap.setRange(1, _OFTEN)
        self.hours.setRange(1, _LONGEST)
        self.seen = Label("", "meta", "text_2", wrap=True)
        form = QFormLayout()
        form.setVerticalSpacing(8)
        for box in (self.out, self.stop):
            box.setAccessibleName(box.text())
            form.addRow(box)
        for name, spin in ((tr("Messages at most"), self.cap), (tr("In how many hours"), self.hours)):
            spin.setAccessibleName(name)
            spin.setKeyboardTracking(False)
            label = Label(name)
            label.setBuddy(spin)
            form.addRow(label, spin)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 12, 20, 16)
        column.setSpacing(10)
        column.addWidget(self.title)
        column.addWidget(self.meta)
        column.addLayout(form)
        column.addWidget(self.seen)
        column.addStretch(1)
        self.out.toggled.connect(lambda on: self._change("opted_out", on))
        self.stop.toggled.connect(lambda on: self._change("stop_on_reply", on))
        self.cap.valueChanged.connect(lambda count: self._change("frequency_cap", count))
        self.hours.valueChanged.connect(lambda count: self._change("frequency_window_hours", count))

    def show_policy(self, policy: Policy) -> None:
        """Show what holds now."""
        self.policy, self._showing = policy, True
        now = self._view.tower.clock.now()
        self.title.setText(name_words(policy))
        self.meta.setText(tr("{channel} · {count}", channel=channel_words(policy.channel),
                             count=often_words(policy)))  # fmt: skip
        self.out.setChecked(policy.opted_out)
        self.stop.setChecked(policy.stop_on_reply)
        self.cap.setValue(policy.frequency_cap)
        self.hours.setValue(policy.frequency_window_hours)
        lines = (
            (tr("Last message to them"), policy.last_outbound_at),
            (tr("They wrote last"), policy.last_inbound_at),
            (tr("Last rule"), policy.ruled_at),
        )
        self.seen.setText(
            "\n".join(tr("{name}: {value}", name=n, value=when(at, now)) for n, at in lines if at)
        )
        self._showing = False

    def _change(self, name: str, value: object) -> None:
        if not self._showing and getattr(self.policy, name) != value:
            before = _as_rule(self.policy, **{name: getattr(self.policy, name)})
            self._view.set_rule(_as_rule(self.policy, **{name: value}), before, tr("The rule is kept."))
