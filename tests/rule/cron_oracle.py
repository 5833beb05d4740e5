#!/usr/bin/python3
"""Compares cron_firings with croniter and with a walk minute by minute.

Usage: cron_oracle.py PROGRAM. Prints TAP. croniter says when expressions fire
in UTC; it has rules of its own where clocks change, so zones are compared with
a walk over every minute that asks zoneinfo for the local time.
CRON_EXPRESSIONS: so many random ones instead of 10,000.
"""
import datetime
import os
import random
import subprocess
import sys
import zoneinfo

import croniter

SEED = 20260101
EXPRESSIONS = int(os.environ.get("CRON_EXPRESSIONS", "10000"))
FIRINGS = 15
HAND_MADE_FIRINGS = 1000
FAR_FIRINGS = 3
UTC = datetime.timezone.utc
FIELDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()


def value(rng, field, number):
    """A number as it may be written: some as names, in any case."""
    name = None
    if field == 3:
        name = MONTHS[number - 1]
    elif field == 4 and number < 7:
        name = DAYS[number]
    if name is None or rng.random() < 0.6:
        return str(number)
    return rng.choice([name, name.upper(), name.title()])


def item(rng, field):
    low, high = FIELDS[field]
    a, b = sorted((rng.randint(low, high), rng.randint(low, high)))
    kind = rng.random()
    if kind < 0.5:
        return value(rng, field, a)
    if a == b:
        return value(rng, field, a)
    text = value(rng, field, a) + "-" + value(rng, field, b)
    if kind > 0.75:
        text += "/%d" % rng.randint(1, max(1, (b - a)))
    return text


