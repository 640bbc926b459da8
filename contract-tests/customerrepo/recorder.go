package customerrepo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/apilog"
	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Recorded is a ports.ChangeRecorder and the ports of the database that it
// stores in.
type Recorded struct {
	Recorder  ports.ChangeRecorder
	Customers ports.CustomerRepo
	Directory ports.CustomerDirectory
	Log       ports.ApiLog
	Archive   ports.ApiLogArchive
}

// RecordedPort makes a Port for RecorderClauses.
func RecordedPort(r Recorded) *Port {
	return &Port{CustomerRepo: r.Customers, CustomerDirectory: r.Directory, recorded: r}
}

// RecorderClauses returns those of ports.ChangeRecorder: all that ChangePhoto
// and RemoveCustomer promise, and what it promises of the log.
func RecorderClauses() []clause.Clause[*Port] {
	return slices.Concat(
		throughRecorder(slices.Concat(changeClauses(), waitClauses(), removeClauses(), removeWaitClauses())),
		changeAndClose.clauses(), removeAndClose.clauses(), recorderEndedCtx(),
	)
}

// throughRecorder has clauses change customers through the recorder alone.
func throughRecorder(clauses []clauseOf) []clauseOf {
	for i, c := range clauses {
		clauses[i].Check = func(ctx context.Context, repo *Port) error {
			through := recording{repo.CustomerRepo, repo.CustomerDirectory, repo}
			return c.Check(ctx, &Port{CustomerRepo: through, CustomerDirectory: through})
		}
	}
	return clauses
}

// recording is a repository each change of which closes an entry of its own.
type recording struct {
	ports.CustomerRepo
	ports.CustomerDirectory
	port *Port
}

// ChangePhoto implements ports.CustomerRepo.
func (r recording) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return changeAndClose.doFresh(ctx, r.port, ref, change)
}

// RemoveCustomer implements ports.CustomerDirectory.
func (r recording) RemoveCustomer(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return removeAndClose.doFresh(ctx, r.port, ref, change)
}

// closingMethod is one of a ports.ChangeRecorder.
type closingMethod struct {
	name, prefix string // prefix is that of its clauses
	of           func(ports.ChangeRecorder) func(ctx context.Context, customer domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange) error
	done         func(domain.Customer) check // that it changed to photoRecord(2), or removed
}

var (
	changeAndClose = closingMethod{
		"ChangePhotoAndClose", "close", func(r ports.ChangeRecorder) func(context.Context, domain.CustomerRef, domain.ApiLogID, ports.ClosingChange) error {
			return r.ChangePhotoAndClose
		}, func(c domain.Customer) check { return holdsRecord(c, photoRecord(2)) },
	}
	removeAndClose = closingMethod{
		"RemoveCustomerAndClose", "remove_close", func(r ports.ChangeRecorder) func(context.Context, domain.CustomerRef, domain.ApiLogID, ports.ClosingChange) error {
			return r.RemoveCustomerAndClose
		}, isGone,
	}
)

