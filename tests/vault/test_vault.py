"""The vault: texts in and out, keys given or kept in a file, and nothing shown by accident."""

from __future__ import annotations

import json
import pickle
import stat
import traceback
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nephoscope.configuration import Configuration, ConfigurationError, read
from nephoscope.vault import Secrets, SecretUnreadable, Vault, new_key

WORD = "s3cr3t-wörd"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "encryption_keys"


def test_what_was_sealed_is_opened_and_looks_different_each_time(file: Path) -> None:
    vault = Vault((), file)
    one, other = vault.seal(WORD), vault.seal(WORD)
    assert (vault.open(one), vault.open(other)) == (WORD, WORD)
    assert one != other and WORD not in one
    assert (vault.seal(""), vault.open("")) == ("", "")


def test_the_first_key_is_made_once_and_for_its_owner_alone(file: Path) -> None:
    with ThreadPoolExecutor(8) as workers:
        keys = set(workers.map(lambda _each: tuple(Vault((), file).read_keys()), range(8)))
    assert len(keys) == 1, "all processes that start at once have the same one"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["encryption_keys"]


def test_keys_that_are_given_are_used_and_no_file_is_made(file: Path) -> None:
    new, old = new_key(), new_key()
    sealed = Vault([old], file).seal(WORD)
    assert Vault([new, old], file).open(sealed) == WORD
    assert Vault([old], file).open(Vault([old, new], file).seal(WORD)) == WORD, "the first one encrypts"
    assert not file.parent.exists()


def test_with_another_key_the_error_names_the_setting_and_neither_text_nor_key(file: Path) -> None:
    right, wrong = new_key(), new_key()
    sealed = Vault([right], file).seal(WORD)
    with pytest.raises(SecretUnreadable) as caught:
        Vault([wrong], file).open(sealed)
    told = "".join(traceback.format_exception(caught.value))
    assert "NEPHOSCOPE_ENCRYPTION_KEYS" in str(caught.value)
    assert not [each for each in (WORD, right, wrong, sealed) if each in told]


@pytest.mark.parametrize("sealed", ["x", "gAAAAAB", "ü", "a" * 200])
def test_what_was_never_sealed_cannot_be_opened(sealed: str, file: Path) -> None:
    with pytest.raises(SecretUnreadable):
        Vault((), file).open(sealed)


@pytest.mark.parametrize("content", ["", "not a key\n", "\n"])
def test_a_file_that_holds_no_keys_is_said_so_and_not_overwritten(content: str, file: Path) -> None:
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(SecretUnreadable, match="does not hold encryption keys"):
        Vault((), file).seal(WORD)
    assert file.read_text() == content


def test_a_key_that_is_added_encrypts_from_then_on_and_the_old_ones_still_decrypt(file: Path) -> None:
    vault, other_process = Vault((), file), Vault((), file)
    sealed = vault.seal(WORD)
    vault.add_key()
    again = other_process.seal_again(sealed)
    assert again != sealed and other_process.open(sealed) == WORD
    assert vault.seal_again(again) == again, "it is by the newest key already"
    vault.forget_old_keys()
    assert (other_process.open(again), other_process.open(sealed)) == (WORD, WORD), "the key before stays"
    vault.add_key()
    vault.forget_old_keys()
    assert other_process.open(again) == WORD
    with pytest.raises(SecretUnreadable):
        other_process.open(sealed)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_of_keys_that_are_added_at_once_none_is_lost(file: Path) -> None:
    def add(_each: int) -> str:
        vault = Vault((), file)
        vault.add_key()
        return vault.seal(WORD)

    with ThreadPoolExecutor(8) as workers:
        sealed = list(workers.map(add, range(40)))
    assert len(Vault((), file).read_keys()) == 41
    assert {Vault((), file).open(each) for each in sealed} == {WORD}


def test_secrets_tell_their_names_and_nothing_else(file: Path) -> None:
    secrets = Secrets.of(Vault((), file), {"token": WORD, "other": ""})
    assert (secrets["token"], list(secrets), secrets.is_set("token")) == (WORD, ["token", "other"], True)
    assert not secrets.is_set("other") and not secrets.is_set("missing")
    assert f"{secrets} {secrets!r}" == "<Secrets: token, other> <Secrets: token, other>"
    assert WORD.encode() not in pickle.dumps(secrets)
    with pytest.raises(TypeError):
        json.dumps(secrets)


def test_names_are_known_without_the_key(file: Path) -> None:
    stored = Secrets.of(Vault([new_key()], file), {"token": WORD}).sealed
    secrets = Secrets(Vault([new_key()], file), stored)
    assert secrets.is_set("token") and "token" in secrets and secrets == Secrets(Vault([new_key()], file), stored)
    with pytest.raises(SecretUnreadable):
        secrets["token"]


GOOD = b64encode(b"k" * 32).decode()


@pytest.mark.parametrize("given", ["hunter2", "a" * 44, f"{GOOD},hunter2", b64encode(b"x" * 31).decode()])
def test_a_key_that_is_none_is_refused_at_the_start_and_not_repeated(given: str) -> None:
    with pytest.raises(ConfigurationError, match="NEPHOSCOPE_ENCRYPTION_KEYS must be keys of 32 bytes") as caught:
        read(Configuration, {"NEPHOSCOPE_ENCRYPTION_KEYS": given})
    assert not [each for each in given.split(",") if each in str(caught.value)]


def test_keys_are_taken_as_openssl_makes_them(file: Path) -> None:
    made = b64encode(b"\xfb\xff" * 16).decode()
    assert "+" in made and "/" in made
    found = read(Configuration, {"NEPHOSCOPE_ENCRYPTION_KEYS": f"{made}, {new_key()}"})
    vault = Vault(found.encryption_keys, file)
    assert vault.open(vault.seal(WORD)) == WORD