def field_text(rng, field):
    low, high = FIELDS[field]
    kind = rng.random()
    if kind < (0.3, 0.35, 0.55, 0.6, 0.6)[field]:
        return "*"
    if kind < (0.5, 0.5, 0.6, 0.65, 0.62)[field]:
        return "*/%d" % rng.randint(1, (high - low) // 2)
    return ",".join(item(rng, field) for _ in range(rng.randint(1, 3)))


def random_expression(rng):
    while True:
        text = " ".join(field_text(rng, i) for i in range(5))
        fields = text.split()
        # croniter takes a list of every day for '*', which Vixie cron does not.
        if not any(expanded == ["*"] and not fields[i].startswith("*")
                   for i, expanded in enumerate(croniter.croniter.expand(text)[0])):
            return text


HAND_MADE = [
    "* * * * *", "*/1 * * * *", "*/5 * * * *", "0 0 * * *", "59 23 31 12 *",
    "0 0 29 2 *", "0 12 * * 7", "0 12 * * 0", "0 12 * * sun", "30 4 1,15 * 5",
    "0 0 1 1 0", "0 0 31 * *", "0 0 30 * *", "*/7 */5 * * *",
    "5-55/10 8-18/2 * * mon-fri", "0 0 13 * 5", "0 0 */2 * 1", "0 0 1 * */2",
    "15 10 * jan,JUL Tue", "0 0 1-7 * */7", "0 22 * * 1-5", "0 0 * 2 5-7",
    "0 0 29 2 */3", "0 0 31 2 *", "0 0 30 2 */2", "1 2 31 2,4,6,9,11 *", "@hourly", "@daily", "@midnight", "@weekly", "@monthly",
    "@yearly", "@annually",
]


def days_are_and(expression):
    """Whether day of month and day of week must both match (Vixie)."""
    if expression.startswith("@"):
        return False
    f = expression.split()
    return f[2].startswith("*") or f[4].startswith("*")


def croniter_firings(expression, start, count):
    it = croniter.croniter(expression, start, ret_type=float,
                           day_or=not days_are_and(expression))
    return [int(it.get_next()) for _ in range(count)]


def ask(program, lines):
    out = subprocess.run([program], input="\n".join(lines) + "\n", text=True,
                         stdout=subprocess.PIPE, check=True, timeout=300)
    return out.stdout.splitlines()


def skips_first_of_march(text, start, got, want):
    """croniter 1.3 goes on from February to a later day of March where 29, 30
    or 31 stand among the days. Then a second witness says what is right."""
    first = [datetime.datetime.fromtimestamp(g, UTC) for g, w in zip(got, want)
             if g != w][0]
    if (first.month, first.day) != (3, 1) or got[-1] - start > 400 * 86400:
        return False
    return walk(text, UTC, start // 60 * 60, got[-1]) == got


def compare_utc(program):
    rng = random.Random(SEED)
    cases = []
    for text in HAND_MADE + [random_expression(rng) for _ in range(EXPRESSIONS)]:
        start = rng.randint(1_600_000_000, 1_900_000_000)
        cases.append((text, start))
    counts = []
    probes = ask(program, ["- %d 2 %s" % (start, text) for text, start in cases])
    for (text, _), probe in zip(cases, probes):
        times = [int(n) for n in probe.split()] if probe[:1].isdigit() else []
        # What fires every few years takes croniter minutes: a few do.
        far = not times or times[-1] - times[0] > 300 * 86400
        counts.append(FAR_FIRINGS if far else
                      HAND_MADE_FIRINGS if text in HAND_MADE else FIRINGS)
    lines = ["- %d %d %s" % (start, count, text)
             for (text, start), count in zip(cases, counts)]
    compared = firings = refused = skipped = 0
    faults = []
    for (text, start), count, answer in zip(cases, counts, ask(program, lines)):
        try:
            want = croniter_firings(text, start, count)
        except croniter.CroniterBadDateError:
            if "never fires" not in answer:
                faults.append("%s: croniter finds no firing" % text)
            refused += 1
            continue
        compared += 1
        firings += len(want)
        if answer.startswith("error"):
            faults.append("%s: %s" % (text, answer))
            continue
        got = [int(n) for n in answer.split()]
        if len(got) != len(want):
            faults.append("%s: %d firings" % (text, len(got)))
        elif got != want and skips_first_of_march(text, start, got, want):
            skipped += 1
        elif got != want:
            i = [g == w for g, w in zip(got, want)].index(False)
            faults.append("%s from %d: firing %d is %d, croniter has %d"
                          % (text, start, i, got[i], want[i]))
    print("# %d that never fire were refused by both" % refused)
    print("# %d times croniter skips the first of March behind a short February"
          ", which the walk over every minute does not" % skipped)
    return compared, firings, faults


ZONES = ["Europe/Zurich", "America/New_York", "Australia/Lord_Howe",
         "Asia/Beirut", "Africa/Casablanca", "Asia/Kolkata",
         "America/Santiago"]
ZONE_EXPRESSIONS = [
    "30 2 * * *", "15,45 1-3 * * *", "0 0 * * *", "*/15 * * * *", "0 * * * *",
    "*/20 1-3 * * *", "30 0,2,23 * * *", "59 23 * * sat,sun", "0 0 * * 0",
    "5 2 25-31 3,10 *",
]


def matches(c, t):
    """Whether the local time t fires, by croniter's own expanded fields."""
    expanded, text = c
    f = text.split()
    weekday = (t.weekday() + 1) % 7

    def inside(i, n):
        return "*" in expanded[i] or n in expanded[i]

    if not (inside(0, t.minute) and inside(1, t.hour) and inside(3, t.month)):
        return False
    both = (inside(2, t.day), inside(4, weekday))
    if f[2].startswith("*") or f[4].startswith("*"):
        return all(both)
    return any(both)


def walk(text, zone, start, end):
    """Every firing in (start, end], minute by minute."""
    expanded = croniter.croniter.expand(text)[0]
    c = (expanded, text)
    f = text.split()
    fixed = not f[0].startswith("*") and not f[1].startswith("*")
    fired = []
    minute = datetime.timedelta(minutes=1)
    # From two days earlier, so that the furthest local time is known.
    at = start - 2 * 86400
    furthest = None
    while at <= end:
        local = datetime.datetime.fromtimestamp(at, zone).replace(tzinfo=None)
        if not fixed:
            hit = matches(c, local)
        elif furthest is None or local == furthest + minute:
            hit = matches(c, local)
        elif local <= furthest:  # this time was there before
            hit = False
        else:  # skipped times count now
            hit = False
            t = furthest + minute
            while t <= local:
                hit = hit or matches(c, t)
                t += minute
        if furthest is None or local > furthest:
            furthest = local
        if hit and at > start:
            fired.append(at)
        at += 60
    return fired


def compare_zones(program):
    spans = []
    for name in ZONES:
        zone = zoneinfo.ZoneInfo(name)
        day = datetime.datetime(2026, 1, 1, tzinfo=UTC)
        changes = []
        while day.year < 2028:
            after = day + datetime.timedelta(days=1)
            if day.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
                changes.append(int(day.timestamp()))
            day = after
        for change in changes or [1_780_000_000 // 60 * 60]:
            spans.append((name, zone, change - 86400, change + 2 * 86400))
    lines = []
    wants = []
    for name, zone, start, end in spans:
        for text in ZONE_EXPRESSIONS:
            want = walk(text, zone, start, end)
            if not want:
                continue
            lines.append("%s %d %d %s" % (name, start, len(want), text))
            wants.append(want)
    faults = []
    for line, answer, want in zip(lines, ask(program, lines), wants):
        if answer.split() != [str(n) for n in want]:
            faults.append("%s: %s, the walk has %s" % (line, answer, want))
    return len(lines), sum(map(len, wants)), faults


def report(number, title, compared, firings, faults):
    good = not faults and compared > 0
    print("%s %d - %s (%d expressions, %d firings, seed %d)"
          % ("ok" if good else "not ok", number, title, compared, firings, SEED))
    for fault in faults[:20]:
        print("# " + fault[:400])


def main():
    program = sys.argv[1]
    print("1..2")
    report(1, "fires as croniter says", *compare_utc(program))
    report(2, "fires as a walk over every minute says where clocks change",
           *compare_zones(program))


main()