func (m closingMethod) clauses() []clauseOf {
	alice, bob, namesake := customer(689, 1), customer(689, 2), customer(690, 1)
	given := clause.Steps(addsCustomers(alice, bob, namesake), records(alice.Ref, photoRecord(1)))
	stays := holdsRecord(alice, photoRecord(1))
	named := func(name, promise string, check check) clauseOf {
		return clause.New(m.prefix+name, m.name+promise, check)
	}
	failing := func(context.Context) (domain.Outcome, error) { return valid(1), errors.New("change failed") }
	panicking := func(context.Context) (domain.Outcome, error) { panic("change panicked") }
	return []clauseOf{
		named(
			"_stores_both", " stores what the method without a log does, and gives the entry the outcome, whole, whatever it is",
			m.storesEach(apilog.EveryOutcome()),
		), named(
			"_failed", " stores nothing when change fails, and the entry stays open",
			clause.Steps(given, withEntry(domain.Outcome{}, func(entry domain.ApiLogEntry) check {
				return clause.Steps(m.ends(alice.Ref, entry, failing), stays, holdsEntry(entry))
			})),
		), named(
			"_panic", " stores nothing when change panics, and the entry stays open",
			clause.Steps(given, withEntry(domain.Outcome{}, func(entry domain.ApiLogEntry) check {
				return clause.Steps(m.ends(alice.Ref, entry, panicking), stays, holdsEntry(entry))
			})),
		), named(
			"_unknown_customer", " fails with CustomerNotFound where the customer doesn't exist, and the entry stays open",
			clause.Steps(given, withEntry(domain.Outcome{}, func(entry domain.ApiLogEntry) check {
				return clause.Steps(clause.Fails(domain.CustomerNotFound, m.name+" of a customer who was never added",
					m.does(domain.CustomerRef{Fleet: 691, Customer: 1}, entry.ID, valid(1))), holdsEntry(entry))
			})),
		), named(
			"_unknown_entry", " stores what the method without a log does also where the entry doesn't exist",
			clause.Steps(given, withEntry(domain.Outcome{}, func(entry domain.ApiLogEntry) check {
				return clause.Steps(m.does(alice.Ref, 0, valid(1)), m.done(alice), m.does(bob.Ref, entry.ID+1000, valid(1)), m.done(bob),
					m.does(namesake.Ref, -1, valid(1)), m.done(namesake), holdsEntry(entry))
			})),
		), named(
			"_leaves_open", " leaves the entry open where the outcome has no Result, and stores SettledAt",
			clause.Steps(given, withEntry(domain.Outcome{}, func(entry domain.ApiLogEntry) check {
				settled := domain.Outcome{SettledAt: noon}
				return clause.Steps(m.does(alice.Ref, entry.ID, settled), m.done(alice), holdsEntry(withOutcome(entry, settled)))
			})),
		), named(
			"_closed", " gives an entry that is closed no other outcome, but Valid in place of Interrupted, and stores the rest",
			m.closesClosed(),
		), named(
			"_leaves_entries", " leaves all other entries",
			clause.Steps(given, withEntry(domain.Outcome{}, func(before domain.ApiLogEntry) check {
				return withEntry(domain.Outcome{}, func(entry domain.ApiLogEntry) check {
					return withEntry(domain.Outcome{}, func(after domain.ApiLogEntry) check {
						return clause.Steps(m.does(alice.Ref, entry.ID, valid(1)), holdsEntry(before), holdsEntry(after))
					})
				})
			})),
		), named(
			"_one_lock", " excludes ChangePhoto and RemoveCustomer of the same customer",
			clause.Steps(given, m.whileHolding(alice.Ref, clause.Steps(waitsInVain(changePhoto, alice.Ref), waitsInVain(removeCustomer, alice.Ref)))),
		), named(
			"_waits", " waits while ChangePhoto changes the same customer",
			clause.Steps(given, whileChanging(alice.Ref, waitsInVain(method{m.name, "", m.doFresh}, alice.Ref))),
		), named(
			"_others_dont_wait", " keeps no other customers waiting, nor the log",
			clause.Steps(given, m.whileHolding(alice.Ref, clause.Steps(
				records(bob.Ref, photoRecord(1)), removes(namesake.Ref), findsRefs(withRecord(alice)), missesPIN(alice.Ref, 1),
				withEntry(domain.Outcome{}, func(entry domain.ApiLogEntry) check {
					return clause.Steps(closes(entry.ID, valid(2)), holdsEntry(withOutcome(entry, valid(2))))
				}),
			))),
		), named(
			"_cut_off", " whose ctx ends stores both or neither",
			clause.Steps(addsCustomers(manyCustomers(clause.Attempts)...), clause.CutOff(m.cutOff)),
		),
	}
}

