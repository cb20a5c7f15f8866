"""Asking at a terminal: unseen, once, and taken back on Ctrl-C."""

from __future__ import annotations

import subprocess
import sys

import pexpect
import pytest

ASK = """
from gpumon_setup.host import Passwords
passwords = Passwords()
print([passwords.passphrase("/k").reveal() for _ in range(2)])
"""
CANCEL = """
import time
from threading import Thread
from gpumon_setup.host import Passwords
from gpumon_setup.failures import NoPassword
passwords = Passwords()
def ask():
    try: passwords.sudo.offer()
    except NoPassword as error: print("said:", error)
thread = Thread(target=ask); thread.start()
try: time.sleep(60)
except KeyboardInterrupt: passwords.cancel()
thread.join(20)
print("over", thread.is_alive())
input("seen again? ")
"""


@pytest.mark.real
def test_what_is_typed_is_not_seen_and_asked_once() -> None:
    child: pexpect.spawn[str] = pexpect.spawn(sys.executable, ["-c", ASK], encoding="utf-8", timeout=30)
    child.expect_exact("Passphrase of /k: ")
    child.sendline("s3cret ü")
    child.expect(r"\['s3cret ü', 's3cret ü'\]")
    assert "s3cret" not in (child.before or "")
    child.close()


@pytest.mark.real
def test_ctrl_c_takes_the_question_back_and_the_terminal_echoes_again() -> None:
    child: pexpect.spawn[str] = pexpect.spawn(sys.executable, ["-c", CANCEL], encoding="utf-8", timeout=30)
    child.expect_exact("Password for sudo: ")
    child.sendintr()
    child.expect("said: Password for sudo was not given")
    child.expect("over False")
    child.expect_exact("seen again? ")
    child.sendline("yes")
    child.expect_exact("yes")
    child.close()


def test_without_a_terminal_it_is_said_what_would_help() -> None:
    told = subprocess.run(
        [sys.executable, "-c", ASK],
        check=False,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert "NoPassword: Passphrase of /k is needed, and there is no terminal to ask at." in told.stderr
