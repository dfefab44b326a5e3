"""E-mail over real sockets: encryption, certificates, signing in, how a letter looks, what goes wrong."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ctower_desktop.connectors.channels.settings import SmtpSettings
from ctower_desktop.inbox.outbound.actions import try_channel
from ctower_desktop.inbox.outbound.model import ChannelNotConfigured, SendFailed
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.sandbox.smtp import Fault, Smtp
from tests.posting import ANNA


class Authority:
    """A certificate authority of the tests' own, and a server's context by it."""

    def __init__(self, folder: Path) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        signing = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        made = self._built(self.name, self.key.public_key()).add_extension(constraints, critical=True)
        made = made.add_extension(signing, critical=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._signed(made).public_bytes(serialization.Encoding.PEM))
        self.folder = folder

    def context(self, *hosts: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.IPAddress(ipaddress.ip_address(h)) if h[0].isdigit() else x509.DNSName(h) for h in hosts
        ]
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        made = self._built(name, key.public_key()).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        file = self.folder / f"{hosts[0]}.pem"
        plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, *plain)
            + self._signed(made).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _built(self, name: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now().astimezone()
        made = x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key)
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        known = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        return made.not_valid_after(now + timedelta(days=2)).add_extension(known, critical=False)

    def _signed(self, made: x509.CertificateBuilder) -> x509.Certificate:
        return made.sign(self.key, hashes.SHA256())


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def certified(authority) -> ssl.SSLContext:
    return authority.context("127.0.0.1", "localhost")


async def smtp(post, **values):
    await post.tower.settings.change(SmtpSettings, values)


async def tested(post):
    return await try_channel(post.call, "email")


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_letters_travel_encrypted(post, authority, certified, security):
    async with Smtp(username="pm", password="secret", security=security, tls=certified).running() as server:
        await smtp(post, port=server.port, security=security, ca_file=str(authority.file))
        assert (await tested(post)).works
        await post.send(await post.approved())
        [letter] = server.inbox
        assert (letter.secured, letter.signed_in_as) == (True, "pm")
        assert server.commands.count("AUTH") == 2
        if security == "starttls":
            assert server.commands.index("STARTTLS") < server.commands.index("AUTH")


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_nobody_vouches_for_is_refused(post, certified, security):
    async with Smtp(username="pm", password="secret", security=security, tls=certified).running() as server:
        await smtp(post, port=server.port, security=security)
        found = await tested(post)
        assert (found.works, "not trusted" in found.message) == (False, True), found.message
        await post.refused(await post.approved(), SendFailed)
        assert (server.inbox, "AUTH" in server.commands) == ([], False)


async def test_a_certificate_of_another_host_is_refused(post, authority):
    elsewhere = authority.context("mail.elsewhere.example")
    async with Smtp(security="tls", tls=elsewhere).running() as server:
        await smtp(post, port=server.port, security="tls", ca_file=str(authority.file), username=None)
        found = await tested(post)
        assert (found.works, "not trusted" in found.message) == (False, True), found.message


async def test_no_starttls_no_letter(post):
    """Whoever sits between takes the offer of STARTTLS out: nothing is said in the open then."""
    await smtp(post, security="starttls")
    found = await tested(post)
    assert (found.works, "does not offer STARTTLS" in found.message) == (False, True), found.message
    await post.refused(await post.approved(), SendFailed)
    assert "AUTH" not in post.smtp.commands
    assert not any(line.startswith("MAIL") for line in post.smtp.commands)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"password": "wrong"}, "does not accept user name and password (535)"),
        ({"port": 1}, "There is no mail server at 127.0.0.1:1"),
        ({"security": "tls"}, "does not speak TLS"),
        ({"host": "192.0.2.1"}, "STARTTLS or TLS"),
        ({"host": "192.168.7.7", "security": "starttls"}, "private network"),
        ({"host": "169.254.169.254", "security": "tls"}, "169.254.169.254"),
        ({"host": "nowhere.invalid", "security": "tls"}, "cannot be found"),
        ({"ca_file": "/nowhere.pem", "security": "tls"}, "is not there"),
    ],
)
async def test_the_test_says_what_is_wrong(post, values, words):
    await smtp(post, **values)
    found = await tested(post)
    assert (found.works, found.code) == (False, "delivery_failed")
    assert words in found.message
    assert "secret" not in found.message


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"host": None}, "mail server"),
        ({"from_address": "nobody"}, "address messages come from"),
        ({"password": None}, "password"),
        ({"reply_to": "a b@c"}, "answers"),
    ],
)
async def test_what_is_not_set_is_named(post, values, words):
    await smtp(post, **values)
    found = await tested(post)
    assert (found.works, found.code, words in found.message) == (False, "channel_not_configured", True)
    await post.refused(await post.approved(), ChannelNotConfigured)


async def test_a_letter_in_russian_arrives_as_it_was_written(post):
    text = "Добрый день!\n.\nСтрока после точки\nx" + "ю" * 2_000
    rich = "<p>Добрый день, <b>{{name}}</b></p>"
    payload = {"subject": "Счёт №5 для {{name}}", "text": text, "html": rich, "variables": {"name": "A<b>"}}
    await smtp(post, reply_to="answers@agency.example")
    made = await post.approved(payload=payload)
    await post.send(made)
    message = post.smtp.inbox[0].message
    assert message["Subject"] == "Счёт №5 для A<b>"
    assert message["From"] == "Агентство <pm@agency.example>"
    assert (message["To"], message["Reply-To"]) == (ANNA, "answers@agency.example")
    assert message["Message-ID"] == f"<{made.id}@agency.example>"
    assert parsedate_to_datetime(message["Date"]) == post.clock.now().replace(microsecond=0)
    plain, html = message.iter_parts()
    assert plain.get_content().rstrip("\n").replace("\r\n", "\n") == text
    assert html.get_content().strip() == "<p>Добрый день, <b>A&lt;b&gt;</b></p>"
    assert all(len(line) <= 998 for line in post.smtp.inbox[0].content.split(b"\r\n"))


async def test_a_letter_of_html_only(post):
    await post.send(await post.approved(payload={"html": "<p>x</p>"}))
    message = post.smtp.inbox[0].message
    assert (message.get_content_type(), message["Subject"]) == ("text/html", "")


@pytest.mark.parametrize(
    "payload",
    [
        {"subject": "Hi\r\nBcc: all@north.example", "text": "x"},
        {"subject": "Hi\nX: y", "text": "x"},
        {"subject": "Hi {{x}}", "text": "x", "variables": {"x": "a\r\nBcc: all@north.example"}},
    ],
)
async def test_no_header_comes_in_with_the_subject(post, payload):
    with pytest.raises(Invalid):
        await post.draft(payload=payload)


@pytest.mark.parametrize(
    "to", ["anna@north.example\r\nRCPT TO:<b@c.d>", "a@b.c, d@e.f", "<a@b.c>", "Anna <a@b.c>", "a b@c.d", "@"]
)
async def test_no_second_recipient_comes_in_with_the_first(post, to):
    with pytest.raises(Invalid):
        await post.draft(to=to)


async def test_a_domain_in_russian_is_sent_to_as_servers_know_it(post):
    await post.send(await post.approved(to="anna@пример.рф"))
    assert post.smtp.inbox[0].recipients == ("anna@xn--e1afmkfd.xn--p1ai",)


async def test_nothing_is_sent_as_long_as_the_envelope_is_not_taken(post):
    for at in ("EHLO", "AUTH", "MAIL", "RCPT", "DATA"):
        post.smtp.faults.append(Fault(at, "451 4.3.2 not now", times=2 if at == "EHLO" else 1))
        made = await post.approved(to=f"{at}@x.example".lower())
        await post.refused(made, SendFailed)
        assert (await post.now(made)).status == "approved", at
    for at in ("MAIL", "RCPT"):
        post.smtp.faults.append(Fault(at))
        made = await post.approved(to=f"cut-{at}@x.example".lower())
        await post.refused(made, SendFailed)
        assert (await post.now(made)).status == "approved", at
    assert post.smtp.inbox == []


async def test_a_refused_text_is_final(post):
    post.smtp.faults.append(Fault("TEXT", "554 5.7.1 looks like spam"))
    made = await post.approved()
    await post.refused(made, SendFailed)
    found = await post.now(made)
    assert (found.status, "looks like spam" in found.last_error) == ("failed", True)