func recorderEndedCtx() []clauseOf {
	alice := customer(689, 1)
	given := clause.Steps(addsCustomers(alice), records(alice.Ref, photoRecord(1)))
	return clause.EndedCtx(given, clause.Steps(holdsRecord(alice, photoRecord(1)), holdsOpenEntries), RecorderCalls()...)
}

// RecorderCalls returns a call of each method of ports.ChangeRecorder.
func RecorderCalls() []clause.Call[*Port] {
	alice := customer(689, 1)
	return []call{
		{Method: "close", Do: method{changeAndClose.name, "", changeAndClose.doFresh}.does(alice.Ref)},
		{Method: "remove_close", Do: method{removeAndClose.name, "", removeAndClose.doFresh}.does(alice.Ref)},
	}
}

// doFresh changes a photo and closes an entry of its own, which is opened even
// when ctx has ended. Where none can be opened, there is none to close.
func (m closingMethod) doFresh(ctx context.Context, repo *Port, ref domain.CustomerRef, change ports.PhotoChange) error {
	entry, _ := repo.recorded.Log.Open(context.WithoutCancel(ctx), loggedCall)
	return m.of(repo.recorded.Recorder)(ctx, ref, entry, func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, domain.Outcome, error) {
		record, err := change(ctx, current, stillLocked)
		return record, valid(1), err
	})
}

// do changes to photoRecord(2), or removes, with what end returns.
func (m closingMethod) do(ctx context.Context, repo *Port, ref domain.CustomerRef, entry domain.ApiLogID, end func(context.Context) (domain.Outcome, error)) error {
	return m.of(repo.recorded.Recorder)(ctx, ref, entry, func(ctx context.Context, _ domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, domain.Outcome, error) {
		outcome, err := end(ctx)
		return photoRecord(2), outcome, err
	})
}

// does does so with an outcome.
func (m closingMethod) does(ref domain.CustomerRef, entry domain.ApiLogID, outcome domain.Outcome) check {
	return func(ctx context.Context, repo *Port) error {
		err := m.do(ctx, repo, ref, entry, func(context.Context) (domain.Outcome, error) { return outcome, nil })
		return clause.Failed(fmt.Sprintf("%s(%+v, %d)", m.name, ref, entry), err)
	}
}

// ends does so with a change that fails or panics. What comes of it is for other clauses.
func (m closingMethod) ends(ref domain.CustomerRef, entry domain.ApiLogEntry, end func(context.Context) (domain.Outcome, error)) check {
	return func(ctx context.Context, repo *Port) error {
		defer func() { _ = recover() }()
		_ = m.do(ctx, repo, ref, entry.ID, end)
		return nil
	}
}

// storesEach closes an entry of a customer's for each outcome.
func (m closingMethod) storesEach(outcomes []domain.Outcome) check {
	customers := manyCustomers(len(outcomes))
	all := []check{addsCustomers(customers...)}
	for i, outcome := range outcomes {
		all = append(all, withEntry(domain.Outcome{}, func(entry domain.ApiLogEntry) check {
			return clause.Steps(m.does(customers[i].Ref, entry.ID, outcome), m.done(customers[i]), holdsEntry(withOutcome(entry, outcome)))
		}))
	}
	return clause.Steps(all...)
}

// closesClosed gives entries of each Result each other one.
func (m closingMethod) closesClosed() check {
	var all []check
	for _, first := range apilog.EveryResult() {
		for _, second := range append(apilog.EveryResult(), domain.Outcome{}) {
			second.SettledAt = noon
			want := first
			if first.Result == domain.Interrupted && second.Result == domain.Valid {
				want = second
			}
			changed := customer(689, domain.CustomerID(len(all)+1))
			all = append(all, clause.Steps(addsCustomers(changed), withEntry(first, func(entry domain.ApiLogEntry) check {
				return clause.Steps(m.does(changed.Ref, entry.ID, second), m.done(changed), holdsEntry(withOutcome(entry, want)))
			})))
		}
	}
	return clause.Steps(all...)
}

