"""Pending work: rows that are due, worked on by one process at a time, and never lost.

A table becomes a queue by inheriting from `models.WorkItem` and by one value, `queues.Queue`, that names its model, its
job and its back-off. The database is the queue; messages to the workers only make it quick (docs/decisions/0018).

The life of a row: `due_at` says when it is to be worked on, and empty means settled. A worker *claims* rows: a lease
with a token and an end. It *renews* the lease while it makes progress, and *settles* rows with the time of the next
check, or none. Who asks for a row meanwhile raises its `generation`, so that settling makes it due again at once.

===========================================  ======================================================================
To do this                                   Use
===========================================  ======================================================================
make rows due                                `asking.make_due`, after inserting those that are missing
tell the workers                             `waking.wake` (one message, however many ask)
work in a task, customers in turn            `waking.work`
take rows, and hand back what is not done    `leases.claim`
keep them during slow calls                  `Lease.renew`
save what is done so far for a row           `leases.keep`
write down how it ended                      `leases.settle`, `leases.postpone`, `leases.release`
find the row that breaks a batch             `isolating.isolate`
retry what failed                            `asking.retry`, `asking.retry_failed`
metrics, readiness                           `watching.watch`
list in the admin                            `admin.WorkAdmin`
===========================================  ======================================================================

Rules that every function keeps: rows are locked in the order of their primary key; every write is one short transaction
that is repeated after a deadlock; times are the database's (lib/clock.py); no lock is held while a service is called.
"""
