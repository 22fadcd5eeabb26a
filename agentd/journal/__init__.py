"""The journal: what was asked, decided and done, and all that was promised, on disk.

    LlmagentosError
     └─ JournalError     the file cannot be written or read; the text names it and says why

One SQLite file in WAL mode with `synchronous=FULL`, one thread that writes it, one connection of
that thread. Whoever records hands over a row and goes on; the thread commits all that waits in
one transaction (a group) and only then tells those who wait for it. Nobody may wait for it inside
the tick. Readers, in this process alone, have read-only connections of their own and never hold
the writer up; another process finds the file locked until this one has ended.

The order of writing, and what a death between two lines leaves:

    risky     begin() is on disk          nothing was done; told by interrupted()
              act                         perhaps done, perhaps not; told by interrupted(),
              record_applied(), settle()  and never repeated: its occasion is begun
              answer                      done and known, only the answer is lost
    safe      act, record_applied(), settle(), answer
    promised  save() is on disk, then answer

An intent that has an applied row for each of its actions (a refused one too) is done with; the
others of earlier runs come out of `interrupted`. So whoever begins must record.

What a broken disk does: `begin`, `save`, `drop` and `settle` fail with a JournalError, so that
nothing risky is begun and nothing is promised that could not be kept. What was recorded stays in
memory, up to a bound, and is tried again each second. What is lost is counted in `status`.

What a broken file does: it is set aside with its name changed, what can be read of the promises in
it is taken over, and the journal starts clean; `set_aside` and `status` say so.

What it costs and how long it keeps things stands in `agentd.journal.age`.
"""

from agentd.journal.age import Caps
from agentd.journal.entry import Entry, Fault, Interrupted, Letter, Minute, Note
from agentd.journal.errors import JournalError
from agentd.journal.journal import SAID_FOR_S, Journal
from agentd.journal.outbox import Outbox

__all__ = [
    "SAID_FOR_S",
    "Caps",
    "Entry",
    "Fault",
    "Interrupted",
    "Journal",
    "JournalError",
    "Letter",
    "Minute",
    "Note",
    "Outbox",
]