// whileHolding does something while a change of the method runs, which lasts
// until it is done.
func (m closingMethod) whileHolding(ref domain.CustomerRef, do check) check {
	return whileHolding(m.name, func(ctx context.Context, repo *Port, hold func() error) error {
		return m.do(ctx, repo, ref, 0, func(context.Context) (domain.Outcome, error) { return valid(1), hold() })
	}, do)
}

// waitsInVain has a method wait for the customer's lock until its ctx ends.
func waitsInVain(m method, ref domain.CustomerRef) check {
	return clause.Fails(domain.Unavailable, m.name+" whose ctx ends while another change runs", givesUp(m.notRun(ref)))
}

func (m closingMethod) cutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	changed := customer(689, domain.CustomerID(n))
	err = clause.Steps(records(changed.Ref, photoRecord(1)), withEntry(domain.Outcome{}, func(entry domain.ApiLogEntry) check {
		return func(ctx context.Context, repo *Port) error {
			failure := m.does(changed.Ref, entry.ID, valid(1))(ending, repo)
			both := clause.Steps(m.done(changed), holdsEntry(withOutcome(entry, valid(1))))(ctx, repo)
			if done = failure == nil; done || both == nil {
				return both
			}
			neither := clause.Steps(holdsRecord(changed, photoRecord(1)), holdsEntry(entry))(ctx, repo)
			return errors.Join(clause.FailsWith(domain.Unavailable, m.name+" whose ctx ended", failure), neither)
		}
	}))(ctx, repo)
	return done, err
}

// loggedCall is what entries are opened with.
var loggedCall = domain.ApiCall{ReceivedAt: noon, From: "192.0.2.1", Fleet: 689, Customer: 1, Operation: domain.UpdatePhoto, Intent: domain.Digest{1}, Store: "s3://photos"}

// valid is an outcome that differs from those with another n.
func valid(n int) domain.Outcome {
	return domain.Outcome{Result: domain.Valid, EndedAt: noon.Add(time.Duration(n) * time.Second)}
}

// withEntry does something with an entry of this outcome.
func withEntry(outcome domain.Outcome, do func(entry domain.ApiLogEntry) check) check {
	return func(ctx context.Context, repo *Port) (err error) {
		entry := domain.ApiLogEntry{Call: loggedCall, Outcome: outcome}
		if outcome.IsOpen() {
			entry.ID, err = repo.recorded.Log.Open(ctx, entry.Call)
		} else {
			entry.ID, err = repo.recorded.Log.Record(ctx, entry.Call, outcome)
		}
		if err != nil {
			return clause.Failed("Open or Record", err)
		}
		return do(entry)(ctx, repo)
	}
}

func withOutcome(entry domain.ApiLogEntry, outcome domain.Outcome) domain.ApiLogEntry {
	entry.Outcome = outcome
	return entry
}

func closes(entry domain.ApiLogID, outcome domain.Outcome) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.Failed(fmt.Sprintf("Close(%d)", entry), repo.recorded.Log.Close(ctx, entry, outcome))
	}
}

func holdsEntry(want domain.ApiLogEntry) check {
	return func(ctx context.Context, repo *Port) error {
		got, err := repo.recorded.Archive.Entry(ctx, want.ID)
		return clause.Yields(fmt.Sprintf("Entry(%d)", want.ID), got, err, want)
	}
}

// holdsOpenEntries checks that there are entries, and all are open.
func holdsOpenEntries(ctx context.Context, repo *Port) error {
	entries, err := repo.recorded.Archive.List(ctx, domain.ApiLogFilter{}, 10)
	if err != nil || len(entries) == 0 {
		return fmt.Errorf("the entries that were opened: got %d (%w)", len(entries), err)
	}
	for _, entry := range entries {
		if err := clause.Yields(fmt.Sprintf("the outcome of entry %d", entry.ID), entry.Outcome, nil, domain.Outcome{}); err != nil {
			return err
		}
	}
	return nil
}
