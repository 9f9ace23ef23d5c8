"""What of the package is native for speed alone does what the Python beside it says."""

import base64
import hashlib
import hmac
import pickle
import pickletools

import pytest

from coatroom import _native
from coatroom.zope import keyring
from coatroom.zope import states
from coatroom.zope import values

OLD, NEW = b"o" * 32, b"n" * 32
CONTEXT = "zope abc 01|0123|säge".encode()


def derived(key, purpose):
    return hmac.digest(key, b"coatroom " + purpose, "sha256")


def tagged(key, context, body):
    tag = hashlib.blake2b(
        len(context).to_bytes(4, "big") + context + body, key=derived(key, b"values"), digest_size=16
    )
    return hashlib.sha256(b"coatroom key id" + key).digest()[:4] + tag.digest() + body


def signed(key, text):
    tag = hashlib.blake2b(text.encode(), key=derived(key, b"browser ids"), digest_size=15)
    return base64.urlsafe_b64encode(tag.digest()).decode()


@pytest.mark.parametrize("body", [b"", b"x", b"y" * 127, b"z" * 128, b"long" * 10_000])
def test_tags_are_keyed_blake2b(body):
    ring = keyring.KeyRing([NEW, OLD])
    assert ring.authenticate(CONTEXT, body) == tagged(NEW, CONTEXT, body)
    assert ring.authentic(CONTEXT, tagged(NEW, CONTEXT, body)) == body
    assert ring.authentic(CONTEXT, tagged(OLD, CONTEXT, body)) == body
    assert keyring.KeyRing([NEW]).authentic(CONTEXT, tagged(OLD, CONTEXT, body)) is None
    assert ring.authentic(CONTEXT + b"x", tagged(NEW, CONTEXT, body)) is None


def test_no_byte_of_what_is_authentic_can_be_changed():
    ring = keyring.KeyRing([NEW])
    data = ring.authenticate(CONTEXT, b"body")
    for at in range(len(data)):
        assert ring.authentic(CONTEXT, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]) is None
        assert ring.authentic(CONTEXT, data[:at]) is None


def test_signatures_are_keyed_blake2b():
    ring = keyring.KeyRing([NEW, OLD])
    assert ring.sign("an id") == signed(NEW, "an id")
    assert ring.is_signed("an id", signed(NEW, "an id")) and ring.is_signed("an id", signed(OLD, "an id"))
    for text, signature in [
        ("another", signed(NEW, "an id")),
        ("an id", signed(b"x" * 32, "an id")),
        ("an id", signed(NEW, "an id")[:-1]),
        ("an id", signed(NEW, "an id") + "="),
        ("an id", ""),
        ("an id", "é" * 20),
        ("é", "not one"),
    ]:
        assert not ring.is_signed(text, signature)


PLAIN = [None, True, False, 0, 1, 255, 256, 65_535, 65_536, -1, 2**31 - 1, -(2**31), 1.5, float("inf"), "", "é", "x" * 255]
PLAIN += ["x" * 256, "y" * 100_000, b"", b"\xff", b"z" * 255, b"z" * 256, b"z" * 100_000]
OTHER = [2**31, 2**70, [], {}, (), ("x",), {"a": 1}, "\ud800", 1j, object, len]


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: repr(value)[:20])
def test_a_plain_value_is_read_without_an_unpickler(value):
    body = values.plain_body(value)
    assert body == values.dump(value, None, "s").to_bytes()
    read = _native.plain_value(body)
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize("value", OTHER, ids=lambda value: repr(value)[:20].encode("ascii", "replace").decode())
def test_any_other_value_is_left_to_the_unpickler(value):
    assert _native.plain_value(b"\0\0\0\0" + pickle.dumps(value, 4)) is NotImplemented


def test_what_is_cut_short_or_goes_on_is_left_to_the_unpickler():
    for value in PLAIN:
        whole = b"\0\0\0\0" + pickletools.optimize(pickle.dumps(value, 4))
        assert _native.plain_value(whole) == value
        for body in (whole[:-1], whole[:5], whole[:4], b"", whole + b".", b"\0\0\0\1" + whole[4:]):
            assert _native.plain_value(body) is NotImplemented


@pytest.mark.parametrize("count", [0, 1, 16, 1000])
def test_random_bytes_are_as_many_as_asked_for_and_others_each_time(count):
    drawn = {_native.random_bytes(count) for _ in range(10)}
    assert all(type(each) is bytes and len(each) == count for each in drawn)
    assert count < 16 or len(drawn) == 10


def test_ids_are_of_one_form_and_others_each_time():
    ids = {states.new_id(1893456000.5) for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(id) == 30 and id.isdigit() and id.startswith("1893456000") for id in ids)
