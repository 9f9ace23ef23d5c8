#!/usr/bin/env python3
"""Reads the bytes of a record (format.md), with nothing but the standard library.

python3 read_record.py FILE.bin prints it as JSON; values stay bytes, in hexadecimal.
"""
import json, struct, sys

HEADER = struct.Struct("<BBBxHHQIIQQQQ32s")
RENEWAL = struct.Struct("<QQ32s")
TAGS = {1: "principal", 2: "client_label", 3: "lifetime_millis"}
BODIES = {1: lambda b: {"epoch": struct.unpack_from("<Q", b)[0], "name": b[8:].decode()},
          2: lambda b: b.decode(), 3: lambda b: struct.unpack("<Q", b)[0]}

def read_record(data):
    """A record as a dict; ValueError (UnicodeDecodeError is one) where it breaks a rule."""
    try:
        (version, flags, algorithm, count, extension_bytes, revision, generation, unconfirmed,
         created, deadline, idle, nonce, secret_hash) = HEADER.unpack_from(data)
        if version != 1 or flags & ~3 or algorithm > 1:
            raise ValueError("another version, an unknown flag or an unknown hash algorithm")
        record = dict(persistent=bool(flags & 2), hash_algorithm=algorithm, revision=revision, generation=generation,
                      unconfirmed_seconds=unconfirmed, created=created, deadline=deadline, idle_millis=idle,
                      nonce=nonce, secret_hash=secret_hash.hex(), renewal=None, principal=None,
                      client_label=None, lifetime_millis=None, extensions=[], attributes=[])
        at = HEADER.size
        if flags & 1:
            authenticated, renewed, previous = RENEWAL.unpack_from(data, at)
            record["renewal"] = dict(authenticated=authenticated, renewed=renewed, previous_hash=previous.hex())
            at += RENEWAL.size
        end = at + extension_bytes
        while at < end:
            tag, length = struct.unpack_from("<HH", data[:end], at)
            body, at = data[at + 4:at + 4 + length], at + 4 + length
            record["extensions"].append(dict(tag=tag, body=body.hex()))
            if at > end:
                raise ValueError("an extension overruns")
            if tag in TAGS and record[TAGS[tag]] is None:
                record[TAGS[tag]] = BODIES[tag](body)
        rows = [struct.unpack_from("<HBxI", data, end + 8 * row) for row in range(count)]
    except struct.error as error:
        raise ValueError(f"cut short: {error}") from error
    names = end + 8 * count
    values, name_at, value_at, last = names + (rows[-1][0] if rows else 0), 0, 0, None
    for name_end, value_format, value_end in rows:
        name, value = data[names + name_at:names + name_end], data[values + value_at:values + value_end]
        if not (name_at <= name_end and value_at <= value_end and names + name_end <= values) or len(data) < values + value_end:
            raise ValueError("a name or a value overruns")
        if last is not None and name <= last:
            raise ValueError("names are not in order")
        record["attributes"].append(dict(name=name.decode(), format=value_format, bytes=value.hex()))
        name_at, value_at, last = name_end, value_end, name
    if values + value_at != len(data):
        raise ValueError("bytes behind the last value")
    return record

if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            print(json.dumps(read_record(file.read()), indent=1, ensure_ascii=False))
