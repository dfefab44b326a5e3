"""Secrets: in the keyring where there is one, else in a file only its owner may read."""

from __future__ import annotations

import stat

import keyring
import keyring.errors
import pytest
from keyring.backend import KeyringBackend

from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.secrets import Secrets


class Memory(KeyringBackend):
    """A keyring that lasts as long as the test."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service, username):
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        if self.locked:
            raise keyring.errors.PasswordSetError("locked")
        self.kept[service, username] = password

    def delete_password(self, service, username):
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("not there")


@pytest.fixture
def ring(monkeypatch):
    found = Memory()
    monkeypatch.setattr(keyring.core, "_keyring_backend", found)
    return found


def test_without_a_keyring_a_file_for_its_owner_only(tmp_path):
    path = tmp_path / "secrets.json"
    assert Secrets(path, "file").put("token", "s3cret") == "file"
    assert Secrets(path, "file").get("token") == "s3cret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secrets.json"]


def test_with_a_keyring_only_the_name_is_in_the_file(tmp_path, ring):
    path = tmp_path / "secrets.json"
    assert Secrets(path).put("token", "s3cret") == "keyring"
    assert "s3cret" not in path.read_text()
    assert Secrets(path).get("token") == "s3cret"
    assert Secrets(path).describe() == "keyring"


def test_a_keyring_that_is_only_a_stand_in_is_not_trusted(tmp_path, ring, monkeypatch):
    monkeypatch.setattr(Memory, "priority", 0.5)
    assert Secrets(tmp_path / "secrets.json").put("token", "s3cret") == "file"
    assert Secrets(tmp_path / "secrets.json").describe().startswith("file ")
    assert ring.kept == {}


def test_two_homes_do_not_share_secrets(tmp_path, ring):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Secrets(tmp_path / name / "secrets.json").put("token", name)
    assert Secrets(tmp_path / "a" / "secrets.json").get("token") == "a"


def test_forgetting(tmp_path, ring):
    path = tmp_path / "secrets.json"
    secrets = Secrets(path)
    secrets.put("token", "s3cret")
    assert secrets.put("token", None) == "nowhere"
    assert (secrets.get("token"), ring.kept) == (None, {})
    assert Secrets(path).get("token") is None
    assert secrets.put("never", None) == "nowhere"


def test_a_locked_keyring_falls_back_to_the_file(tmp_path, ring):
    ring.locked = True
    path = tmp_path / "secrets.json"
    assert Secrets(path).put("token", "s3cret") == "file"
    assert Secrets(path).get("token") == "s3cret"


@pytest.mark.logs_errors
def test_a_keyring_that_does_not_give_is_told_without_the_secret(tmp_path, ring, caplog):
    path = tmp_path / "secrets.json"
    Secrets(path).put("token", "s3cret")
    ring.locked = True
    assert Secrets(path).get("token") is None
    assert "does not give token" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_secret_that_left_the_keyring_by_itself(tmp_path, ring):
    path = tmp_path / "secrets.json"
    Secrets(path).put("token", "s3cret")
    ring.kept.clear()
    assert Secrets(path).get("token") is None
    assert Secrets(path).put("token", "new") == "keyring"
    assert Secrets(path).get("token") == "new"


def test_the_keyring_is_not_woken_for_what_is_not_there(tmp_path, ring):
    ring.locked = True
    assert Secrets(tmp_path / "secrets.json").get("token") is None


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "secrets.json").mkdir()
    with pytest.raises(Invalid, match=r"secrets\.json cannot be read"):
        Secrets(tmp_path / "secrets.json", "file").get("token")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"values": 5}'])
def test_a_damaged_file_is_named_and_left_alone(tmp_path, content):
    path = tmp_path / "secrets.json"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=r"secrets.json is damaged"):
        Secrets(path, "file").get("token")
    assert path.read_bytes() == content
