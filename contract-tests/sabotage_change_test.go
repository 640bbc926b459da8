package contracttests

import (
	"context"
	"errors"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// spoilChange makes a CustomerRepo with another ChangePhoto.
func spoilChange(change func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error) func() CustomerRoles {
	return spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
		bad.change = func(ctx context.Context, ref domain.CustomerRef, f ports.PhotoChange) error {
			return change(ctx, good, ref, f)
		}
	})
}

func badChanges() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"change gets a record without a width", []string{"change_gets_current"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			return good.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
				current.Info.Width = 0
				return change(ctx, current)
			})
		})},
		{"the namesake in fleet 690 gets the record too", []string{"change_leaves_others", "remove", "remove_failed_keeps", "remove_panic_keeps"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			return good.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
				record, err := change(ctx, current)
				if ref.Fleet == 689 && err == nil {
					_ = records(domain.CustomerRef{Fleet: 690, Customer: ref.Customer}, record)(ctx, good)
				}
				return record, err
			})
		})},
		{"change runs twice", []string{"change_runs_once", "change_cut_off"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			return good.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
				if record, err := change(ctx, current); err != nil {
					return record, err
				}
				return change(ctx, current)
			})
		})},
		{"change runs where there is no customer", []string{"change_unknown_customer", "change_after_remove", "remove", "remove_at_once", "remove_cut_off"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			err := good.ChangePhoto(ctx, ref, change)
			if errors.Is(err, domain.CustomerNotFound) {
				_, _ = change(ctx, domain.PhotoRecord{})
			}
			return err
		})},
		{"changing nobody's photo is no error", []string{"change_unknown_customer", "change_after_remove", "remove", "remove_at_once", "remove_cut_off"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			if err := good.ChangePhoto(ctx, ref, change); !errors.Is(err, domain.CustomerNotFound) {
				return err
			}
			return nil
		})},
		{"the ctx of change doesn't end", []string{"change_ctx"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			return good.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
				return change(live(ctx), current)
			})
		})},
		{"a part of the record is stored when ctx ends meanwhile", []string{"change_cut_off"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			var record domain.PhotoRecord
			err := good.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (changed domain.PhotoRecord, err error) {
				changed, err = change(ctx, current)
				if record = changed; err != nil {
					record = domain.PhotoRecord{}
				}
				return changed, err
			})
			if record.ChangedBy = 0; err != nil && record.Info.Exists() {
				_ = records(ref, record)(live(ctx), good)
			}
			return err
		})},
		{"a change whose ctx ends meanwhile is no error", []string{"change_cut_off"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			if endsMeanwhile(ctx) {
				return nil
			}
			return good.ChangePhoto(ctx, ref, change)
		})},
		{"a change resets the PIN lock", []string{"change_keeps_pin_lock"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			if err := good.ChangePhoto(ctx, ref, change); err != nil {
				return err
			}
			_ = good.ResetPINLock(live(ctx), ref)
			return nil
		})},
	}
}

func badFailingChanges() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"a change that fails is repeated", []string{"change_failed_runs_once"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			return good.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
				record, err := change(ctx, current)
				if err != nil {
					return change(ctx, current)
				}
				return record, nil
			})
		})},
		{"the error of change becomes a cause", []string{"change_error_as_it_is"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			var failure error
			err := good.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (record domain.PhotoRecord, err error) {
				record, failure = change(ctx, current)
				return record, failure
			})
			if failure != nil {
				return domain.Errorf(domain.Internal, "change failed").WithCause(failure)
			}
			return err
		})},
		{"the record of a change that fails is stored", []string{"change_failed_keeps_record"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			var failure error
			err := good.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (record domain.PhotoRecord, err error) {
				record, failure = change(ctx, current)
				return record, nil
			})
			if failure != nil {
				return failure
			}
			return err
		})},
		{"a panic becomes an error", []string{"change_panic_goes_through"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) (err error) {
			defer func() {
				if recover() != nil {
					err = domain.Errorf(domain.Internal, "panic")
				}
			}()
			return good.ChangePhoto(ctx, ref, change)
		})},
		{"a record is stored although change panics", []string{"change_panic_keeps_record"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			var cause any
			err := good.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (record domain.PhotoRecord, err error) {
				defer func() { cause = recover() }()
				return change(ctx, current)
			})
			if cause != nil {
				panic(cause)
			}
			return err
		})},
	}
}
