package customerrepo

import (
	"context"
	"errors"
	"fmt"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// method is one that runs a change under the customer's lock.
type method struct {
	name, prefix string // prefix is that of its clauses
	do           func(ctx context.Context, repo *Port, ref domain.CustomerRef, change ports.PhotoChange) error
}

var (
	changePhoto = method{"ChangePhoto", "change", func(ctx context.Context, repo *Port, ref domain.CustomerRef, change ports.PhotoChange) error {
		return repo.ChangePhoto(ctx, ref, change)
	}}
	removeCustomer = method{"RemoveCustomer", "remove", func(ctx context.Context, repo *Port, ref domain.CustomerRef, change ports.PhotoChange) error {
		return repo.RemoveCustomer(ctx, ref, change)
	}}
)

// clauses are those of both methods. given has customer(689, 1), and stays checks
// that the customer is as then.
func (m method) clauses(given, stays check) []clauseOf {
	alice := customer(689, 1)
	named := func(name, promise string, check check) clauseOf { return clause.New(m.prefix+name, promise, check) }
	return []clauseOf{
		named(
			"_runs_once", "change runs once",
			clause.Steps(given, m.runsOnce(alice.Ref, nil)),
		), named(
			"_failed_runs_once", "a change that fails is never repeated",
			clause.Steps(given, m.runsOnce(alice.Ref, domain.Errorf(domain.Unavailable, "try again")), m.runsOnce(alice.Ref, errors.New("conflict"))),
		), named(
			"_error_as_it_is", "when change fails, "+m.name+" returns that error as it is",
			clause.Steps(given, m.returnsError(alice.Ref, errors.New("a plain error")), m.returnsError(alice.Ref, domain.Errorf(domain.PhotoTooLarge, "too large"))),
		), named(
			"_failed_keeps", "when change fails, the customer stays, with the record as it was",
			clause.Steps(given, m.failsInChange(alice.Ref), stays),
		), named(
			"_failed_unlocks", "when change fails, the customer isn't left locked",
			clause.Steps(given, m.failsInChange(alice.Ref), records(alice.Ref, photoRecord(3)), m.does(alice.Ref)),
		), named(
			"_panic_goes_through", "when change panics, "+m.name+" lets the panic through",
			clause.Steps(given, m.letsPanicThrough(alice.Ref)),
		), named(
			"_panic_keeps", "when change panics, the customer stays, with the record as it was",
			clause.Steps(given, m.panicsInChange(alice.Ref), stays),
		), named(
			"_panic_unlocks", "when change panics, the customer isn't left locked",
			clause.Steps(given, m.panicsInChange(alice.Ref), records(alice.Ref, photoRecord(3)), m.does(alice.Ref)),
		), named(
			"_ctx", "the ctx that change gets ends with the ctx of "+m.name,
			clause.Steps(given, m.endsChangeCtx(alice.Ref)),
		), named(
			"_proves_lock", "while change runs, the proof that it gets says that the customer is locked, as often as it is asked for",
			clause.Steps(given, m.provesLock(alice.Ref)),
		), named(
			"_proof_ended_ctx", "a proof of the lock whose ctx has ended fails with Unavailable",
			clause.Steps(given, m.provesNothing(alice.Ref)),
		),
	}
}

// with returns what the method does with a change that returns failure.
func (m method) with(ctx context.Context, repo *Port, ref domain.CustomerRef, failure error) error {
	return m.do(ctx, repo, ref, func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
		return photoRecord(3), failure
	})
}

// does has the method succeed.
func (m method) does(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.Failed(fmt.Sprintf("%s(%+v)", m.name, ref), m.with(ctx, repo, ref, nil))
	}
}

// runsOnce counts how often a change runs that returns failure.
func (m method) runsOnce(ref domain.CustomerRef, failure error) check {
	return func(ctx context.Context, repo *Port) error {
		runs := 0
		_ = m.do(ctx, repo, ref, func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
			runs++
			return photoRecord(3), failure
		}) // what it returns is for other clauses
		return clause.Yields("how often change ran", runs, nil, 1)
	}
}

func (m method) returnsError(ref domain.CustomerRef, want error) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.PassesOn(m.name+" with a change that fails", m.with(ctx, repo, ref, want), want)
	}
}

// failsInChange doesn't look at what the method makes of the failure.
func (m method) failsInChange(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		_ = m.with(ctx, repo, ref, errors.New("change failed"))
		return nil
	}
}

func (m method) letsPanicThrough(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		cause := errors.New("change panicked")
		return clause.Yields("what "+m.name+" panicked with", m.panicInChange(ctx, repo, ref, cause), nil, any(cause))
	}
}

// panicsInChange doesn't look at what the method makes of the panic.
func (m method) panicsInChange(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		_ = m.panicInChange(ctx, repo, ref, "change panicked")
		return nil
	}
}

func (m method) panicInChange(ctx context.Context, repo *Port, ref domain.CustomerRef, cause any) (recovered any) {
	defer func() { recovered = recover() }()
	return m.do(ctx, repo, ref, func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) { panic(cause) })
}

// notRun returns what the method does, or an error of its own when change runs.
func (m method) notRun(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		ran := false
		err := m.do(ctx, repo, ref, func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
			ran = true
			return photoRecord(3), nil
		})
		if ran {
			return errors.New("change ran")
		}
		return err
	}
}

func (m method) endsChangeCtx(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		given, end := context.WithCancel(ctx)
		defer end()
		var wrong error
		_ = m.do(given, repo, ref, func(got context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
			end()
			select {
			case <-got.Done():
			case <-ctx.Done():
				wrong = errors.New("the ctx that change got went on when the ctx of " + m.name + " had ended")
			}
			return current, got.Err()
		}) // what it returns is for other clauses
		return wrong
	}
}

func (m method) provesLock(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		return m.do(ctx, repo, ref, func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error) {
			for range 3 {
				if err := stillLocked(ctx); err != nil {
					return current, clause.Failed("the proof of the lock", err)
				}
			}
			return current, nil
		})
	}
}

// provesNothing asks for proofs for a ctx that has ended. The change fails then,
// as the lock may be lost with it.
func (m method) provesNothing(ref domain.CustomerRef) check {
	return clause.ForEachEnded(func(ended context.Context, repo *Port) error {
		var proof error
		err := m.do(context.WithoutCancel(ended), repo, ref, func(_ context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error) {
			proof = stillLocked(ended)
			return current, errors.New("change failed")
		})
		if proof == nil {
			return fmt.Errorf("the proof of the lock, with an ended ctx: got no error (%w)", err)
		}
		return clause.FailsWith(domain.Unavailable, "the proof of the lock, with an ended ctx", proof)
	})
}
