#!/usr/bin/env python3
"""The tables of scale.md, computed from what was measured.

Run it to see them, with --write to put them into scale.md, with --check to have it fail where scale.md
says something else. The inputs are those of the tables "sessions in Redis" and "sessions in PostgreSQL"
of benchmarks.md; change them, or the plan, and look.
"""

import math
import pathlib
import sys

PAGE = pathlib.Path(__file__).with_name("scale.md")

# What was measured (benchmarks.md): bytes a session of one number takes, and processor time in microseconds.
MEASURED = {
    "redis_bytes": 399.0,
    "postgres_bytes": 390.0,
    # Of the web server's process, for a whole request.
    "web_read": 16.6,
    "web_write": 25.2,
    # Of the database's processes, for a load, and for a load with a commit.
    "redis_read": 2.74,
    "redis_write": 10.5,
    "postgres_read": 30.5,
    "postgres_write": 149.0,
    # Bytes on the wire, both ways, protocol included.
    "wire_load": 173.0,
    "wire_commit": 380.0,
}

# The plan: 100 million live sessions, 1 million requests a second.
SESSIONS = 100e6
REQUESTS = 1e6
#: The part of the requests that change their session.
WRITING = 0.2
#: Bytes of a session's record beyond the measured one, which holds a number: a cart, a login.
EXTRA_BYTES = 400
#: Requests of one visit to a page, which come within one touch interval.
BURST = 4
#: Seconds that a session lives on average.
LIFE = 30 * 60
#: How full a node may be: of its memory, and of a core.
MEMORY_FILL, CPU_FILL = 0.6, 0.5
#: A node of Redis, in bytes of memory; one core of it does the work.
NODE_MEMORY = 32 * 2**30
#: Cores of a database node, and of a web node.
DATABASE_CORES, WEB_CORES = 32, 16


def operations():
    """Calls of the stores in a second, by kind."""
    created = SESSIONS / LIFE
    return {
        "loads": REQUESTS,
        "commits": REQUESTS * WRITING,
        "touches": REQUESTS / BURST,
        "creations": created,
        "ended by the sweeper": created,
    }


def busy_cores(prefix):
    """Cores that the database is busy with."""
    load = MEASURED[f"{prefix}_read"]
    commit = MEASURED[f"{prefix}_write"] - load
    calls = operations()
    micros = calls["loads"] * load + (calls["commits"] + calls["touches"] + calls["creations"]) * commit
    # Claimed and settled: two writes.
    micros += calls["ended by the sweeper"] * 2 * commit
    return micros / 1e6


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def calls_table():
    rows = [[name, number(count / 1000) + " k/s"] for name, count in operations().items()]
    return table(["what", "how often"], rows)


def redis_table():
    bytes_all = SESSIONS * (MEASURED["redis_bytes"] + EXTRA_BYTES)
    by_memory = bytes_all / (NODE_MEMORY * MEMORY_FILL)
    by_cpu = busy_cores("redis") / CPU_FILL
    primaries = math.ceil(max(by_memory, by_cpu))
    calls = operations()
    writes = calls["commits"] + calls["touches"] + 3 * calls["creations"]
    wire = calls["loads"] * (MEASURED["wire_load"] + EXTRA_BYTES) + writes * (MEASURED["wire_commit"] + EXTRA_BYTES)
    rows = [
        ["memory for all sessions", number(bytes_all / 2**30) + " GiB", f"{math.ceil(by_memory)} primaries of 32 GiB"],
        ["busy cores", number(busy_cores("redis")), f"{math.ceil(by_cpu)} primaries, each half busy"],
        ["primaries", str(primaries), f"and as many replicas: {2 * primaries} nodes"],
        ["traffic of one primary", number(wire / primaries * 8 / 1e6) + " Mbit/s", "without replication, which adds the writes again"],
        ["lost with one primary, until its replica takes over", number(100 / primaries) + " % of sessions", "5 to 15 s of 503 for them"],
    ]
    return table(["what", "how much", "that is"], rows)


def postgres_table():
    bytes_all = SESSIONS * (MEASURED["postgres_bytes"] + EXTRA_BYTES)
    cores = busy_cores("postgres")
    nodes = math.ceil(cores / (DATABASE_CORES * CPU_FILL))
    rows = [
        ["tables and indexes", number(bytes_all / 2**30) + " GiB", "in memory, or reads wait for the disk"],
        ["busy cores", number(cores), f"{nodes} nodes of {DATABASE_CORES} cores, each half busy"],
        ["row versions written", number((operations()["commits"] + operations()["touches"]) / nodes / 1000) + " k/s a node", "what vacuum has to keep up with"],
    ]
    return table(["what", "how much", "that is"], rows)


def web_table():
    micros = REQUESTS * (MEASURED["web_read"] * (1 - WRITING) + MEASURED["web_write"] * WRITING)
    cores = micros / 1e6
    nodes = math.ceil(cores / (WEB_CORES * CPU_FILL))
    rows = [["busy cores", number(cores), f"{nodes} nodes of {WEB_CORES} cores, each half busy, before any work of the application"]]
    return table(["what", "how much", "that is"], rows)


TABLES = {"calls": calls_table, "web": web_table, "redis": redis_table, "postgres": postgres_table}


def filled(page):
    for name, make in TABLES.items():
        begin, end = f"<!-- {name}: scale.py -->\n", "<!-- end -->"
        head, found, tail = page.partition(begin)
        if not found:
            sys.exit(f"scale.md has no place for the table {name!r}")
        page = head + begin + "\n" + make() + "\n\n" + end + tail.partition(end)[2]
    return page


def main():
    page = PAGE.read_text()
    match sys.argv[1:]:
        case []:
            print("\n\n".join(f"{name}\n\n{make()}" for name, make in TABLES.items()))
        case ["--write"]:
            PAGE.write_text(filled(page))
        case ["--check"]:
            if filled(page) != page:
                sys.exit("docs/scale.md is not what docs/scale.py computes; run docs/scale.py --write")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
