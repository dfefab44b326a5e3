"""Adding people who sign in with a password of their own."""

from __future__ import annotations

from ctower_desktop.accounts import store
from ctower_desktop.accounts.credentials import normal_name
from ctower_desktop.accounts.model import User
from ctower_desktop.accounts.passwords import Passwords
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Role, Tower


async def add_user(
    tower: Tower, username: str, password: str, role: Role = "pm", email: str | None = None
) -> User:
    """Add somebody; raise UsernameTaken or EmailTaken."""
    passwords, now = await tower.part(Passwords), tower.clock.text()
    user = User(
        id=new_id(),
        username=normal_name(username),
        password_hash=await passwords.hash(password),
        role=role,
        email=normal_name(email) if email else None,
        created_at=now,
        updated_at=now,
    )
    await tower.db.write_durably(store.add_user, user)
    return user
