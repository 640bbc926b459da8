package mutants

import (
	"context"
	"errors"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/contract-tests/customerrepo"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// twoCommits stores the record in one commit and closes the entry in another.
type twoCommits struct{ *memory.Backend }

func (b twoCommits) ChangePhotoAndClose(ctx context.Context, ref domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange) error {
	return b.inTwo(ctx, entry, change, func(change ports.PhotoChange) error { return b.CustomerRepo.ChangePhoto(ctx, ref, change) })
}

func (b twoCommits) RemoveCustomerAndClose(ctx context.Context, ref domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange) error {
	return b.inTwo(ctx, entry, change, func(change ports.PhotoChange) error { return b.CustomerRepo.RemoveCustomer(ctx, ref, change) })
}

func (b twoCommits) inTwo(ctx context.Context, entry domain.ApiLogID, change ports.ClosingChange, store func(ports.PhotoChange) error) error {
	var outcome domain.Outcome
	err := store(func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (record domain.PhotoRecord, err error) {
		record, outcome, err = change(ctx, current, stillLocked)
		return record, err
	})
	if err != nil {
		return err
	}
	if _, err := b.ApiLog.Entry(context.WithoutCancel(ctx), entry); errors.Is(err, domain.NotFound) {
		return nil
	}
	return b.ApiLog.Close(ctx, entry, outcome)
}

// closesMore also closes the entry before.
type closesMore struct {
	ports.ChangeRecorder
	log ports.ApiLog
}

func (b closesMore) ChangePhotoAndClose(ctx context.Context, ref domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange) error {
	return b.before(ctx, entry, b.ChangeRecorder.ChangePhotoAndClose(ctx, ref, entry, change))
}

func (b closesMore) RemoveCustomerAndClose(ctx context.Context, ref domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange) error {
	return b.before(ctx, entry, b.ChangeRecorder.RemoveCustomerAndClose(ctx, ref, entry, change))
}

func (b closesMore) before(ctx context.Context, entry domain.ApiLogID, err error) error {
	if err == nil {
		_ = b.log.Close(ctx, entry-1, domain.Outcome{Result: domain.Valid}) // there may be none
	}
	return err
}

func badRecorders() []saboteur {
	return []saboteur{
		sabotage("the entry is closed in a commit of its own", "ChangeRecorder", customerrepo.RecorderClauses(), []string{"close_cut_off", "remove_close_cut_off"}, func(*testing.T) *customerrepo.Port {
			b := memory.New()
			return recordedIn(b, twoCommits{b})
		}),
		sabotage("another entry is closed too", "ChangeRecorder", customerrepo.RecorderClauses(), []string{"close_leaves_entries", "remove_close_leaves_entries"}, func(*testing.T) *customerrepo.Port {
			b := memory.New()
			return recordedIn(b, closesMore{b.ChangeRecorder(), b.ApiLog})
		}),
	}
}
