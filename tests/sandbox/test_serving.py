"""The stand-ins as a program of their own."""

import subprocess
import sys

import httpx
import msgspec
import pytest


@pytest.mark.parametrize(("command", "listed"), [(["bulk", "30", "2"], 25), (["demo"], 25)])
def test_it_says_where_the_vendors_are_and_ends_with_its_input(command, listed):
    program = [sys.executable, "-W", "error", "-m", "ctower_desktop.sandbox", *command]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        said = msgspec.json.decode(running.stdout.readline())
        assert set(said["urls"]) == set(said["tokens"]) == {"chatwoot", "linear", "attio", "loops"}
        answer = httpx.get(
            f"{said['urls']['chatwoot']}/api/v1/accounts/1/conversations?status=all",
            headers={"api_access_token": said["tokens"]["chatwoot"]},
        )
        assert len(answer.json()["data"]["payload"]) == listed
        running.stdin.close()
        assert running.wait(10) == 0
